// The statuses of executions and the time format of events. The catalogue: validation.test.ts.
import { expect, test } from 'vitest';
import { type ExecutionStatus, isFinal, timestamp } from '../../src/event/events.ts';

test('a status is final exactly if no event may follow it', () => {
  const final: Record<ExecutionStatus, boolean> = {
    PENDING: false,
    RUNNING: false,
    WAITING: false,
    PAUSED: false,
    SUCCESS: true,
    FAILED: true,
    CANCELED: true,
    TIMED_OUT: true,
    TERMINATED: true,
  };
  for (const [status, expected] of Object.entries(final)) {
    expect(isFinal(status as ExecutionStatus), status).toBe(expected);
  }
});

test('a timestamp has milliseconds and is in UTC', () => {
  expect(timestamp(new Date('2026-03-01T01:02:03+02:00'))).toBe('2026-02-28T23:02:03.000Z');
});
