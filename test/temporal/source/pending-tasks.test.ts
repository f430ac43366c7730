// What `describe` reports of activities and Nexus operations, as tasks in flight.
import { describe, expect, test } from 'vitest';
import { pendingTasksOf } from '../../../src/temporal/source/pending-tasks.ts';

type Description = Parameters<typeof pendingTasksOf>[0];
type Activity = NonNullable<Description['pendingActivities']>[number];
type Operation = NonNullable<Description['pendingNexusOperations']>[number];

const seconds = (value: number) => ({ seconds: value as never, nanos: 0 });
const [SCHEDULED, STARTED, CANCEL_REQUESTED, PAUSED, PAUSE_REQUESTED] = [1, 2, 3, 4, 5];

const activity = (fields: Activity) =>
  pendingTasksOf({
    pendingActivities: [{ activityId: '1', activityType: { name: 'fetch' }, attempt: 1, ...fields }],
  })[0]!;

const operation = (fields: Operation) =>
  pendingTasksOf({
    pendingNexusOperations: [
      { service: 'mail', operation: 'send', scheduledEventId: 7 as never, attempt: 1, ...fields },
    ],
  });

describe('an activity', () => {
  test('that a worker may start is pending, and running once one has started it', () => {
    expect(activity({ state: SCHEDULED })).toEqual({
      ...{ taskId: 'fetch#1', status: 'PENDING', attempt: 1, nextAttemptAt: undefined },
      ...{ failure: undefined, note: undefined, details: [], heartbeatAt: 0 },
    });
    expect(activity({ state: STARTED })).toMatchObject({ status: 'RUNNING', attempt: 1 });
  });

  test('that failed waits for its next attempt', () => {
    const lastFailure = { message: 'no such page' };
    const task = activity({
      ...{ state: SCHEDULED, attempt: 3, lastFailure },
      nextAttemptScheduleTime: seconds(60),
    });
    expect(task).toMatchObject({
      status: 'WAITING',
      attempt: 3,
      nextAttemptAt: 60_000,
      failure: lastFailure,
    });
    // Servers have reported the epoch for no time.
    const due = activity({ state: SCHEDULED, attempt: 3, nextAttemptScheduleTime: seconds(0) });
    expect(due).toMatchObject({ status: 'PENDING', nextAttemptAt: undefined });
  });

  test('is paused with the reason that a user or a rule has given', () => {
    const paused = (pauseInfo: Activity['pauseInfo'], state = PAUSED) => activity({ state, pauseInfo });
    expect(paused({ manual: { reason: 'lunch' } })).toMatchObject({ status: 'PAUSED', note: 'lunch' });
    expect(paused({ rule: { reason: 'too many errors' } })).toMatchObject({ note: 'too many errors' });
    expect(paused(null).note).toBeUndefined();
    expect(activity({ state: SCHEDULED, paused: true })).toMatchObject({ status: 'PAUSED' });
  });

  test('is running while its pause or its cancellation is requested', () => {
    const manual = { reason: 'lunch' };
    expect(activity({ state: PAUSE_REQUESTED, pauseInfo: { manual } })).toMatchObject({
      ...{ status: 'RUNNING', note: 'pause requested: lunch' },
    });
    expect(activity({ state: PAUSE_REQUESTED })).toMatchObject({ note: 'pause requested' });
    expect(activity({ state: CANCEL_REQUESTED })).toMatchObject({
      ...{ status: 'RUNNING', note: 'cancellation requested' },
    });
  });

  test('has the details of its last heartbeat, and when that arrived', () => {
    const payloads = [{ data: new Uint8Array([1]) }];
    const task = activity({
      ...{ state: STARTED, heartbeatDetails: { payloads } },
      lastHeartbeatTime: seconds(5),
    });
    expect(task).toMatchObject({ details: payloads, heartbeatAt: 5_000 });
  });

  test('without a type and an attempt is a task nevertheless', () => {
    expect(pendingTasksOf({ pendingActivities: [{}] })).toMatchObject([
      { taskId: 'activity#', status: 'PENDING', attempt: 1 },
    ]);
    expect(pendingTasksOf({})).toEqual([]);
  });
});

describe('a Nexus operation', () => {
  const [OPERATION_SCHEDULED, BACKING_OFF, OPERATION_STARTED, BLOCKED] = [1, 2, 3, 4];
  const lastAttemptFailure = { message: 'handler unavailable' };

  test('is in flight once an attempt to start it has failed, until it has started', () => {
    expect(operation({ state: OPERATION_SCHEDULED })).toEqual([]);
    expect(operation({ state: OPERATION_STARTED, lastAttemptFailure })).toEqual([]);
    expect(operation({ state: OPERATION_SCHEDULED, attempt: 2, lastAttemptFailure })).toMatchObject([
      { taskId: 'mail.send#7', status: 'PENDING', attempt: 2, failure: lastAttemptFailure },
    ]);
  });

  test('waits for its next attempt', () => {
    const waiting = { state: BACKING_OFF, lastAttemptFailure, nextAttemptScheduleTime: seconds(9) };
    expect(operation(waiting)).toMatchObject([{ status: 'WAITING', attempt: 2, nextAttemptAt: 9_000 }]);
    expect(operation({ ...waiting, nextAttemptScheduleTime: null })).toMatchObject([{ status: 'PENDING' }]);
  });

  test('waits with a reason if Temporal blocks it', () => {
    expect(operation({ state: BLOCKED, blockedReason: 'circuit breaker' })).toMatchObject([
      { status: 'WAITING', note: 'blocked: circuit breaker' },
    ]);
    expect(operation({ state: BLOCKED })).toMatchObject([{ note: 'blocked', nextAttemptAt: undefined }]);
  });
});
