// When a run with tasks in flight is described, and how often a task is shown.
import { describe, expect, test } from 'vitest';
import { createInFlightSchedule, nextShowAt } from '../../../src/temporal/source/in-flight-schedule.ts';

const NEVER = Number.POSITIVE_INFINITY;
const quiet = { isChanged: false, dueAt: NEVER };
const changed = { isChanged: true, dueAt: NEVER };

describe('the schedule of descriptions', () => {
  test('has the first one soon after a task was opened', () => {
    const schedule = createInFlightSchedule(5_000);
    expect(schedule.nextAt()).toBe(NEVER);
    schedule.opened(1_000);
    schedule.opened(1_200);
    expect(schedule.nextAt()).toBe(1_500);
  });

  test('never describes twice within an interval, however many tasks are opened', () => {
    const schedule = createInFlightSchedule(5_000);
    schedule.opened(1_000);
    schedule.described(1_500, changed);
    expect(schedule.nextAt()).toBe(6_500);
    schedule.opened(2_000);
    expect(schedule.nextAt()).toBe(6_500);
  });

  test('doubles the interval up to eight times while nothing changes', () => {
    const schedule = createInFlightSchedule(5_000);
    schedule.opened(0);
    let now = 500;
    const waits = [];
    for (let i = 0; i < 5; i += 1) {
      schedule.described(now, quiet);
      waits.push(schedule.nextAt() - now);
      now = schedule.nextAt();
    }
    expect(waits).toEqual([10_000, 20_000, 40_000, 40_000, 40_000]);
    // A new task, or a change, ends that.
    schedule.opened(now - 30_000);
    expect(schedule.nextAt()).toBe(now - 29_500);
    schedule.described(now - 29_500, changed);
    expect(schedule.nextAt()).toBe(now - 24_500);
  });

  test('does not wait longer than until the next attempt of a task', () => {
    const schedule = createInFlightSchedule(5_000);
    schedule.opened(0);
    for (let i = 0; i < 4; i += 1) schedule.described(500, quiet);
    schedule.described(500, { isChanged: false, dueAt: 20_000 });
    expect(schedule.nextAt()).toBe(20_500);
    schedule.described(500, { isChanged: false, dueAt: 600 });
    expect(schedule.nextAt()).toBe(5_500);
  });
});

describe('a task', () => {
  /** How often a task is shown that changes all the time, if `tasks` of them do and the run is described every 5 s. */
  const timesShown = (tasks: number, ageMs: number) => {
    let times = 0;
    for (let at = 500; at < ageMs; at = Math.max(at + 5_000, nextShowAt(at, 0, tasks))) times += 1;
    return times;
  };

  test('is shown in every interval at first, and less often the older it is', () => {
    expect(timesShown(1, 60_000)).toBe(12);
    expect(timesShown(1, 3_600_000)).toBe(720);
    expect(timesShown(1, 86_400_000)).toBeLessThan(4_000);
  });

  test('shares the space of the log with the others', () => {
    for (const tasks of [1, 10, 100, 2_000]) {
      const total = tasks * timesShown(tasks, 86_400_000);
      expect(total, `${tasks} tasks`).toBeLessThanOrEqual(20_000);
    }
    // With any number of tasks, each is shown again.
    expect(timesShown(2_000, 3_600_000)).toBeGreaterThan(5);
  });

  test('that was scheduled by a clock ahead of ours may be shown', () => {
    expect(nextShowAt(1_000, 9_000, 5)).toBe(1_000);
  });
});
