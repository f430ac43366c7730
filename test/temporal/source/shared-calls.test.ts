// Sharing calls among concurrent requests.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { shareCalls } from '../../../src/temporal/source/shared-calls.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const calls: { readonly isRepeated: boolean; settle(response: string | Error): void }[] = [];
  const read = shareCalls<string, string>({
    keyOf: (key) => key,
    spacingMs: 50,
    call: (_, isRepeated) =>
      new Promise((resolve, reject) => {
        const settle = (response: string | Error) =>
          response instanceof Error ? reject(response) : resolve(response);
        calls.push({ isRepeated, settle });
      }),
  });
  return { read, calls };
}

test('a request does not get the response of a call that had started before it', async () => {
  const { read, calls } = setUp();
  const before = read('w');
  const now = [read('w'), read('w')];
  expect(calls).toHaveLength(1);
  calls[0]!.settle('r1');
  expect(await before).toBe('r1');
  await vi.advanceTimersByTimeAsync(50);
  expect(calls).toHaveLength(2);
  calls[1]!.settle('r2');
  expect(await Promise.all(now)).toEqual(['r2', 'r2']);
  await vi.advanceTimersByTimeAsync(50);
  const later = read('w');
  expect(calls).toHaveLength(3);
  calls[2]!.settle('r3');
  expect(await later).toBe('r3');
});

test('calls for one key start up to twenty times per second, and are marked as repeated', async () => {
  const { read, calls } = setUp();
  for (let request = 0; request < 100; request += 1) {
    void read('w');
    await vi.advanceTimersByTimeAsync(10);
    for (const { settle } of calls) settle('r');
  }
  expect(calls.length).toBeGreaterThanOrEqual(19);
  expect(calls.length).toBeLessThanOrEqual(21);
  expect(calls.map(({ isRepeated }) => isRepeated)).toEqual([false, ...calls.slice(1).map(() => true)]);
  await vi.advanceTimersByTimeAsync(1_000);
  void read('w');
  expect(calls.at(-1)!.isRepeated).toBe(false);
});

test('requests with different keys do not wait for each other', () => {
  const { read, calls } = setUp();
  void read('a');
  void read('b');
  expect(calls).toHaveLength(2);
});

test('a call that fails rejects the requests that share it, and the next one is sent', async () => {
  const { read, calls } = setUp();
  const failed = read('w');
  const next = read('w');
  calls[0]!.settle(new Error('unavailable'));
  await expect(failed).rejects.toThrow('unavailable');
  await vi.advanceTimersByTimeAsync(50);
  calls[1]!.settle('r2');
  expect(await next).toBe('r2');
});
