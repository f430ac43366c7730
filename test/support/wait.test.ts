// Waiting gives what was waited for, or says what was missing.
import { afterEach, expect, test, vi } from 'vitest';
import { until } from './wait.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('gives the first true value, and takes a throw for "not yet"', async () => {
  let looks = 0;
  const value = await until(() => {
    looks++;
    if (looks === 1) throw new Error('not there');
    return looks >= 3 && `look ${looks}`;
  });
  expect(value).toBe('look 3');
});

test('names what was waited for and what was last seen', async () => {
  await expect(until(() => 0, { what: 'a row', timeoutMs: 20 })).rejects.toThrow(
    'waited 20 ms for a row; the last look gave 0',
  );
});

test('goes on by the real clock where a test has stopped the other', async () => {
  vi.useFakeTimers();
  let looks = 0;
  expect(await until(() => ++looks > 2)).toBe(true);
});
