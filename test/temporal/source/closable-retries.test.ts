// The retries of Temporal's client end before its connection is closed.
import { afterEach, expect, test, vi } from 'vitest';
import { createClosableRetries } from '../../../src/temporal/source/closable-retries.ts';

afterEach(() => void vi.useRealTimers());

const STATUS = { code: 14 } as never;

test('a connection closes after the last scheduled retry, and no further retry is scheduled', async () => {
  vi.useFakeTimers();
  const retries = createClosableRetries({ retryableDecider: () => true, delayFunction: () => 200 });
  expect(retries.options.retryableDecider(1, STATUS)).toBe(true);
  expect(retries.options.delayFunction(1, STATUS)).toBe(200);
  let isClosed = false;
  void retries.close().then(() => {
    isClosed = true;
  });
  expect(retries.options.retryableDecider(2, STATUS)).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  expect(isClosed).toBe(false);
  await vi.advanceTimersByTimeAsync(20);
  expect(isClosed).toBe(true);
});

test('a connection without scheduled retries closes immediately', async () => {
  const retries = createClosableRetries({ retryableDecider: () => false, delayFunction: () => 200 });
  await retries.close();
  expect(retries.options.retryableDecider(1, STATUS)).toBe(false);
});
