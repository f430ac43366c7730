// When a run is described: soon after a task was opened, and less and less often while nothing changes. And how often a task
// may be shown, so that its log does not consist of progress.

/** How soon a new task is described: most tasks that take longer have started by then. */
const SETTLE_MS = 500;
/** How often the interval is doubled while nothing changes. */
const MAX_DOUBLINGS = 3;

/** What a description of the run showed. */
export interface RoundResult {
  /** Whether events were appended, or more are to be. */
  readonly isChanged: boolean;
  /** When a change is expected, in ms since 1970; Infinity if none is. */
  readonly dueAt: number;
}

export interface InFlightSchedule {
  /** A task was opened. Times are in ms since 1970. */
  opened(now: number): void;
  /** The run was described. */
  described(now: number, result: RoundResult): void;
  /** When to describe it next. */
  nextAt(): number;
}

/** @param intervalMs the shortest time between two descriptions */
export function createInFlightSchedule(intervalMs: number): InFlightSchedule {
  let describedAt: number | undefined;
  let openedAt = Number.POSITIVE_INFINITY;
  let last: RoundResult = { isChanged: true, dueAt: Number.POSITIVE_INFINITY };
  let quietRounds = 0;
  return {
    opened(now) {
      openedAt = Math.min(openedAt, now);
    },
    described(now, result) {
      describedAt = now;
      openedAt = Number.POSITIVE_INFINITY;
      quietRounds = result.isChanged ? 0 : quietRounds + 1;
      last = result;
    },
    nextAt() {
      const settle = Math.min(SETTLE_MS, intervalMs);
      if (describedAt === undefined) return openedAt + settle;
      const regular = describedAt + intervalMs * 2 ** Math.min(quietRounds, MAX_DOUBLINGS);
      const wanted = Math.min(openedAt + settle, last.dueAt + settle, regular);
      return Math.max(wanted, describedAt + intervalMs);
    },
  };
}

/** How many times longer the age of a task is than the time for which it is not shown again, if it is the only one. */
const AGE_PER_PAUSE = 1_000;

/**
 * When a task may be shown again. The pause grows with the age of the task and with the number of tasks, so that a run gets a
 * few thousand such events a day, however many tasks it has and however often they report.
 * @param shownAt when it was shown last, in ms since 1970
 */
export function nextShowAt(shownAt: number, scheduledAt: number, tasks: number): number {
  return shownAt + (Math.max(0, shownAt - scheduledAt) * tasks) / AGE_PER_PAUSE;
}
