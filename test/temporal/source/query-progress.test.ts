// The states of watching a run by its query: whether a query is needed, and what a failed one means.
import { describe, expect, test } from 'vitest';
import type { WorkflowEnd } from '../../../src/temporal/row-end.ts';
import type { HistoryEvent } from '../../../src/temporal/shared/history-event.ts';
import type { TemporalCondition } from '../../../src/temporal/source/errors.ts';
import {
  createQueryProgress,
  type QueryProgressOptions,
} from '../../../src/temporal/source/query-progress.ts';

const SCHEDULED: HistoryEvent = { workflowTaskScheduledEventAttributes: {} };
const STARTED: HistoryEvent = { workflowTaskStartedEventAttributes: {} };
const COMPLETED = completed(7);
const FAILED: HistoryEvent = { workflowTaskFailedEventAttributes: {} };
const TIMER: HistoryEvent = { timerStartedEventAttributes: {} };

function completed(eventId: number): HistoryEvent {
  return { eventId, workflowTaskCompletedEventAttributes: {} } as never;
}

/** A task that started at this second. */
function task(eventId: number, seconds: number): HistoryEvent[] {
  return [{ eventTime: { seconds }, workflowTaskStartedEventAttributes: {} } as never, completed(eventId)];
}

const at = (seconds: number) => new Date(seconds * 1_000).toISOString();

const END: WorkflowEnd = { seq: 2, type: 'complete', ts: at(0), data: { status: 'SUCCESS', durationMs: 1 } };

function progressOf(options: Partial<QueryProgressOptions> = {}) {
  return createQueryProgress({
    ...{ isOpen: true, historyLength: 3, hasResponded: false, isCloseOnly: false },
    ...options,
  });
}

/** A run that has responded for all of its tasks, and has closed. */
function closedAndCovered() {
  const progress = progressOf();
  progress.recordResponse();
  progress.startQuery();
  progress.recordCaughtUp(undefined);
  progress.close(false);
  return progress;
}

describe('the phase of a query watch', () => {
  test('is unstarted until the history shows a workflow task', () => {
    const progress = progressOf({ historyLength: 1 });
    expect(progress.phase).toBe('unstarted');
    progress.observe([TIMER]);
    expect(progress.phase).toBe('unstarted');
    progress.observe([SCHEDULED]);
    expect(progress.phase).toBe('polling');
  });

  test('is polling from the start for a run that has started', () => {
    expect(progressOf().phase).toBe('polling');
  });

  test('stays closed when the history shows more events', () => {
    const progress = progressOf({ historyLength: 1 });
    progress.close(false);
    progress.observe([SCHEDULED]);
    expect(progress.phase).toBe('closed');
  });
});

describe('new events of the history', () => {
  test.each([
    ['a completed task', [SCHEDULED, STARTED, COMPLETED, TIMER], 'task-completed'],
    ['a completed task and the next one', [COMPLETED, SCHEDULED], 'task-completed'],
    ['a scheduled task at the end', [TIMER, SCHEDULED], 'task-scheduled'],
    ['a task that a worker has taken', [SCHEDULED, STARTED], undefined],
    ['no task', [TIMER], undefined],
  ])('with %s mean %3$s', (_, events, news) => {
    expect(progressOf().observe(events)).toBe(news);
  });
});

test('tasks that the history had before the first query are no news, and covered by it', () => {
  const progress = progressOf({ historyLength: 7 });
  progress.startQuery();
  expect(progress.observe([SCHEDULED, STARTED, completed(4), TIMER, COMPLETED])).toBeUndefined();
  progress.recordResponse();
  progress.recordCaughtUp(undefined);
  expect(progress.isBehind).toBe(false);
  expect(progress.observe([completed(12)])).toBe('task-completed');
});

describe('a query that is sent during a workflow task', () => {
  const inProgress = () => {
    const progress = progressOf({ hasResponded: true });
    progress.observe([SCHEDULED]);
    progress.startQuery();
    return progress;
  };

  test('covers that task, before and after the response', () => {
    for (const isEarly of [true, false]) {
      const progress = inProgress();
      if (isEarly) progress.recordCaughtUp(undefined);
      expect(progress.observe([STARTED, COMPLETED])).toBeUndefined();
      if (!isEarly) progress.recordCaughtUp(undefined);
      expect(progress.isBehind).toBe(false);
      expect(progress.observe([completed(12)])).toBe('task-completed');
    }
  });

  test('covers nothing of the task that follows one that failed', () => {
    const progress = inProgress();
    expect(progress.observe([FAILED, SCHEDULED, STARTED, COMPLETED])).toBe('task-completed');
    progress.recordCaughtUp(undefined);
    expect(progress.isBehind).toBe(true);
  });

  test('covers nothing if it fails', () => {
    const progress = inProgress();
    progress.recordFailure('slow-worker');
    progress.observe([COMPLETED]);
    expect(progress.isBehind).toBe(true);
  });
});

describe('an event of the sink', () => {
  test('covers the task that emitted it, before or after the history shows that', () => {
    const progress = progressOf({ hasResponded: true });
    progress.startQuery();
    expect(progress.recordSink(at(10))).toBe(true);
    expect(progress.observe(task(7, 10))).toBeUndefined();
    expect(progress.observe(task(12, 20))).toBe('task-completed');
    expect(progress.isBehind).toBe(true);
    expect(progress.recordSink(at(20))).toBe(true);
    expect(progress.isBehind).toBe(false);
  });

  test('does not cover a later task, or one whose start is not known', () => {
    const progress = progressOf({ hasResponded: true });
    progress.startQuery();
    expect(progress.observe(task(7, 10))).toBe('task-completed');
    expect(progress.recordSink(at(9))).toBe(false);
    const unknown = progressOf({ hasResponded: true });
    unknown.startQuery();
    expect(unknown.observe([COMPLETED])).toBe('task-completed');
    expect(unknown.recordSink(at(10))).toBe(false);
  });

  test('does not cover the end of a run that ended itself', () => {
    for (const needsEnd of [true, false]) {
      const progress = progressOf({ hasResponded: true });
      progress.observe(task(7, 10));
      progress.recordSink(at(10));
      progress.close(needsEnd);
      expect(progress.isBehind).toBe(needsEnd);
    }
  });
});

describe('the cause of a failed query may be gone', () => {
  const unpaused = (eventId: number): HistoryEvent =>
    ({ eventId, workflowExecutionUnpausedEventAttributes: {} }) as never;

  test('when a task was completed, or a pause has ended, since the query was sent', () => {
    for (const [event, news] of [
      [completed(9), 'task-completed'],
      [unpaused(9), 'unpaused'],
    ] as const) {
      const progress = progressOf({ hasResponded: true, historyLength: 8 });
      progress.startQuery();
      progress.recordFailure('not-ready');
      expect(progress.isRecovered).toBe(false);
      expect(progress.observe([event, TIMER])).toBe(news);
      expect(progress.isRecovered).toBe(true);
      progress.startQuery();
      expect(progress.isRecovered).toBe(false);
    }
  });

  test('also if the query was sent during that task', () => {
    for (const isLate of [false, true]) {
      const progress = progressOf({ hasResponded: true, historyLength: 8 });
      progress.observe([SCHEDULED]);
      progress.startQuery();
      if (!isLate) progress.recordFailure('not-ready');
      expect(progress.observe([STARTED, completed(12)])).toBe(isLate ? undefined : 'task-completed');
      expect(progress.isRecovered).toBe(true);
    }
  });

  test('and not because of what the history had before', () => {
    const progress = progressOf({ hasResponded: true, historyLength: 8 });
    progress.startQuery();
    progress.recordFailure('not-ready');
    expect(progress.observe([completed(4), unpaused(6), TIMER])).toBeUndefined();
    expect(progress.isRecovered).toBe(false);
  });
});

test('the terminal event of a response is void once a task has failed', () => {
  const progress = progressOf();
  progress.startQuery();
  progress.recordCaughtUp(END);
  expect(progress.end).toBe(END);
  progress.observe([FAILED]);
  expect(progress.end).toBeUndefined();
  progress.startQuery();
  progress.recordCaughtUp(END);
  expect(progress.end).toBe(END);
  progress.startQuery();
  expect(progress.end).toBeUndefined();
});

describe('a query is needed', () => {
  test('until the run has responded', () => {
    const progress = progressOf();
    expect(progress.isBehind).toBe(true);
    progress.recordResponse();
    expect(progress.isBehind).toBe(false);
  });

  test('while a completed task is not covered by a response', () => {
    const progress = progressOf({ hasResponded: true });
    expect(progress.isBehind).toBe(false);
    progress.observe([COMPLETED]);
    expect(progress.isBehind).toBe(true);
    progress.startQuery();
    progress.recordCaughtUp(undefined);
    expect(progress.isBehind).toBe(false);
  });

  test('by the tasks that were completed while the query was in flight', () => {
    const progress = progressOf({ hasResponded: true });
    progress.observe([COMPLETED]);
    progress.startQuery();
    progress.observe([completed(12)]);
    progress.recordCaughtUp(undefined);
    expect(progress.isBehind).toBe(true);
  });

  test('at first if the run had closed before, though it has responded to an earlier watcher', () => {
    expect(progressOf({ isOpen: false, hasResponded: true }).isBehind).toBe(true);
  });

  test('always, if the history is read for its close event alone', () => {
    const progress = progressOf({ hasResponded: true, isCloseOnly: true });
    progress.startQuery();
    progress.recordCaughtUp(undefined);
    expect(progress.isBehind).toBe(true);
  });
});

describe('a failed query', () => {
  const CONDITIONS: TemporalCondition[] = [
    'query-failed',
    'no-worker',
    'slow-worker',
    'denied',
    'unavailable',
  ];

  test.each(CONDITIONS)('is retried while the run is open (%s)', (condition) => {
    const progress = progressOf();
    for (let i = 1; i <= 3; i += 1) {
      expect(progress.recordFailure(condition)).toBe('retry');
      expect(progress.failures).toBe(i);
    }
    progress.recordResponse();
    progress.startQuery();
    progress.recordCaughtUp(undefined);
    expect(progress.failures).toBe(0);
  });

  test('without a handler leads to the history, in each phase', () => {
    expect(progressOf().recordFailure('no-query')).toBe('use-history');
    const closed = progressOf();
    closed.close(false);
    expect(closed.recordFailure('no-query')).toBe('use-history');
  });

  test('without a handler is retried if the run has responded before', () => {
    expect(progressOf({ hasResponded: true }).recordFailure('no-query')).toBe('retry');
  });

  test.each(['slow-worker', 'unavailable'] as const)(
    'is retried after the close event while tasks are not covered (%s)',
    (condition) => {
      const progress = progressOf();
      progress.observe([COMPLETED]);
      progress.close(false);
      for (let i = 0; i < 5; i += 1) expect(progress.recordFailure(condition)).toBe('retry');
    },
  );

  test('gives up after the close event if there is no worker', () => {
    const progress = progressOf();
    progress.observe([COMPLETED]);
    progress.close(false);
    expect(progress.recordFailure('no-worker')).toBe('give-up');
  });

  test('gives up after the close event at the second failure of the handler', () => {
    const progress = progressOf();
    progress.observe([COMPLETED]);
    progress.recordFailure('query-failed');
    progress.close(false);
    expect(progress.recordFailure('query-failed')).toBe('retry');
    expect(progress.recordFailure('query-failed')).toBe('give-up');
  });

  test('gives up after the close event if there is nothing to get', () => {
    expect(closedAndCovered().recordFailure('slow-worker')).toBe('give-up');
  });

  test('of the open run does not count after the close event', () => {
    const progress = progressOf();
    progress.recordFailure('unavailable');
    progress.close(false);
    expect(progress.failures).toBe(0);
  });
});

describe('the query in flight', () => {
  test('is current if it covers the tasks that were completed, or the one in progress', () => {
    const progress = progressOf();
    progress.startQuery();
    expect(progress.isQueryCurrent).toBe(true);
    progress.observe([COMPLETED]);
    expect(progress.isQueryCurrent).toBe(false);
    progress.startQuery();
    expect(progress.isQueryCurrent).toBe(true);
    progress.observe([SCHEDULED, STARTED]);
    progress.startQuery();
    progress.observe([completed(11)]);
    expect(progress.isQueryCurrent).toBe(true);
  });
});
