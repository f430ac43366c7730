// Timeouts and retries, with fake time.
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { retryUntilSettled } from '../../src/async/retry.ts';
import { resultWithin, settleWithin, withTimeout } from '../../src/async/timeout.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const late = () => new Error('late');
const never = () => new Promise<never>(() => {});

test('a call that resolves in time gives its value and leaves no timer or listener', async () => {
  const { signal } = new AbortController();
  expect(await withTimeout(async () => 1, { ms: 100, error: late, signal })).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('a call without a result rejects after the timeout, not before', async () => {
  let rejected = false;
  const call = withTimeout(never, { ms: 100, error: late }).catch((error) => {
    rejected = true;
    throw error;
  });
  const outcome = expect(call).rejects.toThrow('late');
  await vi.advanceTimersByTimeAsync(99);
  expect(rejected).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await outcome;
});

test('an abort rejects with its reason; once aborted, the call is not made', async () => {
  const stopping = new AbortController();
  const waiting = withTimeout(never, { ms: 100, error: late, signal: stopping.signal });
  stopping.abort(new Error('stopped'));
  await expect(waiting).rejects.toThrow('stopped');
  const call = vi.fn(never);
  await expect(withTimeout(call, { ms: 100, error: late, signal: stopping.signal })).rejects.toThrow(
    'stopped',
  );
  expect(call).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test('an error that comes after the timeout is not an unhandled rejection', async () => {
  let fail!: (error: Error) => void;
  const work = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const outcome = expect(withTimeout(() => work, { ms: 10, error: late })).rejects.toThrow('late');
  await vi.advanceTimersByTimeAsync(10);
  await outcome;
  fail(new Error('too late to matter'));
  await vi.advanceTimersByTimeAsync(1);
});

test('a call that throws synchronously rejects', async () => {
  const call = () => {
    throw new Error('at the call');
  };
  await expect(withTimeout(call, { ms: 10, error: late })).rejects.toThrow('at the call');
});

test('resultWithin gives the value in time, undefined after the timeout, and rejects as the promise does', async () => {
  expect(await resultWithin(Promise.resolve(1), 10)).toBe(1);
  await expect(resultWithin(Promise.reject(new Error('no')), 10)).rejects.toThrow('no');
  const waiting = resultWithin(never(), 10);
  await vi.advanceTimersByTimeAsync(10);
  expect(await waiting).toBeUndefined();
});

test('settleWithin gives the value in time, and undefined after the timeout or a rejection', async () => {
  expect(await settleWithin(Promise.resolve(1), 10)).toBe(1);
  expect(await settleWithin(Promise.reject(new Error('no')), 10)).toBeUndefined();
  const timedOut = settleWithin(never(), 10);
  await vi.advanceTimersByTimeAsync(10);
  expect(await timedOut).toBeUndefined();
});

const policy = { firstMs: 100, maxMs: 1_000 };

test('a call is retried with backoff until it resolves, and each failure is reported', async () => {
  const failures: [string, number][] = [];
  let calls = 0;
  const call = async () => {
    calls += 1;
    if (calls < 3) throw new Error(`failure ${calls}`);
    return 'done';
  };
  const settled = retryUntilSettled(call, {
    policy,
    signal: new AbortController().signal,
    isPermanent: () => false,
    onFailure: (error, count) => failures.push([(error as Error).message, count]),
  });
  await vi.advanceTimersByTimeAsync(49);
  expect(calls).toBe(1);
  await vi.advanceTimersByTimeAsync(300);
  expect(await settled).toBe('done');
  expect(failures).toEqual([
    ['failure 1', 1],
    ['failure 2', 2],
  ]);
});

test('a permanent error is not retried, and an abort ends the retries with the last error', async () => {
  const { signal } = new AbortController();
  const call = vi.fn(() => Promise.reject(new Error('rejected')));
  await expect(retryUntilSettled(call, { policy, signal, isPermanent: () => true })).rejects.toThrow(
    'rejected',
  );
  expect(call).toHaveBeenCalledTimes(1);

  const stopping = new AbortController();
  const retried = retryUntilSettled(call, { policy, signal: stopping.signal, isPermanent: () => false });
  const outcome = expect(retried).rejects.toThrow('rejected');
  await vi.advanceTimersByTimeAsync(0);
  stopping.abort();
  await vi.advanceTimersByTimeAsync(0);
  await outcome;
  expect(vi.getTimerCount()).toBe(0);
});
