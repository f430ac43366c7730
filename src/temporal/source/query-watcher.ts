// Watches a run that answers our query. Its changes ring a bell (its history, a sink's announcement); each ring leads
// to one question, coalesced, and what it answers goes into the log.
//
// Invariants
// 1. One question at a time, and none sooner after another than `spacingMs` says: two at once during a workflow task
//    are refused by the server.
// 2. A terminal event in an answer is not told: it is held until the history says that the run has closed so.
// 3. What a sink has told already is asked for all the same, and compared by the log.
// 4. A workflow speaks in its workflow tasks alone. Where one was completed since the last answer, a run that closed is
//    asked until it has answered or `lastWordsMs` are over: its last events come before its end.

import { backoff } from '../../async/backoff.ts';
import { delay } from '../../async/delay.ts';
import { createSignal } from '../../async/signal.ts';
import { isFinal, type OpenStatus } from '../../event/events.ts';
import type { Announcement } from '../../log/log.ts';
import type { StreamPage, WorkflowEvent } from '../shared/stream-query.ts';
import type { Close } from './close-event.ts';
import { isTemporalError, type TemporalError } from './errors.ts';
import { followHistory } from './history-reader.ts';
import { eventsBefore } from './previous-run-events.ts';
import { startProvisionally } from './provisional-start.ts';
import { readPage, splitEnd } from './query-page.ts';
import type { HistoryEvent, WorkflowRun } from './temporal-client.ts';
import type { WatchContext, WatchOutcome } from './watch-context.ts';

/** How the watch of a run is over. `no-query`: it does not answer our query, and its history is to be used. */
export type RunOutcome =
  | {
      readonly close: Close;
      readonly end: WorkflowEvent<'complete' | 'error'> | undefined;
      /** Whether the run has answered the query, now or before. */
      readonly isOurs: boolean;
    }
  | { readonly stop: WatchOutcome | 'no-query' };

/** Histories above this are not read for their news: the workflow is asked every `pollMs` then. */
const LONG_HISTORY = 5_000;
/** For so long after a sink's announcement its workflow's worker counts as one that has a sink. */
const SINK_LIVES_MS = 10_000;

interface Pumped {
  readonly stop?: WatchOutcome;
  readonly end?: WorkflowEvent<'complete' | 'error'> | undefined;
}

/**
 * Watches a run until it closes.
 * @param hasAnswered whether this run is known to answer the query: then a worker that says otherwise is at fault.
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` where log or store do not answer; TemporalError `unknown-workflow`.
 */
export async function watchByQuery(
  watched: WatchContext,
  run: WorkflowRun,
  hasAnswered: boolean,
): Promise<RunOutcome> {
  const { temporal, log, store, executionId, copy, audience, warnings: troubles, times } = watched;
  const bell = createSignal();
  const over = new AbortController();
  const signal = AbortSignal.any([watched.signal, over.signal]);
  const isCloseOnly = run.historyLength > LONG_HISTORY;
  let sinkHeardAt = Number.NEGATIVE_INFINITY;
  let sent = 0;
  let answered = hasAnswered;
  let toldStatus: string | undefined;
  /** Questions that failed, in a row. */
  let failures = 0;
  /** Workflow tasks that were completed, and how many of them an answer covers. A history read for its close tells none. */
  let spoken = isCloseOnly || !run.isOpen ? 1 : 0;
  let heard = 0;
  /** A cron run, a retry or a delayed start waits without a workflow task: nobody can be asked until there is one. */
  let hasBegun = run.historyLength > 1;
  let stuck: NodeJS.Timeout | undefined;

  function onEvents(events: readonly HistoryEvent[]): void {
    clearTimeout(stuck);
    const last = events.at(-1)!;
    hasBegun ||= events.some((event) => event.workflowTaskScheduledEventAttributes);
    const completed = events.filter((event) => event.workflowTaskCompletedEventAttributes).length;
    spoken += completed;
    if (completed > 0) bell.set();
    // A task that nobody takes up: the question finds out why.
    else if (last.workflowTaskScheduledEventAttributes)
      stuck = setTimeout(bell.set, times.taskStallMs).unref();
  }

  function onAnnouncement({ epoch, events }: Announcement): void {
    if (epoch === copy.epoch && (events.at(-1)?.seq ?? 0) <= sent) return;
    sinkHeardAt = performance.now();
    bell.set();
  }

  function spacingMs(): number {
    if (performance.now() - sinkHeardAt < SINK_LIVES_MS) return audience.pollMs;
    return Math.max(50, audience.pollMs / 5);
  }

  /** Brings all that the workflow says now. */
  async function pump(asking: AbortSignal): Promise<Pumped> {
    const covered = isCloseOnly ? 0 : spoken;
    for (;;) {
      const since = copy.confirmed;
      const page = readPage(await temporal.query(run, since, asking), run, since);
      answered = true;
      troubles.over('query');
      const { epoch, runId } = page;
      const { startedAt: runStartedAt } = run;
      const entered = await copy.enter({ epoch, runId, runStartedAt, attempt: page.attempt });
      if (entered !== 'done') return { stop: entered === 'again' ? 'fenced' : entered };
      if (copy.confirmed < since) continue;
      const { told, end } = splitEnd(await wholePage(page));
      sent = Math.max(copy.confirmed, told.at(-1)?.seq ?? 0);
      const outcome = await copy.append(told);
      if (outcome === 'again') continue;
      if (outcome !== 'done') return { stop: outcome };
      await setStatus(page);
      if (end || copy.confirmed >= page.next - 1 || page.events.length === 0) {
        heard = covered;
        return { end };
      }
    }
  }

  /** What follows on `confirmed`, together with what the run itself has let go of. */
  async function wholePage(page: StreamPage): Promise<readonly WorkflowEvent[]> {
    if (page.base <= copy.confirmed) return page.events;
    return [...(await eventsBefore(temporal, run, page, copy.confirmed)), ...page.events];
  }

  async function setStatus({ status }: StreamPage): Promise<void> {
    if (status === toldStatus || isFinal(status)) return;
    toldStatus = status;
    const row = await store.get(executionId);
    if (row && row.status !== status) await store.setStatus(executionId, row.attempt, status as OpenStatus);
  }

  async function askOn(asking: AbortSignal): Promise<WatchOutcome | 'no-query' | undefined> {
    if (!hasBegun && (await startProvisionally(watched, run))) sent = 1;
    while (!hasBegun && !asking.aborted) await bell.wait(times.slowPollMs);
    while (!asking.aborted) {
      const askedAt = performance.now();
      try {
        const { stop } = await pump(asking);
        if (stop) return stop;
        failures = 0;
      } catch (error) {
        if (!isTemporalError(error)) throw error;
        if (asking.aborted) return undefined;
        if (error.condition === 'no-query' && !answered) return 'no-query';
        failures += 1;
        if (!answered && (await startProvisionally(watched, run))) sent = 1;
        troubles.add('query', error);
      }
      const retryMs = failures > 0 ? backoff(times.retryMs, failures) : undefined;
      const unaskedMs = isCloseOnly ? audience.pollMs : times.slowPollMs;
      await bell.wait(retryMs ?? unaskedMs);
      await delay(Math.max(0, (retryMs ?? spacingMs()) - (performance.now() - askedAt)), asking);
    }
    return undefined;
  }

  async function askLast(): Promise<Pumped> {
    // One that had closed before anyone watched may have had no worker for long.
    const patience = AbortSignal.timeout(times.finalQueryTimeoutMs / (run.isOpen ? 1 : 3));
    const listening = AbortSignal.any([signal, patience]);
    for (let tries = 1; !answered || heard < spoken; tries += 1) {
      try {
        return await pump(listening);
      } catch (error) {
        if (!isTemporalError(error)) throw error;
        if (error.condition === 'no-query' && !answered) throw error;
        if (heard === spoken || isLasting(error, tries)) break;
      }
      await delay(backoff(times.retryMs, tries), listening);
      if (listening.aborted) break;
    }
    return {};
  }

  /** Whether asking again would bring the same: nobody polls for the workflow, or its handler cannot answer. */
  function isLasting({ condition }: TemporalError, tries: number): boolean {
    return condition === 'no-worker' || (condition === 'query-failed' && tries > 1);
  }

  const unlisten = await log.listen(executionId, { onAnnouncement, onInterruption: bell.set });
  let close: Close | undefined;
  try {
    const asking = new AbortController();
    const closing = followHistory({ temporal, run, isCloseOnly, troubles, times, signal, onEvents })
      .then((found) => {
        close = found;
      })
      .finally(() => {
        asking.abort();
        bell.set();
      });
    // A run that has closed is asked once its close is known, and once only.
    const asked = run.isOpen
      ? askOn(AbortSignal.any([signal, asking.signal]))
      : closing.then(() => undefined);
    const stop = await Promise.race([asked, closing.then(() => undefined)]);
    if (stop) return { stop };
    await closing;
    // The question under way is given up; two hands on one log would not know of each other.
    const stopped = await asked;
    if (stopped && stopped !== 'no-query') return { stop: stopped };
    if (!close) return { stop: 'left' };
    const last = await askLast().catch((error) => {
      if (isTemporalError(error, 'no-query')) return { stop: 'no-query' as const };
      throw error;
    });
    if (last.stop) return { stop: last.stop };
    return { close, end: 'end' in last ? last.end : undefined, isOurs: answered };
  } finally {
    over.abort();
    clearTimeout(stuck);
    bell.set();
    await unlisten().catch(() => {});
  }
}
