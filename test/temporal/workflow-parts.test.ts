// Parts that need no server: the epoch of a run, the prediction of a retry, the event buffer, the note.
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { setWorkflowOptions } from '@temporalio/workflow';
import { describe, expect, test } from 'vitest';
import { activityWillRetry, workflowWillRetry } from '../../src/temporal/shared/retry-policy.ts';
import { formatNote, parseNote, type WorkflowEvent } from '../../src/temporal/shared/stream-query.ts';
import type { CarriedStream } from '../../src/temporal/workflow/carry-over.ts';
import { epochOf } from '../../src/temporal/workflow/epoch.ts';
import { errorCause } from '../../src/temporal/workflow/error-cause.ts';
import { createEventBuffer } from '../../src/temporal/workflow/event-buffer.ts';
import { streamed } from '../../src/temporal/workflow/index.ts';

describe('the epoch of a run', () => {
  const run = (runId: string, originalExecutionRunId = runId, continuedFromExecutionRunId?: string) => ({
    runId,
    originalExecutionRunId,
    continuedFromExecutionRunId,
  });
  const carried = { epoch: 'r1', runId: 'r1' } as CarriedStream;

  test('is its own id for a first run, a cron run, and a reset of either', () => {
    expect(epochOf(run('r1'), undefined)).toBe('r1');
    expect(epochOf(run('r2', 'r2', 'r1'), undefined)).toBe('r2');
    expect(epochOf(run('r3', 'r1'), undefined)).toBe('r3');
  });

  test('is carried over by continue-as-new, any number of times', () => {
    expect(epochOf(run('r2', 'r2', 'r1'), carried)).toBe('r1');
    expect(epochOf(run('r3', 'r3', 'r2'), { ...carried, runId: 'r2' })).toBe('r1');
  });

  test('is its own id if a run with carried state is reset or retried', () => {
    expect(epochOf(run('r3', 'r2', 'r1'), carried)).toBe('r3');
    expect(epochOf(run('r3', 'r3', 'r2'), carried)).toBe('r3');
  });
});

describe('the event buffer of a workflow', () => {
  const event = (seq: number, step = 'x') =>
    ({
      seq,
      type: 'workflow_status',
      ts: '2026-01-01T00:00:00.000Z',
      data: { status: 'RUNNING', step },
    }) as WorkflowEvent;
  const seqs = (events: readonly WorkflowEvent[]) => events.map(({ seq }) => seq);

  test('keeps the newest events within both limits, and always the last', () => {
    const buffer = createEventBuffer({ maxEvents: 3, maxBytes: 400 }, 0, []);
    for (let seq = 1; seq <= 5; seq += 1) buffer.add(event(seq));
    expect([buffer.base, buffer.next, seqs(buffer.page(0, 1e6))]).toEqual([2, 6, [3, 4, 5]]);
    buffer.add(event(6, 'y'.repeat(1_000)));
    expect([buffer.base, buffer.next, seqs(buffer.page(0, 1e6))]).toEqual([5, 7, [6]]);
    expect(seqs(buffer.page(0, 10))).toEqual([6]);
    expect(buffer.tail({ maxEvents: 5, maxBytes: 10 })).toEqual([]);
  });

  test('continues after the events that were carried over', () => {
    const buffer = createEventBuffer({ maxEvents: 9, maxBytes: 1e6 }, 7, [event(8), event(9)]);
    buffer.add(event(10));
    expect([buffer.base, buffer.next, seqs(buffer.page(8, 1e6))]).toEqual([7, 11, [9, 10]]);
    expect(seqs(buffer.tail({ maxEvents: 2, maxBytes: 1e6 }))).toEqual([9, 10]);
  });
});

describe('a retry is predicted', () => {
  const failure = (type: string, nonRetryable = false) =>
    ApplicationFailure.create({ message: 'm', type, nonRetryable });
  const policy = { maximumAttempts: 3, nonRetryableErrorTypes: ['Bad'] };
  const workflow = (attempt: number, retryPolicy: object | undefined = policy) =>
    ({ attempt, retryPolicy, executionExpirationTime: new Date(1_000) }) as never;

  test('for a workflow by its policy, attempts, error type and expiration', () => {
    expect(workflowWillRetry(failure('Ink'), workflow(2), 0)).toBe(true);
    expect(workflowWillRetry(failure('Ink'), { attempt: 1 } as never, 0)).toBe(false);
    expect(workflowWillRetry(failure('Ink'), workflow(3), 0)).toBe(false);
    expect(workflowWillRetry(failure('Ink', true), workflow(1), 0)).toBe(false);
    expect(workflowWillRetry(failure('Bad'), workflow(1), 0)).toBe(false);
    expect(workflowWillRetry(new CancelledFailure('c'), workflow(1), 0)).toBe(false);
    expect(workflowWillRetry(failure('Ink'), workflow(1), 2_000)).toBe(false);
  });

  test('for an activity by its policy, attempts, error type and timeout', () => {
    const info = (attempt: number, retryPolicy: object | undefined = policy, scheduleToCloseTimeoutMs = 0) =>
      ({ attempt, retryPolicy, scheduledTimestampMs: 0, scheduleToCloseTimeoutMs }) as never;
    expect(activityWillRetry(new Error('x'), info(2), 0)).toBe(true);
    expect(activityWillRetry(new Error('x'), info(99, {}), 0)).toBe(true);
    expect(activityWillRetry(new Error('x'), info(3), 0)).toBe(false);
    expect(activityWillRetry(failure('Ink', true), info(1), 0)).toBe(false);
    expect(activityWillRetry(Object.assign(new Error('x'), { name: 'Bad' }), info(1), 0)).toBe(false);
    expect(activityWillRetry(new Error('x'), info(1, policy, 5_000), 3_999)).toBe(true);
    expect(activityWillRetry(new Error('x'), info(1, policy, 5_000), 4_000)).toBe(false);
  });
});

test('a streamed workflow keeps the name of its function, and the options that were set on it', () => {
  const digest = async function digest() {};
  setWorkflowOptions({ versioningBehavior: 'PINNED' }, digest);
  const workflow = streamed(digest);
  expect(workflow.name).toBe('digest');
  expect(workflow).toHaveProperty('workflowDefinitionOptions', { versioningBehavior: 'PINNED' });
});

test('a note is read as it was written, keeps other fields, and is not read from another source’s note', () => {
  const note = { epoch: 'e', runId: 'r', runStartedAt: 5 };
  expect(parseNote(formatNote(note, '{"other":1}'))).toEqual(note);
  expect(JSON.parse(formatNote(note, '{"other":1}'))).toMatchObject({ other: 1 });
  expect(parseNote(undefined)).toBeUndefined();
  expect(parseNote('{"revision":3}')).toBeUndefined();
  expect(parseNote('rubbish')).toBeUndefined();
});

test('the epoch of a history is read from a note of the same mapping only', () => {
  const note = { epoch: 'history:r', runId: 'r', runStartedAt: 5 };
  const written = formatNote(note);
  expect(parseNote(written)).toEqual(note);
  const stored = JSON.parse(written);
  // Versions that know no mapping expect a string, and then find no note.
  expect(stored.epoch).toEqual(['history:r', expect.any(Number)]);
  expect(parseNote(JSON.stringify({ ...stored, epoch: 'history:r' }))).toBeUndefined();
  expect(parseNote(JSON.stringify({ ...stored, epoch: ['history:r', 1] }))).toBeUndefined();
  expect(parseNote(formatNote({ ...note, epoch: 'own' }, written))).toEqual({ ...note, epoch: 'own' });
});

test('the cause of a failed workflow is the innermost error, and getters that throw are skipped', () => {
  const inner = new AggregateError([new Error('a'), new Error('b')]);
  expect(errorCause(new Error('Activity task failed', { cause: inner })).message).toBe('a; b');
  const broken = Object.defineProperty(new Error('no'), 'cause', {
    get: () => {
      throw new Error('a getter');
    },
  });
  expect(errorCause(broken)).toEqual({ message: 'no', code: undefined });
  expect(errorCause({ type: 'Quota', message: 'used up' })).toEqual({ message: 'used up', code: 'Quota' });
});
