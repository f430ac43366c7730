import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSignal } from '../../src/async/signal.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Whether a wait of 100 ms has ended by now. */
async function hasEnded(wait: Promise<void>): Promise<boolean> {
  let ended = false;
  void wait.then(() => {
    ended = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  return ended;
}

test('a wait ends when the signal is set, and leaves no timer', async () => {
  const signal = createSignal();
  const wait = signal.wait(100);
  expect(await hasEnded(wait)).toBe(false);
  signal.set();
  expect(await hasEnded(wait)).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('several notifications before a wait count as one', async () => {
  const signal = createSignal();
  signal.set();
  signal.set();
  expect(await hasEnded(signal.wait(100))).toBe(true);
  expect(await hasEnded(signal.wait(100))).toBe(false);
});

test('a wait without a notification ends after its time', async () => {
  const wait = createSignal().wait(100);
  await vi.advanceTimersByTimeAsync(99);
  expect(await hasEnded(wait)).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(await hasEnded(wait)).toBe(true);
});
