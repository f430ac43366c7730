// The terminal event of an execution always fits, for a row as for a workflow.
import { expect, test } from 'vitest';
import type { Usage } from '../../src/event/events.ts';
import { jsonBytes } from '../../src/event/json.ts';
import { DEFAULT_SIZE_LIMITS, sizeLimitsOf } from '../../src/event/size-limits.ts';
import {
  clampDuration,
  completeData,
  endSummary,
  errorData,
  terminalEventOf,
} from '../../src/event/terminal-event.ts';

const SUMMARY = { durationMs: 5 };
const USAGE = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };
const startedAt = new Date(1_000);
const finishedAt = new Date(1_005);

/** A result that makes `complete` as large as this, in bytes. */
function resultOf(bytes: number): string {
  return 'x'.repeat(bytes - Buffer.byteLength(JSON.stringify({ status: 'SUCCESS', ...SUMMARY, result: '' })));
}

test('a duration is exact up to 2^53 - 1 ms, and never negative', () => {
  expect([-1, 7, 2 ** 40, 2 ** 60].map(clampDuration)).toEqual([0, 7, 2 ** 40, 2 ** 53 - 1]);
});

test('a summary carries usage below 8 KiB and omits larger usage', () => {
  expect(endSummary(USAGE, 5)).toEqual({ usage: USAGE, durationMs: 5 });
  expect(endSummary(undefined, -5)).toEqual({ durationMs: 0 });
  expect(endSummary({ ...USAGE, model: 'm'.repeat(8 * 1024) }, 5)).toEqual({ durationMs: 5 });
});

test('usage of 8 KiB of JSON is omitted, and usage of one byte less is kept', () => {
  const usageOf = (bytes: number): Usage => {
    const model = 'm'.repeat(bytes - Buffer.byteLength(JSON.stringify({ ...USAGE, model: '' })));
    return { ...USAGE, model };
  };
  expect(endSummary(usageOf(8 * 1024 - 1), 5)).toHaveProperty('usage');
  expect(endSummary(usageOf(8 * 1024), 5)).not.toHaveProperty('usage');
});

test('a result of exactly the size limit is kept, and one byte more is omitted', () => {
  const largest = resultOf(DEFAULT_SIZE_LIMITS.data);
  expect(completeData(largest, SUMMARY)).toEqual({ status: 'SUCCESS', durationMs: 5, result: largest });
  expect(completeData(`${largest}x`, SUMMARY)).toEqual({
    status: 'SUCCESS',
    durationMs: 5,
    resultOmitted: true,
    resultBytes: largest.length + 3,
  });
  const raised = sizeLimitsOf(100_000);
  expect(completeData(`${largest}x`, SUMMARY, raised)).toMatchObject({ result: `${largest}x` });
});

test('a result is measured in bytes, not in characters', () => {
  const text = 'é'.repeat(DEFAULT_SIZE_LIMITS.data / 2);
  expect(completeData(text, SUMMARY)).toMatchObject({
    resultOmitted: true,
    resultBytes: 2 * text.length + 2,
  });
});

test('a result that is not JSON is omitted, and undefined is no result', () => {
  const cycle: { self?: object } = {};
  cycle.self = cycle;
  expect(completeData(cycle, SUMMARY)).toEqual({ status: 'SUCCESS', durationMs: 5, resultOmitted: true });
  expect(completeData(1n, SUMMARY)).toMatchObject({ resultOmitted: true });
  expect(completeData(undefined, SUMMARY)).toEqual({ status: 'SUCCESS', durationMs: 5 });
  expect(completeData(new Date(0), SUMMARY)).toMatchObject({ result: '1970-01-01T00:00:00.000Z' });
});

test('an error keeps its message and code within their limits', () => {
  const data = errorData('FAILED', { message: 'm'.repeat(9_000), code: 'c'.repeat(300) }, SUMMARY);
  expect(data).toEqual({
    status: 'FAILED',
    message: `${'m'.repeat(8_000)}…`,
    code: 'c'.repeat(200),
    durationMs: 5,
  });
  expect(errorData('CANCELED', { message: 'x', code: '' }, SUMMARY)).not.toHaveProperty('code');
});

test.each(['\0', '\n', '漢', '😀', '\ud83d', '"'])(
  'two copies of an error of any length fit into a message: %j',
  (unit) => {
    const usage = { ...USAGE, model: 'm'.repeat(8_000) };
    const summary = endSummary(usage, 5);
    expect(summary.usage).toEqual(usage);
    const data = errorData('FAILED', { message: unit.repeat(20_000), code: unit.repeat(300) }, summary);
    expect(jsonBytes(data)).toBeLessThanOrEqual(DEFAULT_SIZE_LIMITS.part);
    expect(data.message.length).toBeGreaterThan(3_000);
  },
);

test('an ended row has a terminal event at the time of its end', () => {
  const row = { status: 'SUCCESS' as const, result: 1, usage: USAGE as Usage, startedAt, finishedAt };
  expect(terminalEventOf(row)).toEqual({
    type: 'complete',
    ts: '1970-01-01T00:00:01.005Z',
    data: { status: 'SUCCESS', usage: USAGE, durationMs: 5, result: 1 },
  });
});

test('a row whose result was not kept says so in its terminal event', () => {
  const row = { status: 'SUCCESS' as const, resultOmitted: true, startedAt, finishedAt };
  expect(terminalEventOf(row)!.data).toEqual({ status: 'SUCCESS', durationMs: 5, resultOmitted: true });
});

test('a row without a result has a terminal event without one, which does not claim that it was omitted', () => {
  const data = terminalEventOf({ status: 'SUCCESS', startedAt, finishedAt })!.data;
  expect(data).toStrictEqual({ status: 'SUCCESS', durationMs: 5 });
});

test('a row that has its result never reports it as omitted', () => {
  const row = { status: 'SUCCESS' as const, result: null, resultOmitted: true, startedAt, finishedAt };
  expect(terminalEventOf(row)!.data).toStrictEqual({ status: 'SUCCESS', durationMs: 5, result: null });
});

test.each(['FAILED', 'CANCELED', 'TIMED_OUT', 'TERMINATED'] as const)(
  'a row with status %s has an error event, also without an error',
  (status) => {
    const event = terminalEventOf({ status, startedAt, finishedAt })!;
    expect(event).toMatchObject({ type: 'error', data: { status, message: `execution ended: ${status}` } });
  },
);

test('an open row has no terminal event', () => {
  expect(terminalEventOf({ status: 'RUNNING', startedAt })).toBeUndefined();
});
