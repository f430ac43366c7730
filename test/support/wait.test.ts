// Waiting returns the awaited value, or reports the missing one.
import { afterEach, expect, test, vi } from 'vitest';
import { until } from './wait.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('returns the first truthy value, and treats an exception as "not yet"', async () => {
  let polls = 0;
  const value = await until(() => {
    polls++;
    if (polls === 1) throw new Error('not yet');
    return polls >= 3 && `poll ${polls}`;
  });
  expect(value).toBe('poll 3');
});

test('reports what it waited for and the last result', async () => {
  await expect(until(() => 0, { what: 'a row', timeoutMs: 20 })).rejects.toThrow(
    'waited 20 ms for a row; the last poll returned 0',
  );
});

test('uses the real clock even if a test uses fake timers', async () => {
  vi.useFakeTimers();
  let polls = 0;
  expect(await until(() => ++polls > 2)).toBe(true);
});
