// Ends a run with the outcome of its work.
import type { ExecutionPublisher } from '../execution-publisher.ts';

/**
 * Ends a run when a promise settles: successfully, with the complete text or the last value as the result, or with the
 * error of the promise (`CANCELED` for an AbortError). Resolves when the end is recorded, or after `endMs`.
 * @returns the value of the promise.
 * @throws the error of the promise, once the run has failed.
 * @example
 * ```ts
 * await completeWith(run, publishFullStream(run, streamText({ model, prompt }).fullStream));
 * ```
 */
export async function completeWith<T>(run: ExecutionPublisher, work: PromiseLike<T>): Promise<T> {
  let value: T;
  try {
    value = await work;
  } catch (error) {
    const wasAborted = error instanceof Error && error.name === 'AbortError';
    await run.fail(error, wasAborted ? { status: 'CANCELED' } : {});
    throw error;
  }
  await run.complete();
  return value;
}
