// Counts the requests to Temporal, for /metrics.
import type { TemporalCondition } from './errors.ts';
import type { RequestLimiter } from './request-limiter.ts';
import { PRIORITIES, type RequestPriority } from './request-priority.ts';

/**
 * Requests by what they are. `history_wait` is a long poll for new events of a history, and `task_queue` the request for
 * the workers of a task queue; `update` is a poll of a Workflow Stream.
 */
export type RequestKind =
  | 'describe'
  | 'history'
  | 'history_wait'
  | 'query'
  | 'update'
  | 'task_queue'
  | 'list'
  | 'system_info';

/** `aborted`: nobody waits for the response any more. */
export type RequestOutcome = 'ok' | 'aborted' | TemporalCondition;

export interface RequestCount {
  readonly kind: RequestKind;
  readonly outcome: RequestOutcome;
  readonly count: number;
}

export interface RequestQueue {
  readonly priority: RequestPriority;
  /** Requests that wait now. */
  readonly waiting: number;
  /** How long requests have waited in total, in ms. */
  readonly waitedMs: number;
}

/** What a client has sent so far, and what waits. */
export interface RequestMetrics {
  counts(): readonly RequestCount[];
  queues(): readonly RequestQueue[];
}

export interface RequestCounter extends RequestMetrics {
  record(kind: RequestKind, outcome: RequestOutcome): void;
}

export function createRequestCounter(limiter: Pick<RequestLimiter, 'waiting' | 'waitedMs'>): RequestCounter {
  const byKind = new Map<RequestKind, Map<RequestOutcome, number>>();
  return {
    record(kind, outcome) {
      const outcomes = byKind.get(kind) ?? new Map<RequestOutcome, number>();
      byKind.set(kind, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1));
    },
    counts: () =>
      [...byKind].flatMap(([kind, outcomes]) =>
        [...outcomes].map(([outcome, count]) => ({ kind, outcome, count })),
      ),
    queues: () =>
      PRIORITIES.map((priority) => ({
        priority,
        waiting: limiter.waiting(priority),
        waitedMs: limiter.waitedMs(priority),
      })),
  };
}
