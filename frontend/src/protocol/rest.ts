/** The REST calls of the page; refusals are thrown as RefusedError with the server's sentence. */

import type {
  CatalogueInfo,
  FormulaCheck,
  Problem,
  SessionCreated,
  SessionRequest,
  TableCreated,
} from './messages';
import { RefusedError } from './run-socket';

export async function call<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(path, init);
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) {
    const answer: T = JSON.parse(JSON.stringify(body));
    return answer;
  }
  const problem = isProblem(body) ? body : null;
  throw new RefusedError(
    problem?.code ?? `http_${response.status}`,
    problem?.sentence ?? response.statusText,
  );
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && 'sentence' in body;
}

export function json(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

export function fetchCatalogue(): Promise<CatalogueInfo> {
  return call('/api/catalogue');
}

export function createSession(request: Partial<SessionRequest> = {}): Promise<SessionCreated> {
  return call('/api/sessions', json(request));
}

export function checkFormula(expression: string, variables: string[] | null): Promise<FormulaCheck> {
  return call('/api/formula/check', json({ expression, variables }));
}

export function uploadTable(file: Blob): Promise<TableCreated> {
  return call('/api/datasets', { method: 'POST', headers: { 'content-type': 'text/csv' }, body: file });
}
