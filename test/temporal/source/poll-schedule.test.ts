// How often a run is queried.
import { expect, test } from 'vitest';
import { createPollSchedule } from '../../../src/temporal/source/poll-schedule.ts';

const OPTIONS = { audience: { pollMs: 1_000 }, slowPollMs: 15_000, isCloseOnly: false };

test('an idle run is queried every slowPollMs, and every pollMs if its history is not read', () => {
  expect(createPollSchedule(OPTIONS).idleMs()).toBe(15_000);
  expect(createPollSchedule({ ...OPTIONS, isCloseOnly: true }).idleMs()).toBe(1_000);
});

test('queries of a run without a sink are a fifth of pollMs apart, but at least 50 ms', () => {
  expect(createPollSchedule(OPTIONS).spacingMs(0)).toBe(200);
  expect(createPollSchedule({ ...OPTIONS, audience: { pollMs: 100 } }).spacingMs(0)).toBe(50);
});

test('queries of a run whose sink announced an event within 10 s are pollMs apart', () => {
  const schedule = createPollSchedule(OPTIONS);
  schedule.recordSink(5_000);
  expect(schedule.spacingMs(14_999)).toBe(1_000);
  expect(schedule.spacingMs(15_000)).toBe(200);
});

test('the schedule follows the viewers’ pollMs', () => {
  const audience = { pollMs: 1_000 };
  const schedule = createPollSchedule({ ...OPTIONS, audience });
  audience.pollMs = 500;
  expect(schedule.spacingMs(0)).toBe(100);
});
