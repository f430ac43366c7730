// Waiting that can be cut short, and how long to wait between two tries while something does not answer.

/** In ms. */
export interface BackoffPolicy {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * How long to wait after so many failures in a row (from 1), in ms: the first time doubled again and again, of which a
 * random 50 to 100 %, so that those who failed together do not come back together.
 */
export function backoff({ firstMs: first, maxMs: longest }: BackoffPolicy, failures: number): number {
  return Math.min(first * 2 ** (failures - 1), longest) * (0.5 + Math.random() / 2);
}

/**
 * Waits, or less where that is aborted; never rejects.
 * @param keepsAlive whether a process that has nothing else to do waits too
 */
export function delay(ms: number, signal: AbortSignal, keepsAlive = false): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (!keepsAlive) timer.unref();
    signal.addEventListener('abort', done);
  });
}
