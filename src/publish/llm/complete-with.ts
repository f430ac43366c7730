// Ends a run with the outcome of its work.
import type { ExecutionPublisher } from '../execution-publisher.ts';
import { isAbortError } from './stream-errors.ts';

export interface CompleteWithOptions {
  /**
   * The signal that aborts the work. Work that fails after it has aborted was canceled, whatever its error is. Without
   * it, the work was canceled if its error is an AbortError, or the error of an SDK for a request that was aborted.
   */
  readonly signal?: AbortSignal;
}

/**
 * Runs work, or waits for it, and ends its run: successfully, with the complete text or the last value as the result,
 * or with the error of the work; `CANCELED` if the work was aborted, otherwise `FAILED`. Resolves when the end is
 * recorded, or after `endMs`.
 * @param work a function, so that whatever it throws ends the run, also before it returns; or a promise.
 * @returns what the work returned.
 * @throws the error of the work, once the run has failed.
 * @example
 * ```ts
 * await completeWith(run, () => publishFullStream(run, streamText({ model, prompt }).fullStream));
 * ```
 */
export async function completeWith<T>(
  run: ExecutionPublisher,
  work: PromiseLike<T> | (() => T | PromiseLike<T>),
  { signal }: CompleteWithOptions = {},
): Promise<T> {
  let value: T;
  try {
    value = await (typeof work === 'function' ? work() : work);
  } catch (error) {
    const wasAborted = signal?.aborted || isAbortError(error);
    await run.fail(error, wasAborted ? { status: 'CANCELED' } : {});
    throw error;
  }
  await run.complete();
  return value;
}
