import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeBrowser, FakeSocket, restoreBrowser, SNAPSHOT } from '../protocol/fake-server';
import type { EdgeInfo } from '../protocol/messages';
import { EdgePictures } from './edge-pictures.svelte';
import { SessionState } from './session.svelte';

let browser: ReturnType<typeof fakeBrowser>;
let session: SessionState;
let pictures: EdgePictures;

beforeEach(() => {
  browser = fakeBrowser();
  session = new SessionState('one', null);
  pictures = new EdgePictures(session);
});

afterEach(() => {
  session.close();
  restoreBrowser();
});

function accept(...changes: Partial<EdgeInfo>[]): void {
  const edges = SNAPSHOT.structure.edges.map((edge, index) => ({ ...edge, ...changes[index] }));
  FakeSocket.last.accept({ structure: { ...SNAPSHOT.structure, edges } });
}

function paint(importance: number, edges = 2): void {
  FakeSocket.last.deliverFrame(1, { edges, importance });
  browser.paint();
}

describe('EdgePictures', () => {
  it('tells what each edge is and shows', () => {
    accept({ kind: 'symbolic', label: '2·sin(x)' }, { kind: 'pruned' });
    expect([pictures.describe(0), pictures.describe(1)]).toEqual([
      'edge 0.0.0 formula 2·sin(x)',
      'edge 0.1.0 cut',
    ]);
    expect(pictures.describe(9)).toBe('');
  });

  it('draws an edge by its importance, a cut one not at all', () => {
    accept({}, { kind: 'pruned' });
    expect(pictures.strength(0)).toBe(0.3);
    paint(0.75);
    expect([pictures.strength(0), pictures.strength(1)]).toEqual([0.75, 0]);
    expect(pictures.describe(0)).toBe('edge 0.0.0 learned curve, importance 0.75');
    expect(pictures.path(0)).toMatch(/^M0 50l100 0$/);
  });

  it('says which edges would be cut', () => {
    accept();
    paint(0.01);
    session.weakThreshold = 0.03;
    expect(pictures.isWeak(1)).toBe(true);
    expect(pictures.describe(1)).toBe('edge 0.1.0 learned curve, importance 0.010, would be cut');
  });

  it('names the family of a curve that is not of the network’s, and the factor it adds to', () => {
    const family = {
      name: 'fourier',
      title: 'Fourier series',
      sentence: '',
      size_word: 'harmonics',
      has_order: false,
      has_knots: false,
      has_exponents: false,
      takes_any_size: false,
    };
    pictures = new EdgePictures(session, () => [family]);
    const [edge] = SNAPSHOT.structure.edges;
    if (edge === undefined) throw new Error('the snapshot has edges');
    const edges = [
      { ...edge, basis: 'fourier' },
      { ...edge, source: 1, basis: 'unknown' },
      { ...edge, target: 1, kind: 'pruned' as const, basis: 'fourier' },
    ];
    const network = { ...SNAPSHOT.structure.network, products: [0, 1] };
    FakeSocket.last.accept({ structure: { ...SNAPSHOT.structure, network, edges } });
    expect(edges.map((_, index) => pictures.otherFamily(index))).toEqual(['Fourier series', 'unknown', '']);
    expect(edges.map((_, index) => pictures.describe(index))).toEqual([
      'edge 0.0.0 learned curve, importance 0.0, Fourier series, factor 1 of f',
      'edge 0.1.0 learned curve, importance 0.0, unknown, factor 1 of f',
      'edge 0.0.1 cut, factor 2 of f',
    ]);
  });

  it('draws no curve of a frame that shows another structure', () => {
    accept();
    paint(0.5, 7);
    expect([pictures.frame, pictures.path(0), pictures.zero(0)]).toEqual([null, '', null]);
  });
});
