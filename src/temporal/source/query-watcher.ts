// Watches a run that responds to our query. Signs of change (its history, a sink's announcement) are coalesced into one
// query at a time, and the events of its result go into the log.
//
// Invariants
// 1. One query at a time, spaced as poll-schedule.ts says: the server rejects a second query during a workflow task.
// 2. A terminal event in a result is held back until the history shows that the run closed the same way.
// 3. Events that a sink appended are queried anyway, and compared by the log.
// 4. If workflow tasks were completed since the last response, a run that closed is queried until it responds or
//    `finalQueryTimeoutMs` is over: its last events come before its end.
import { backoff } from '../../async/backoff.ts';
import { delay } from '../../async/delay.ts';
import { createSignal } from '../../async/signal.ts';
import type { Announcement } from '../../log/log.ts';
import type { WorkflowEnd } from '../row-end.ts';
import type { CloseEvent } from '../shared/close-event.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import { isTemporalError } from './errors.ts';
import { followHistory } from './history-reader.ts';
import { createPollSchedule } from './poll-schedule.ts';
import { createQueryCopier } from './query-copier.ts';
import { createQueryProgress } from './query-progress.ts';
import type { WorkflowRun } from './temporal-client.ts';
import type { WatchContext, WatchOutcome } from './watch-context.ts';

/** Why the watch of a run stopped. `no-query`: it has no handler for our query, and its history is to be used. */
type Stop = { readonly stop: WatchOutcome | 'no-query' };

/** How the watch of a run ended. */
export type QueryWatchResult =
  | Stop
  | {
      readonly close: CloseEvent;
      /** The workflow's own terminal event, if it could be queried. */
      readonly ownEnd: WorkflowEnd | undefined;
      /** Whether the run has responded to the query, now or before. */
      readonly hasResponded: boolean;
    };

/** Above this number of events the history is not read, and the workflow is queried every `pollMs`. */
const LONG_HISTORY = 5_000;

/**
 * Watches a run until it closes.
 * @param hasResponded whether this run is known to respond to the query: then a worker that has no handler is at fault.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` if log or store are unavailable; TemporalError `unknown-workflow`.
 */
export async function watchByQuery(
  context: WatchContext,
  run: WorkflowRun,
  hasResponded: boolean,
): Promise<QueryWatchResult> {
  const { temporal, log, executionId, copy, audience, warnings, times } = context;
  const isCloseOnly = run.historyLength > LONG_HISTORY;
  const { isOpen } = run;
  const progress = createQueryProgress({
    isOpen,
    hasStarted: run.historyLength > 1,
    hasResponded,
    isCloseOnly,
  });
  const schedule = createPollSchedule({ audience, slowPollMs: times.slowPollMs, isCloseOnly });
  const copier = createQueryCopier(context, run, progress);
  const changed = createSignal();
  const watchEnd = new AbortController();
  const signal = AbortSignal.any([context.signal, watchEnd.signal]);
  let stallTimer: NodeJS.Timeout | undefined;

  function onEvents(events: readonly HistoryEvent[]): undefined {
    clearTimeout(stallTimer);
    const news = progress.observe(events);
    if (news === 'task-completed') changed.set();
    // If no worker takes the task, a query determines why.
    if (news === 'task-scheduled') stallTimer = setTimeout(changed.set, times.taskStallMs).unref();
  }

  function onAnnouncement({ epoch, events }: Announcement): void {
    // Announcements of this watcher's appends are not changes.
    if (epoch === copy.epoch && (events.at(-1)?.seq ?? 0) <= copy.sent) return;
    schedule.recordSink(performance.now());
    changed.set();
  }

  /** Queries the open run whenever it changes, until the signal aborts. */
  async function poll(pollSignal: AbortSignal): Promise<Stop | undefined> {
    while (progress.phase === 'unstarted' && !pollSignal.aborted) await changed.wait(times.slowPollMs);
    while (!pollSignal.aborted) {
      const queriedAt = performance.now();
      try {
        const copied = await copier.copyAll(pollSignal);
        if ('stop' in copied) return copied;
      } catch (error) {
        if (!isTemporalError(error)) throw error;
        if (pollSignal.aborted) return undefined;
        if (progress.recordFailure(error.condition) === 'use-history') return { stop: 'no-query' };
        warnings.add('query', error);
      }
      const retryMs = progress.failures > 0 ? backoff(times.retryMs, progress.failures) : undefined;
      await changed.wait(retryMs ?? schedule.idleMs());
      const now = performance.now();
      await delay(Math.max(0, (retryMs ?? schedule.spacingMs(now)) - (now - queriedAt)), pollSignal);
    }
    return undefined;
  }

  /** Queries the closed run for the events before its end. */
  async function queryLast(close: CloseEvent): Promise<QueryWatchResult> {
    // A run that had closed before the watch may not have had a worker for a long time.
    const timeout = AbortSignal.timeout(times.finalQueryTimeoutMs / (isOpen ? 1 : 3));
    const querySignal = AbortSignal.any([signal, timeout]);
    while (progress.isBehind && (await temporal.hasWorker(run).catch(() => true))) {
      try {
        const copied = await copier.copyAll(querySignal);
        return 'stop' in copied ? copied : { close, ownEnd: copied.end, hasResponded: true };
      } catch (error) {
        if (!isTemporalError(error)) throw error;
        const action = progress.recordFailure(error.condition);
        if (action === 'use-history') return { stop: 'no-query' };
        if (action === 'give-up') break;
      }
      await delay(backoff(times.retryMs, progress.failures), querySignal);
      if (querySignal.aborted) break;
    }
    return { close, ownEnd: undefined, hasResponded: progress.hasResponded };
  }

  const unlisten = await log.listen(executionId, { onAnnouncement, onInterruption: changed.set });
  try {
    const pollEnd = new AbortController();
    const closing = followHistory({ temporal, run, isCloseOnly, warnings, times, signal, onEvents })
      .then((close) => {
        if (close) progress.close();
        return close;
      })
      .finally(() => {
        pollEnd.abort();
        changed.set();
      });
    // Handled below, unless polling stops first.
    closing.catch(() => {});
    // The query in flight is aborted when the run closes, and awaited: two writers would not know of each other.
    const polled = isOpen ? await poll(AbortSignal.any([signal, pollEnd.signal])) : undefined;
    // A run without a handler that has closed is queried once more.
    if (polled && !(polled.stop === 'no-query' && progress.phase === 'closed')) return polled;
    const close = await closing;
    return close ? await queryLast(close) : { stop: 'interrupted' };
  } finally {
    watchEnd.abort();
    clearTimeout(stallTimer);
    changed.set();
    await unlisten().catch(() => {});
  }
}
