import { describe, expect, it } from 'vitest';
import type { ExportedEvent } from '../protocol/messages';
import { fileOf } from './save-file';

const EVENT: ExportedEvent = {
  type: 'exported',
  epoch: 0,
  seq: 0,
  request_id: 1,
  format: 'json',
  file_name: 'law.json',
  text: 'φ = 1',
  base64: '',
};

describe('an exported file', () => {
  it('is its text', async () => {
    expect(await fileOf(EVENT).text()).toBe('φ = 1');
  });

  it('is the bytes that were written as base64', async () => {
    const file = fileOf({ ...EVENT, format: 'onnx', text: '', base64: btoa('\u0000\u00ff\u0010') });
    expect([...new Uint8Array(await file.arrayBuffer())]).toEqual([0, 255, 16]);
  });
});
