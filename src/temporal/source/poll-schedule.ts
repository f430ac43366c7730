// How often a run is queried: rarely while nothing changes, and not too often while it changes.

/** How long after a sink's announcement the workflow's worker counts as one that has a sink. */
const SINK_ACTIVE_MS = 10_000;
const MIN_SPACING_MS = 50;

export interface PollSchedule {
  /** A sink announced an event. Times are those of `performance.now()`. */
  recordSink(now: number): void;
  /** The longest time without a query. */
  idleMs(): number;
  /** The shortest time between two queries. */
  spacingMs(now: number): number;
}

export interface PollScheduleOptions {
  /** The shortest interval that a viewer requests, in ms; it changes with the viewers. */
  readonly audience: { readonly pollMs: number };
  readonly slowPollMs: number;
  /** Whether the history is not read, so that queries alone show changes. */
  readonly isCloseOnly: boolean;
}

export function createPollSchedule({ audience, slowPollMs, isCloseOnly }: PollScheduleOptions): PollSchedule {
  let sinkAt = Number.NEGATIVE_INFINITY;
  return {
    recordSink(now) {
      sinkAt = now;
    },
    idleMs: () => (isCloseOnly ? audience.pollMs : slowPollMs),
    spacingMs(now) {
      // With a sink, viewers have the events already, and a query only confirms them.
      if (now - sinkAt < SINK_ACTIVE_MS) return audience.pollMs;
      return Math.max(MIN_SPACING_MS, audience.pollMs / 5);
    },
  };
}
