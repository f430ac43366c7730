// Backoff and delays, with fake time.
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { backoff } from '../../src/async/backoff.ts';
import { delay } from '../../src/async/delay.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  // First: a spy restores what it replaced, which can be a fake timer.
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test.each([
  [0, [50, 100, 200, 400, 800, 1_000, 1_000]],
  [1, [100, 200, 400, 800, 1_600, 2_000, 2_000]],
])(
  'the backoff doubles up to its maximum, of which a random 50 to 100 %% is used: %d',
  (random, expected) => {
    vi.spyOn(Math, 'random').mockReturnValue(random);
    const waits = [1, 2, 3, 4, 5, 6, 5_000].map((failures) =>
      backoff({ firstMs: 100, maxMs: 2_000 }, failures),
    );
    expect(waits).toEqual(expected);
  },
);

test('a delay lasts as long as requested, and leaves no listener', async () => {
  const { signal } = new AbortController();
  let hasEnded = false;
  const delayed = delay(100, signal).then(() => {
    hasEnded = true;
  });
  await vi.advanceTimersByTimeAsync(99);
  expect(hasEnded).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await delayed;
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('a delay ends when it is aborted, before or during it, and leaves no timer', async () => {
  const stopping = new AbortController();
  const delayed = delay(60_000, stopping.signal);
  stopping.abort();
  await delayed;
  await delay(60_000, stopping.signal);
  expect(vi.getTimerCount()).toBe(0);
});

test('a delay keeps its process alive only if asked to', () => {
  const timers = vi.spyOn(globalThis, 'setTimeout');
  const { signal } = new AbortController();
  void delay(1, signal);
  void delay(1, signal, true);
  expect(timers.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef())).toEqual([false, true]);
});
