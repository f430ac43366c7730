// Waiting for a result for a limited time.
import { delay } from './delay.ts';

/** Waits for a result; undefined if it takes longer. */
export async function within<T>(ms: number, result: Promise<T>): Promise<T | undefined> {
  const done = new AbortController();
  try {
    return await Promise.race([result, delay(ms, done.signal).then(() => undefined)]);
  } finally {
    done.abort();
  }
}
