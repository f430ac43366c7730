// Work at the speed of a person: quick enough to wait for, slow enough to watch.
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Gives items on at a steady rate. Each is due at its own time from the start, so a late one delays no other.
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
