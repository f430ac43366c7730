// Slows work down to a speed that a person can watch.
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Yields items at a steady rate. Each item is due at a fixed time from the start, so that a late one does not delay
 * the next.
 * @throws AbortError when the signal aborts.
 */
export async function* paced<T>(
  items: Iterable<T> | AsyncIterable<T>,
  everyMs: number,
  signal: AbortSignal,
): AsyncGenerator<T> {
  let due = performance.now();
  for await (const item of items) {
    yield item;
    due += everyMs;
    await sleep(Math.max(0, due - performance.now()), undefined, { signal });
  }
}
