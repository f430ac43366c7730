// A delay that an abort signal ends early.
import { unref } from './timer.ts';

/**
 * Waits. Resolves early when the signal aborts; never rejects.
 * @param keepsAlive whether the timer keeps a process alive that has nothing else to do
 * @default keepsAlive false
 */
export function delay(ms: number, signal?: AbortSignal, keepsAlive = false): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (!keepsAlive) unref(timer);
    signal?.addEventListener('abort', done);
  });
}
