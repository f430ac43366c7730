// Between two tries: longer each time, within bounds, and no longer than they are wanted.
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { backoff, delay } from '../../src/async/backoff.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test.each([
  [0, [50, 100, 200, 400, 800, 1_000, 1_000]],
  [1, [100, 200, 400, 800, 1_600, 2_000, 2_000]],
])('the wait doubles up to the longest, of which a random half or more: %d', (random, expected) => {
  vi.spyOn(Math, 'random').mockReturnValue(random);
  const waits = [1, 2, 3, 4, 5, 6, 5_000].map((failures) =>
    backoff({ firstMs: 100, maxMs: 2_000 }, failures),
  );
  expect(waits).toEqual(expected);
});

test('a pause is as long as it is said to be, and leaves no listener behind', async () => {
  const { signal } = new AbortController();
  let isOver = false;
  const paused = delay(100, signal).then(() => {
    isOver = true;
  });
  await vi.advanceTimersByTimeAsync(99);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await paused;
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('a pause is over when it is aborted, before it or in the middle, and leaves no timer behind', async () => {
  const stopping = new AbortController();
  const paused = delay(60_000, stopping.signal);
  stopping.abort();
  await paused;
  await delay(60_000, stopping.signal);
  expect(vi.getTimerCount()).toBe(0);
});

test('only work that waits keeps its process alive', () => {
  const timers = vi.spyOn(globalThis, 'setTimeout');
  const { signal } = new AbortController();
  void delay(1, signal);
  void delay(1, signal, true);
  expect(timers.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef())).toEqual([false, true]);
});
