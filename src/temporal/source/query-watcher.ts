// Watches a run that responds to our query. Signs of change (its history, a sink's announcement) are coalesced into one
// query at a time, and the events of its result go into the log.
//
// Invariants
// 1. One query at a time, spaced as poll-schedule.ts says: the server rejects a second query during a workflow task.
// 2. A terminal event in a result is held back until the history shows that the run closed the same way.
// 3. Events that the sink of the worker appended are compared with those of the next query, which may be much later.
// 4. If workflow tasks were completed since the last response, a run that closed is queried until it responds or
//    `finalQueryTimeoutMs` is over: its last events come before its end. A working sink appends the end itself.
// 5. No query is cancelled: the worker would log a warning for each.
import { backoff } from '../../async/backoff.ts';
import { delay } from '../../async/delay.ts';
import { createSignal } from '../../async/signal.ts';
import { isTerminal } from '../../event/events.ts';
import type { Announcement } from '../../log/log.ts';
import { type CloseEvent, endedItself } from '../shared/close-event.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import { dependsOnWorker, isTemporalError, type TemporalError } from './errors.ts';
import { type ClosedByQuery, queryLast, type Stop } from './final-query.ts';
import { followHistory, startsTask } from './history-reader.ts';
import { createPollSchedule } from './poll-schedule.ts';
import { createQueryCopier, type QueryCopier } from './query-copier.ts';
import { createQueryProgress } from './query-progress.ts';
import { createRowStatus } from './row-status.ts';
import type { WorkflowRun } from './temporal-client.ts';
import type { WatchContext } from './watch-context.ts';

export interface QueryWatchOptions {
  /** Whether this run is known to respond to the query: then a worker that has no handler is at fault. */
  readonly hasResponded: boolean;
  /** A result of the query for all events, which takes the place of the first one. */
  readonly firstResult: unknown;
}

/** Above this number of events the history is not read, and the workflow is queried every `pollMs`. */
const LONG_HISTORY = 5_000;

/**
 * How long a query in flight that has the end may take when the run has closed: its worker may have left. Another query
 * would wait in the same place, and a worker that is busy would have both.
 */
const IN_FLIGHT_MS = 1_500;
/** How long the history is left alone while a sink works: its end then comes from the sink. */
const SINK_PAUSE_MS = 250;
/** How long it is left alone while a workflow task is in progress: its completion then needs one request more, not two. */
const TASK_PAUSE_MS = 15;
/** How long a working sink may take to append the end of a run that has closed. */
const SINK_END_MS = 250;

/**
 * Watches a run until it closes.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` if log or store are unavailable; TemporalError `unknown-workflow`.
 */
export async function watchByQuery(
  context: WatchContext,
  run: WorkflowRun,
  { hasResponded, firstResult }: QueryWatchOptions,
): Promise<Stop | ClosedByQuery> {
  const { temporal, log, executionId, copy, audience, warnings, times } = context;
  const { isOpen, historyLength } = run;
  const isCloseOnly = historyLength > LONG_HISTORY;
  const progress = createQueryProgress({ isOpen, historyLength, hasResponded, isCloseOnly });
  const schedule = createPollSchedule({ audience, slowPollMs: times.slowPollMs, isCloseOnly });
  const rowStatus = createRowStatus(context);
  const copier = createQueryCopier(context, run, { progress, rowStatus, firstResult });
  const changed = createSignal();
  const watchEnd = new AbortController();
  const signal = AbortSignal.any([context.signal, watchEnd.signal]);
  let stallTimer: NodeJS.Timeout | undefined;
  /** The seq of the last event that the sink appended. */
  let sinkSeq = 0;
  /** Aborts when the sink has appended the end. */
  const sinkEnd = new AbortController();

  function requestQuery(): void {
    schedule.requestQuery();
    changed.set();
  }

  function onEvents(events: readonly HistoryEvent[]): undefined {
    clearTimeout(stallTimer);
    rowStatus.observe(events).catch(() => {});
    const news = progress.observe(events);
    if (news === 'task-completed') schedule.recordTask(performance.now());
    if (news === 'task-completed' || progress.isRecovered) changed.set();
    // Queries failed during the pause, so events from before it may be missing.
    if (news === 'unpaused') requestQuery();
    // If no worker takes the task, a query determines why.
    if (news === 'task-scheduled') stallTimer = setTimeout(requestQuery, times.taskStallMs).unref();
  }

  function onAnnouncement({ epoch, events }: Announcement): void {
    const last = events.at(-1)!;
    // Announcements of this watcher's appends are not changes.
    if (epoch === copy.epoch && last.seq <= copy.sent) return;
    if (copy.epoch !== '' && epoch !== copy.epoch) {
      requestQuery();
      return;
    }
    sinkSeq = last.seq;
    if (epoch === copy.epoch) copy.recordHead(last.seq);
    schedule.recordSink(progress.recordSink(last.ts));
    changed.set();
    if (isTerminal(last.type)) sinkEnd.abort();
    const status = events.findLast((event) => event.type === 'workflow_status');
    if (status) rowStatus.set(status.data.status).catch(() => {});
  }

  const copyAll: QueryCopier['copyAll'] = async (querySignal, options) => {
    const onSent = () => schedule.recordQuery(performance.now());
    onSent();
    const copied = await copier.copyAll(querySignal, { ...options, onSent });
    if ('lastSeq' in copied) schedule.recordResponse(copied.lastSeq > sinkSeq);
    return copied;
  };

  /** Queries the open run whenever it changes, until the signal aborts. */
  async function poll(pollSignal: AbortSignal, querySignal: AbortSignal): Promise<Stop | undefined> {
    while (progress.phase === 'unstarted' && !pollSignal.aborted) await changed.wait(times.slowPollMs);
    while (!pollSignal.aborted) {
      const queriedAt = performance.now();
      try {
        const priority = progress.failures > 0 && !progress.isRecovered ? 'retry' : 'poll';
        const copied = await copyAll(querySignal, { priority, queueSignal: pollSignal });
        if ('stop' in copied) return copied;
        while (!pollSignal.aborted) {
          const ms = schedule.waitMs(performance.now());
          if (ms === 0) break;
          await changed.wait(ms);
        }
      } catch (error) {
        if (!isTemporalError(error)) throw error;
        if (pollSignal.aborted) return undefined;
        if (progress.recordFailure(error.condition) === 'use-history') return { stop: 'no-query' };
        warnings.add('query', error);
        await waitToRetry(error, queriedAt, pollSignal);
      }
    }
    return undefined;
  }

  /** Waits for the backoff, or until the history shows that the cause of the failure may be gone. */
  async function waitToRetry(
    error: TemporalError,
    queriedAt: number,
    pollSignal: AbortSignal,
  ): Promise<void> {
    const retryAt = queriedAt + backoff(times.retryMs, progress.failures);
    while (!pollSignal.aborted) {
      const now = performance.now();
      const isRecovered = progress.isRecovered && dependsOnWorker(error);
      if (isRecovered) schedule.requestQuery();
      const ms = Math.min(retryAt - now, isRecovered ? schedule.waitMs(now) : Number.POSITIVE_INFINITY);
      if (ms <= 0) return;
      await changed.wait(ms);
    }
  }

  /** Waits for the end that the sink appends, if there is one that works. */
  async function hasSinkEnd(close: CloseEvent): Promise<boolean> {
    if (!schedule.hasSink || !endedItself(close)) return false;
    await delay(SINK_END_MS, AbortSignal.any([signal, sinkEnd.signal]));
    return sinkEnd.signal.aborted;
  }

  const unlisten = await log.listen(executionId, { onAnnouncement, onInterruption: requestQuery });
  try {
    const pollEnd = new AbortController();
    const flightEnd = new AbortController();
    // The events of a workflow task are three pages without a pause.
    const pauseMs = (events: readonly HistoryEvent[]) => {
      if (schedule.hasSink) return SINK_PAUSE_MS;
      return startsTask(events.at(-1)!) ? TASK_PAUSE_MS : 0;
    };
    const closing = followHistory({ temporal, run, isCloseOnly, warnings, times, signal, onEvents, pauseMs })
      .then((close) => {
        if (close) progress.close(endedItself(close));
        return close;
      })
      .finally(() => {
        pollEnd.abort();
        changed.set();
        // A response that lacks the last events is of no use any more.
        if (!progress.isQueryCurrent) flightEnd.abort();
        setTimeout(() => flightEnd.abort(), IN_FLIGHT_MS).unref();
      });
    // Handled below, unless polling stops first.
    closing.catch(() => {});
    // A query in flight when the run closes usually has the end, and is awaited then.
    const polled = isOpen
      ? await poll(AbortSignal.any([signal, pollEnd.signal]), AbortSignal.any([signal, flightEnd.signal]))
      : undefined;
    // A run without a handler that has closed is queried once more.
    if (polled && !(polled.stop === 'no-query' && progress.phase === 'closed')) return polled;
    const close = await closing;
    if (!close) return { stop: 'interrupted' };
    if (await hasSinkEnd(close)) return { stop: 'ended' };
    return await queryLast(context, run, close, copyAll, progress, signal);
  } finally {
    watchEnd.abort();
    clearTimeout(stallTimer);
    changed.set();
    await unlisten().catch(() => {});
  }
}
