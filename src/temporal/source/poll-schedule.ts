// When a run is queried: soon after it changed, rarely while nothing changes, and hardly at all while the sink of its
// worker appends the events.
//
// Invariants
// 1. Without a sink, a query follows each completed workflow task, `pollMs / 5` after the one before.
// 2. With a sink, a query follows only if the sink appended nothing for a completed task: after a second, and after
//    twice as long each time that the query found nothing that the log lacked.
// 3. A sink that missed events counts as none until it appends again.
const MIN_SPACING_MS = 50;
const FIRST_CHECK_MS = 1_000;
/** With a sink that works, an idle run is queried this much less often. */
const SINK_IDLE_FACTOR = 4;

/** All times are those of `performance.now()`. */
export interface PollSchedule {
  /** Whether the sink of the worker appends the events. */
  readonly hasSink: boolean;
  /** A workflow task was completed that no query covers. */
  recordTask(now: number): void;
  /**
   * The sink appended events.
   * @param isCurrent whether the log is up to date
   */
  recordSink(isCurrent: boolean): void;
  /** The run must be queried, whether it has a sink or not. */
  requestQuery(): void;
  /** A query is sent. */
  recordQuery(now: number): void;
  /** @param hasMissed whether the response had events that the sink should have appended */
  recordResponse(hasMissed: boolean): void;
  /** How long to wait for the next query, in ms, unless anything is recorded in the meantime. */
  waitMs(now: number): number;
}

export interface PollScheduleOptions {
  /** The shortest interval that a viewer requests, in ms; it changes with the viewers. */
  readonly audience: { readonly pollMs: number };
  readonly slowPollMs: number;
  /** Whether the history is not read, so that queries alone show changes. */
  readonly isCloseOnly: boolean;
}

export function createPollSchedule({ audience, slowPollMs, isCloseOnly }: PollScheduleOptions): PollSchedule {
  let hasSink = false;
  let queriedAt = Number.NEGATIVE_INFINITY;
  /** When the first completed task was reported that neither a query nor the sink covers. */
  let taskAt: number | undefined;
  let isRequested = false;
  let checkMs = FIRST_CHECK_MS;

  function dueAt(): number {
    const nextAt = queriedAt + Math.max(MIN_SPACING_MS, audience.pollMs / 5);
    if (isRequested) return nextAt;
    if (taskAt !== undefined) return hasSink ? Math.max(nextAt, taskAt + checkMs) : nextAt;
    if (isCloseOnly) return queriedAt + (hasSink ? checkMs : audience.pollMs);
    return queriedAt + slowPollMs * (hasSink ? SINK_IDLE_FACTOR : 1);
  }

  return {
    get hasSink() {
      return hasSink;
    },
    recordTask(now) {
      taskAt ??= now;
    },
    recordSink(isCurrent) {
      hasSink = true;
      if (isCurrent) taskAt = undefined;
    },
    requestQuery() {
      isRequested = true;
    },
    recordQuery(now) {
      queriedAt = now;
      taskAt = undefined;
      isRequested = false;
    },
    recordResponse(hasMissed) {
      if (hasMissed) hasSink = false;
      checkMs = hasMissed || !hasSink ? FIRST_CHECK_MS : Math.min(checkMs * 2, slowPollMs);
    },
    waitMs: (now) => Math.max(0, dueAt() - now),
  };
}
