/** The REST calls of the lab; refusals are thrown as RefusedError with the server's sentence. */

import type {
  LabCheck,
  LabComparison,
  LabReadyList,
  LabRunCreated,
  LabRunInfo,
  LabRunList,
  SessionCreated,
} from './messages';
import { call, json } from './rest';

/** A figure as Plotly takes it. */
export interface Figure {
  data: Record<string, unknown>[];
  layout: Record<string, unknown>;
}

const address = (runId: string): string => `/api/lab/runs/${encodeURIComponent(runId)}`;
const withKey = (path: string, key: string): string => `${path}?key=${encodeURIComponent(key)}`;

export function fetchReady(): Promise<LabReadyList> {
  return call('/api/lab/ready');
}

export function checkSpec(toml: string): Promise<LabCheck> {
  return call('/api/lab/check', json({ toml }));
}

export function startRun(toml: string): Promise<LabRunCreated> {
  return call('/api/lab/runs', json({ toml }));
}

export function fetchRuns(): Promise<LabRunList> {
  return call('/api/lab/runs');
}

export function fetchRun(runId: string): Promise<LabRunInfo> {
  return call(address(runId));
}

export function steerRun(runId: string, key: string, act: 'pause' | 'resume' | 'cancel'): Promise<unknown> {
  return call(withKey(`${address(runId)}/${act}`, key), { method: 'POST' });
}

export function deleteRun(runId: string, key: string): Promise<unknown> {
  return call(withKey(address(runId), key), { method: 'DELETE' });
}

/** Sets a run beside another. */
export function compareRuns(runId: string, otherId: string): Promise<LabComparison> {
  return call(`${address(runId)}/compare/${encodeURIComponent(otherId)}`);
}

export function fetchFigures(runId: string): Promise<Record<string, Figure>> {
  return call(`${address(runId)}/figures`);
}

/** Opens a point, named by its key, as a session of its own. */
export function openPoint(runId: string, key: string): Promise<SessionCreated> {
  return call(`${address(runId)}/open`, json({ key }));
}

export const exportAddress = (runId: string, format: 'html' | 'csv' | 'json' | 'toml'): string =>
  `${address(runId)}/export.${format}`;
