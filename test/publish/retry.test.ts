// Calls of the log and the store: which errors are final, and when a call is repeated.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ERROR_CODES, type ErrorCode, ExecstreamError } from '../../src/event/errors.ts';
import { backoffMs, callOnce, callUntilSettled, isRejection } from '../../src/publish/retry.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const unavailable = new ExecstreamError('SOURCE_UNAVAILABLE', 'unavailable');

test('an error is final if it is ours and repeating the call cannot change it', () => {
  const final = (Object.keys(ERROR_CODES) as ErrorCode[]).filter((code) =>
    isRejection(new ExecstreamError(code, 'm')),
  );
  expect(final).toEqual([
    'NOT_FOUND',
    'FORBIDDEN',
    'UNAUTHENTICATED',
    'BAD_CURSOR',
    'BAD_USER_INPUT',
    'SUPERSEDED',
    'ENDED',
    'EVENT_TOO_LARGE',
    'CONFIG',
  ]);
  for (const other of [new Error('ENDED'), { code: 'ENDED' }, undefined])
    expect(isRejection(other)).toBe(false);
});

test('retries wait 50 ms at first and up to 2 s', () => {
  vi.spyOn(Math, 'random').mockReturnValue(1);
  expect([1, 2, 3, 4, 5, 6, 7, 50].map(backoffMs)).toEqual([50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
});

test('a call without a response is unavailable after its timeout, and leaves no timer', async () => {
  const { signal } = new AbortController();
  const call = callOnce(() => new Promise(() => {}), 100, signal);
  const rejected = expect(call).rejects.toMatchObject({
    code: 'SOURCE_UNAVAILABLE',
    message: 'no response within 100 ms',
  });
  // The call's own timeout, if it is the same, is first.
  await vi.advanceTimersByTimeAsync(200);
  await rejected;
  expect(await callOnce(async () => 7, 100, signal)).toBe(7);
  expect(vi.getTimerCount()).toBe(0);
});

test('a call is repeated until it has an outcome, and each failure is reported', async () => {
  const { signal } = new AbortController();
  const outcomes = [unavailable, new Error('connect ECONNREFUSED'), 'done'];
  const failures: unknown[] = [];
  const call = async () => {
    const outcome = outcomes.shift();
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  const onFailure = (error: unknown, count: number) => failures.push([(error as Error).message, count]);
  const settled = callUntilSettled(call, { callMs: 100, signal, onFailure });
  await vi.runAllTimersAsync();
  expect(await settled).toBe('done');
  expect(failures).toEqual([
    ['unavailable', 1],
    ['connect ECONNREFUSED', 2],
  ]);
});

test('a call that is rejected permanently is not repeated', async () => {
  const { signal } = new AbortController();
  const call = vi.fn(async () => {
    throw new ExecstreamError('ENDED', 'ended');
  });
  await expect(callUntilSettled(call, { callMs: 100, signal })).rejects.toMatchObject({ code: 'ENDED' });
  expect(call).toHaveBeenCalledTimes(1);
});

test('a call is not repeated after its signal has aborted', async () => {
  const aborting = new AbortController();
  const call = vi.fn(async () => {
    throw unavailable;
  });
  const settled = callUntilSettled(call, { callMs: 100, signal: aborting.signal });
  const rejected = expect(settled).rejects.toBe('released');
  await vi.advanceTimersByTimeAsync(1);
  aborting.abort('released');
  await vi.runAllTimersAsync();
  await rejected;
  expect(call).toHaveBeenCalledTimes(1);
});
