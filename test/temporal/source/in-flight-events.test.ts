// What viewers see of a task in flight.
import { expect, test } from 'vitest';
import { inFlightEvents, inFlightStatus, isShown } from '../../../src/temporal/source/in-flight-events.ts';
import type { PendingTask } from '../../../src/temporal/source/temporal-client.ts';

const task = (fields: Partial<PendingTask>): PendingTask => ({
  ...{ taskId: 'fetch#1', status: 'RUNNING', attempt: 1, nextAttemptAt: undefined },
  ...{ failure: undefined, note: undefined, details: [], heartbeatAt: 0, ...fields },
});
const failure = { message: 'Activity task failed', cause: { message: 'no such page' } };
const AT = '2026-01-01T00:01:00.000Z';

const eventsOf = (pending: PendingTask, shownAttempt = 1) =>
  inFlightEvents(pending, inFlightStatus(pending), shownAttempt).map(({ type, data }) => ({ type, ...data }));

test('the first attempt that runs is a status without a step', () => {
  expect(eventsOf(task({}))).toEqual([
    { type: 'task_status', status: 'RUNNING', taskId: 'fetch#1', taskAttempt: 1 },
  ]);
});

test('a failed attempt is a warning with its error and the time of the next one, and the new status', () => {
  const waiting = task({ status: 'WAITING', attempt: 2, failure, nextAttemptAt: Date.parse(AT) });
  expect(eventsOf(waiting)).toEqual([
    {
      type: 'warning',
      code: 'ATTEMPT_FAILED',
      message: `fetch#1, attempt 1: no such page; retrying at ${AT}`,
    },
    {
      ...{ type: 'task_status', status: 'WAITING', step: 'attempt 2, after: no such page' },
      ...{ taskId: 'fetch#1', taskAttempt: 2, nextAttemptAt: AT },
    },
  ]);
});

test('a failed attempt is warned of once', () => {
  const running = task({ attempt: 2, failure });
  expect(eventsOf(running, 2).map(({ type }) => type)).toEqual(['task_status']);
  expect(eventsOf(task({ attempt: 4, failure }), 2)[0]).toMatchObject({
    message: 'fetch#1, attempt 3: no such page; retrying',
  });
  // After a reset of an activity, an attempt starts without a failure.
  expect(eventsOf(task({ attempt: 3 }), 2)).toMatchObject([{ type: 'task_status', step: 'attempt 3' }]);
});

test('a pause is a status with its reason, and a warning does not promise another attempt', () => {
  const paused = task({ status: 'PAUSED', note: 'lunch', attempt: 2, failure });
  expect(eventsOf(paused)).toMatchObject([
    { message: 'fetch#1, attempt 1: no such page; paused' },
    { status: 'PAUSED', step: 'lunch; attempt 2, after: no such page' },
  ]);
});

test('a status without progress, which may be unknown, is shown already if the rest is', () => {
  const pending = task({});
  const shown = inFlightStatus(pending, { progress: 5 });
  expect(isShown(inFlightStatus(pending), undefined)).toBe(false);
  expect(isShown(inFlightStatus(pending), shown)).toBe(true);
  expect(isShown(inFlightStatus(pending, { progress: 5 }), shown)).toBe(true);
  expect(isShown(inFlightStatus(pending, { progress: 6 }), shown)).toBe(false);
  expect(isShown(inFlightStatus(pending, { progressOmitted: true, progressBytes: 9 }), shown)).toBe(false);
  expect(isShown(inFlightStatus(task({ attempt: 2 })), shown)).toBe(false);
});
