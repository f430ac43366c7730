// Fixtures of the store contract.
import { isExecstreamError } from '../../../src/event/errors.ts';
import type { BeginExecution, ExecutionStore } from '../../../src/execution/store.ts';

/** Opens two stores on one database; the same store twice if there can be only one. */
export type OpenStores = () => Promise<readonly [ExecutionStore, ExecutionStore]>;

let counter = 0;

/** An id that no other test uses. */
export function newId(): string {
  return `e${++counter}-${Math.random().toString(36).slice(2)}`;
}

/** A request to begin a task, with a new id. */
export function task(more: Partial<BeginExecution> = {}): BeginExecution {
  return { id: newId(), kind: 'task', mode: 'TEXT', ...more };
}

/** The code of the ExecstreamError that a promise is rejected with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => 'resolved',
    (reason: unknown) => reason,
  );
  return isExecstreamError(error) ? error.code : String(error);
}
