import type { CatalogueSource, SetData } from './messages';

/** Where a session's samples come from. */
export type DataSource = SetData['source'];

/** A ready problem as the catalogue offers it: so many samples, none of them noisy. */
export function readyProblem(name: string): CatalogueSource {
  return { kind: 'catalogue', name, num_train: 1000, num_test: 1000, noise: 0 };
}
