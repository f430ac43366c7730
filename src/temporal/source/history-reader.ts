// Reads the history of one run as it grows, up to its close event. It needs no worker.
//
// After the history of a run whose workflow task failed, the server shows the task that it tries next, under event ids
// that are not assigned yet: other events may get these ids. So a workflow task's start at the end of a page does not
// count as read.
//
// Temporal has no long poll for a paused workflow: it responds immediately, and without the token of a next page. The last
// page is then read repeatedly, so that the stream continues soon after the pause.
import { backoff } from '../../async/backoff.ts';
import { delay } from '../../async/delay.ts';
import { type CloseEvent, parseCloseEvent } from '../shared/close-event.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import { isTemporalError, isTransient } from './errors.ts';
import type { TemporalClient, WorkflowRef } from './temporal-client.ts';
import type { ActiveWarnings, WatchTimes } from './watch-context.ts';

/** Between two reads while the workflow is paused: the first time, and the longest. */
const PAUSED_MS = { first: 250, max: 1_000 };

export interface FollowHistoryOptions {
  readonly temporal: TemporalClient;
  readonly run: WorkflowRef;
  /** Whether to read the close event alone, for a history that is too long to read. */
  readonly isCloseOnly: boolean;
  readonly warnings: ActiveWarnings;
  readonly times: WatchTimes;
  readonly signal: AbortSignal;
  /**
   * Reads more of new events, before `onEvents` receives them. If it fails, they are requested again.
   * @default nothing
   */
  readonly prepare?: (events: readonly HistoryEvent[]) => Promise<void>;
  /**
   * How long to wait after a page with these events, in ms, so that the next one has more.
   * @default none
   */
  readonly pauseMs?: (events: readonly HistoryEvent[]) => number;
  /**
   * Receives each event once and in order, except for the start of a workflow task, which may repeat. `stop` ends the
   * reading, and so does a rejection.
   */
  readonly onEvents: (events: readonly HistoryEvent[]) => 'stop' | undefined | Promise<'stop' | undefined>;
}

/**
 * Reads until the run closes, and retries calls that fail.
 * @returns how the run closed; undefined if the signal aborted or `onEvents` stopped the reading.
 * @throws TemporalError `unknown-workflow` if Temporal no longer has the run; what `onEvents` throws.
 */
export async function followHistory(options: FollowHistoryOptions): Promise<CloseEvent | undefined> {
  const { temporal, run, isCloseOnly, warnings, times, signal, prepare, onEvents, pauseMs } = options;
  let from: Uint8Array | undefined;
  let lastId = 0;
  let failures = 0;
  let pausedReads = 0;
  while (!signal.aborted) {
    let page: Awaited<ReturnType<TemporalClient['history']>>;
    let events: readonly HistoryEvent[];
    try {
      page = await temporal.history({ run, from, isCloseOnly, isWaiting: true }, signal);
      events = page.events.filter(({ eventId }) => Number(eventId) > lastId);
      await prepare?.(events);
    } catch (error) {
      if (signal.aborted) return undefined;
      failures += 1;
      warnings.add('read', error);
      // The server reports an expired token the same way. If the first page fails too, the run is unknown.
      if (isTemporalError(error, 'unknown-workflow') && !from) throw error;
      if (!isTransient(error)) from = undefined;
      await delay(backoff(times.retryMs, failures), signal);
      continue;
    }
    failures = 0;
    warnings.clear('read');
    lastId = Math.max(lastId, Number(events.findLast((event) => !startsTask(event))?.eventId ?? 0));
    if (events.length > 0) {
      if ((await onEvents(events)) === 'stop') return undefined;
      const close = parseCloseEvent(events.at(-1)!);
      if (close) return close;
      const ms = pauseMs?.(events) ?? 0;
      if (ms > 0) await delay(ms, signal);
    }
    pausedReads = page.next ? 0 : pausedReads + 1;
    if (!page.next) await delay(Math.min(PAUSED_MS.first * pausedReads, PAUSED_MS.max), signal);
    from = page.next ?? from;
  }
  return undefined;
}

/** Whether an event schedules a workflow task, or starts it. */
export function startsTask(event: HistoryEvent): boolean {
  return Boolean(event.workflowTaskScheduledEventAttributes ?? event.workflowTaskStartedEventAttributes);
}
