// Ends a run by what its work comes to.
import type { ExecutionPublisher } from '../execution-publisher.ts';

/**
 * Ends a run when a promise settles: with success, by default with the whole text or the last value, or with its
 * error. Resolves when the end is recorded, or after `endMs`.
 *
 *   await completeWith(run, publishFullStream(run, streamText({ … }).fullStream));
 *
 * @returns what the promise resolved to.
 * @throws what the promise rejected with, once the run has failed.
 */
export async function completeWith<T>(run: ExecutionPublisher, work: PromiseLike<T>): Promise<T> {
  let made: T;
  try {
    made = await work;
  } catch (error) {
    const wasAborted = error instanceof Error && error.name === 'AbortError';
    await run.fail(error, wasAborted ? { status: 'CANCELED' } : {});
    throw error;
  }
  await run.complete();
  return made;
}
