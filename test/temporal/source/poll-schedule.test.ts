// When a run is queried.
import { expect, test } from 'vitest';
import { createPollSchedule } from '../../../src/temporal/source/poll-schedule.ts';

const OPTIONS = { audience: { pollMs: 1_000 }, slowPollMs: 15_000, isCloseOnly: false };

/** A schedule whose run was queried at 0. */
function queried(options: Partial<typeof OPTIONS> = {}) {
  const schedule = createPollSchedule({ ...OPTIONS, ...options });
  schedule.recordQuery(0);
  schedule.recordResponse(true);
  return schedule;
}

/** The same, with a sink that has appended everything. */
function withSink(options: Partial<typeof OPTIONS> = {}) {
  const schedule = queried(options);
  schedule.recordSink(true);
  return schedule;
}

test('an idle run is queried every slowPollMs, and every pollMs if its history is not read', () => {
  expect(queried().waitMs(0)).toBe(15_000);
  expect(queried().waitMs(14_000)).toBe(1_000);
  expect(queried({ isCloseOnly: true }).waitMs(0)).toBe(1_000);
});

test('a completed task of a run without a sink is followed by a query, a fifth of pollMs after the one before', () => {
  const schedule = queried();
  schedule.recordTask(10);
  expect(schedule.waitMs(10)).toBe(190);
  expect(schedule.waitMs(500)).toBe(0);
  schedule.recordQuery(500);
  expect(schedule.waitMs(500)).toBe(15_000);
});

test('queries are 50 ms or more apart, and the spacing follows the viewers’ pollMs', () => {
  const audience = { pollMs: 100 };
  const schedule = queried({ audience });
  schedule.recordTask(0);
  expect(schedule.waitMs(0)).toBe(50);
  audience.pollMs = 500;
  expect(schedule.waitMs(0)).toBe(100);
});

test('a task for which the sink appended events needs no query', () => {
  const schedule = withSink();
  schedule.recordTask(100);
  expect(schedule.waitMs(100)).toBe(1_000);
  schedule.recordSink(true);
  expect(schedule.waitMs(100)).toBe(59_900);
});

test('a sink that is late does not count for the task that it has not reached', () => {
  const schedule = withSink();
  schedule.recordTask(100);
  schedule.recordSink(false);
  expect(schedule.waitMs(100)).toBe(1_000);
});

test('checks of a sink that misses nothing become rare', () => {
  const schedule = withSink();
  const checks = [1_000, 2_000, 4_000, 8_000, 15_000, 15_000];
  for (const [i, ms] of checks.entries()) {
    schedule.recordTask(i * 20_000);
    expect(schedule.waitMs(i * 20_000)).toBe(ms);
    schedule.recordQuery(i * 20_000 + ms);
    schedule.recordResponse(false);
  }
});

test('a sink that missed events counts as none until it appends again', () => {
  const schedule = withSink();
  schedule.recordQuery(1_000);
  schedule.recordResponse(true);
  expect(schedule.hasSink).toBe(false);
  schedule.recordTask(2_000);
  expect(schedule.waitMs(2_000)).toBe(0);
  schedule.recordSink(true);
  expect(schedule.hasSink).toBe(true);
  schedule.recordTask(3_000);
  expect(schedule.waitMs(3_000)).toBe(1_000);
});

test('a run with a sink whose history is not read is checked like one without events', () => {
  const schedule = withSink({ isCloseOnly: true });
  expect(schedule.waitMs(0)).toBe(1_000);
  schedule.recordQuery(1_000);
  schedule.recordResponse(false);
  expect(schedule.waitMs(1_000)).toBe(2_000);
});

test('a query that is requested does not wait for the sink', () => {
  const schedule = withSink();
  schedule.requestQuery();
  expect(schedule.waitMs(0)).toBe(200);
  schedule.recordQuery(200);
  expect(schedule.waitMs(200)).toBe(60_000);
});
