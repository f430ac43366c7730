// Temporal's close events, and which terminal event of a workflow they confirm.
import { describe, expect, test } from 'vitest';
import {
  type CloseEvent,
  closeOfRunAlone,
  confirmsEnd,
  parseCloseEvent,
} from '../../src/temporal/shared/close-event.ts';
import type { HistoryEvent } from '../../src/temporal/shared/history-event.ts';
import { decodeFirst, decodePlainJson, type Payload } from '../../src/temporal/shared/payloads.ts';

const AT: HistoryEvent = { eventTime: { seconds: 5 as never, nanos: 7_000_000 } };
const RETRYING = 1;
const failure = {
  message: 'outer',
  cause: { message: 'inner', applicationFailureInfo: { type: 'InkError' } },
};

describe('a close event is parsed:', () => {
  const none = { nextRunId: undefined, continuation: undefined };
  test.each<[string, HistoryEvent, Partial<CloseEvent>]>([
    ['completed', { workflowExecutionCompletedEventAttributes: {} }, { status: 'SUCCESS', ...none }],
    [
      'completed, with a next cron run',
      { workflowExecutionCompletedEventAttributes: { newExecutionRunId: 'r2' } },
      { status: 'SUCCESS', nextRunId: 'r2', continuation: 'cron' },
    ],
    [
      'failed, with the innermost cause',
      { workflowExecutionFailedEventAttributes: { failure } },
      { status: 'FAILED', message: 'inner', code: 'InkError', ...none },
    ],
    [
      'failed, with a retry',
      { workflowExecutionFailedEventAttributes: { retryState: RETRYING, newExecutionRunId: 'r2' } },
      { status: 'FAILED', nextRunId: 'r2', continuation: 'retried' },
    ],
    [
      'failed, with a next cron run',
      { workflowExecutionFailedEventAttributes: { newExecutionRunId: 'r2' } },
      { continuation: 'cron' },
    ],
    [
      'timed out',
      { workflowExecutionTimedOutEventAttributes: {} },
      { status: 'TIMED_OUT', message: 'the workflow timed out', ...none },
    ],
    [
      'terminated, with its reason',
      { workflowExecutionTerminatedEventAttributes: { reason: 'enough' } },
      { status: 'TERMINATED', message: 'enough', ...none },
    ],
    ['cancelled', { workflowExecutionCanceledEventAttributes: {} }, { status: 'CANCELED', ...none }],
    [
      'continued as new',
      { workflowExecutionContinuedAsNewEventAttributes: { newExecutionRunId: 'r2' } },
      { status: 'CONTINUED', nextRunId: 'r2', continuation: 'continued' },
    ],
  ])('%s', (_, event, expected) => {
    expect(parseCloseEvent({ ...AT, ...event })).toMatchObject({ closedAt: 5_007, ...expected });
  });

  test('any other event is not one', () => {
    expect(parseCloseEvent({ ...AT, timerFiredEventAttributes: {} })).toBeUndefined();
  });

  test('a long message is truncated between characters', () => {
    const message = `${'x'.repeat(1_999)}😀`;
    const event = { workflowExecutionFailedEventAttributes: { failure: { message } } };
    expect(parseCloseEvent(event)!.message).toBe(`${'x'.repeat(1_999)}…`);
  });
});

describe('a terminal event of the workflow', () => {
  const complete = { type: 'complete', data: { status: 'SUCCESS', durationMs: 1 } } as const;
  const error = (status: 'FAILED' | 'CANCELED' | 'TIMED_OUT') =>
    ({ type: 'error', data: { status, message: 'm', durationMs: 1 } }) as const;
  const close = (status: CloseEvent['status'], nextRunId?: string) => ({ status, nextRunId }) as CloseEvent;

  test('is confirmed by a run that closed the same way', () => {
    expect(confirmsEnd(close('SUCCESS'), complete)).toBe(true);
    expect(confirmsEnd(close('FAILED'), error('FAILED'))).toBe(true);
    expect(confirmsEnd(close('CANCELED'), error('CANCELED'))).toBe(true);
  });

  test('is confirmed with the status that the workflow chose for its failure', () => {
    expect(confirmsEnd(close('FAILED'), error('TIMED_OUT'))).toBe(true);
  });

  test.each([
    ['failed', close('FAILED'), complete],
    ['was terminated', close('TERMINATED'), complete],
    ['completed', close('SUCCESS'), error('FAILED')],
    ['timed out', close('TIMED_OUT'), error('FAILED')],
    ['was cancelled', close('CANCELED'), error('FAILED')],
    ['failed, not cancelled', close('FAILED'), error('CANCELED')],
    ['completed, but another one follows', close('SUCCESS', 'r2'), complete],
  ] as const)('is not confirmed by a run that %s otherwise', (_, event, end) => {
    expect(confirmsEnd(event, end)).toBe(false);
  });
});

describe('a payload', () => {
  const payload = (encoding: string, data: string): Payload => ({
    metadata: { encoding: Buffer.from(encoding) },
    data: Buffer.from(data),
  });

  test('of plain JSON or null is decoded, and every other one is omitted', () => {
    expect(decodePlainJson(payload('json/plain', '{"é":1}'))).toEqual({ é: 1 });
    expect(decodePlainJson(payload('json/plain', '[9007199254740993]'))).toEqual(['9007199254740993']);
    expect(decodePlainJson(payload('binary/null', ''))).toBeNull();
    expect(decodePlainJson(payload('json/plain', '{'))).toBeUndefined();
    expect(decodePlainJson(payload('binary/encrypted', '1'))).toBeUndefined();
    expect(decodePlainJson(payload('json/plain', '['.repeat(200) + ']'.repeat(200)))).toBeUndefined();
    expect(decodePlainJson({})).toBeUndefined();
  });

  test('is omitted if its decoder fails, or if there is none', async () => {
    const payloads = { payloads: [payload('json/plain', '1')] };
    expect(await decodeFirst(payloads, decodePlainJson)).toBe(1);
    expect(await decodeFirst(payloads, () => Promise.reject(new Error('no key')))).toBeUndefined();
    expect(await decodeFirst(payloads, undefined)).toBeUndefined();
    expect(await decodeFirst({ payloads: [] }, decodePlainJson)).toBeUndefined();
  });
});

test('a run alone ends as it closed, whatever follows it', () => {
  const continued = parseCloseEvent({
    ...AT,
    workflowExecutionContinuedAsNewEventAttributes: { newExecutionRunId: 'r2' },
  })!;
  const failed = parseCloseEvent({
    ...AT,
    workflowExecutionFailedEventAttributes: { failure, retryState: RETRYING, newExecutionRunId: 'r2' },
  })!;
  const none = { nextRunId: undefined, continuation: undefined };
  expect(closeOfRunAlone(continued)).toEqual({ ...continued, ...none, status: 'SUCCESS' });
  expect(closeOfRunAlone(failed)).toEqual({ ...failed, ...none });
});
