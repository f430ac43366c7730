// The states of watching a run by its query: whether a query is needed, and what a failed one means.
import { describe, expect, test } from 'vitest';
import type { HistoryEvent } from '../../../src/temporal/shared/history-event.ts';
import type { TemporalCondition } from '../../../src/temporal/source/errors.ts';
import {
  createQueryProgress,
  type QueryProgressOptions,
} from '../../../src/temporal/source/query-progress.ts';

const SCHEDULED: HistoryEvent = { workflowTaskScheduledEventAttributes: {} };
const STARTED: HistoryEvent = { workflowTaskStartedEventAttributes: {} };
const COMPLETED: HistoryEvent = { workflowTaskCompletedEventAttributes: {} };
const TIMER: HistoryEvent = { timerStartedEventAttributes: {} };

function progressOf(options: Partial<QueryProgressOptions> = {}) {
  return createQueryProgress({
    ...{ isOpen: true, hasStarted: true, hasResponded: false, isCloseOnly: false },
    ...options,
  });
}

/** A run that has responded for all of its tasks, and has closed. */
function closedAndCovered() {
  const progress = progressOf();
  progress.recordResponse();
  progress.recordCaughtUp(progress.startQuery());
  progress.close();
  return progress;
}

describe('the phase of a query watch', () => {
  test('is unstarted until the history shows a workflow task', () => {
    const progress = progressOf({ hasStarted: false });
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
    const progress = progressOf({ hasStarted: false });
    progress.close();
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
    progress.recordCaughtUp(progress.startQuery());
    expect(progress.isBehind).toBe(false);
  });

  test('by the tasks that were completed while the query was in flight', () => {
    const progress = progressOf({ hasResponded: true });
    progress.observe([COMPLETED]);
    const mark = progress.startQuery();
    progress.observe([COMPLETED]);
    progress.recordCaughtUp(mark);
    expect(progress.isBehind).toBe(true);
  });

  test('at first if the run had closed before, though it has responded to an earlier watcher', () => {
    expect(progressOf({ isOpen: false, hasResponded: true }).isBehind).toBe(true);
  });

  test('always, if the history is read for its close event alone', () => {
    const progress = progressOf({ hasResponded: true, isCloseOnly: true });
    progress.recordCaughtUp(progress.startQuery());
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
    progress.recordCaughtUp(progress.startQuery());
    expect(progress.failures).toBe(0);
  });

  test('without a handler leads to the history, in each phase', () => {
    expect(progressOf().recordFailure('no-query')).toBe('use-history');
    const closed = progressOf();
    closed.close();
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
      progress.close();
      for (let i = 0; i < 5; i += 1) expect(progress.recordFailure(condition)).toBe('retry');
    },
  );

  test('gives up after the close event if there is no worker', () => {
    const progress = progressOf();
    progress.observe([COMPLETED]);
    progress.close();
    expect(progress.recordFailure('no-worker')).toBe('give-up');
  });

  test('gives up after the close event at the second failure of the handler', () => {
    const progress = progressOf();
    progress.observe([COMPLETED]);
    progress.recordFailure('query-failed');
    progress.close();
    expect(progress.recordFailure('query-failed')).toBe('retry');
    expect(progress.recordFailure('query-failed')).toBe('give-up');
  });

  test('gives up after the close event if there is nothing to get', () => {
    expect(closedAndCovered().recordFailure('slow-worker')).toBe('give-up');
  });

  test('of the open run does not count after the close event', () => {
    const progress = progressOf();
    progress.recordFailure('unavailable');
    progress.close();
    expect(progress.failures).toBe(0);
  });
});
