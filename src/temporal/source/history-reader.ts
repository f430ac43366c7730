// Reads the history of one run as it grows, up to its close event. It needs no worker.
//
// Behind the history of a run whose workflow task has failed, the server shows the task that it tries next, under ids
// that are not given yet: what happens before that task is done gets the same ids. So a workflow task's beginning at
// the end of a page does not count as read.
import { backoff } from '../../async/backoff.ts';
import { delay } from '../../async/delay.ts';
import { type Close, closeOf } from './close-event.ts';
import { isTemporalError } from './errors.ts';
import type { HistoryEvent, TemporalClient, WorkflowRef } from './temporal-client.ts';
import type { ActiveWarnings, WatchTimes } from './watch-context.ts';

export interface HistoryFollow {
  readonly temporal: TemporalClient;
  readonly run: WorkflowRef;
  /** The close event alone: for histories that are too long to be read for their news. */
  readonly isCloseOnly: boolean;
  readonly troubles: ActiveWarnings;
  readonly times: WatchTimes;
  readonly signal: AbortSignal;
  /** Given each event once and in order, but the beginning of a workflow task perhaps again; what it rejects with ends the reading. */
  readonly onEvents: (events: readonly HistoryEvent[]) => void | Promise<void>;
}

/**
 * Reads on, whatever fails on the way.
 * @returns how the run closed; undefined where the signal aborted.
 * @throws TemporalError `unknown-workflow` where Temporal no longer has the run; what `onEvents` throws.
 */
export async function followHistory(follow: HistoryFollow): Promise<Close | undefined> {
  const { temporal, run, isCloseOnly, troubles, times, signal, onEvents } = follow;
  let from: Uint8Array | undefined;
  let last = 0;
  let failures = 0;
  while (!signal.aborted) {
    let page: Awaited<ReturnType<TemporalClient['history']>>;
    try {
      page = await temporal.history({ run, from, isCloseOnly, isWaiting: true }, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      failures += 1;
      troubles.add('read', error);
      // Of a token that has become void the server says the same: once from the beginning, and it is the run's.
      if (isTemporalError(error, 'unknown-workflow') && !from) throw error;
      if (!isTemporalError(error, 'away')) from = undefined;
      await delay(backoff(times.retryMs, failures), signal);
      continue;
    }
    failures = 0;
    troubles.over('read');
    const news = page.events.filter(({ eventId }) => Number(eventId) > last);
    last = Math.max(last, Number(news.findLast((event) => !beginsTask(event))?.eventId ?? 0));
    if (news.length > 0) await onEvents(news);
    const close = news.length > 0 ? closeOf(news.at(-1)!) : undefined;
    if (close) return close;
    // A history that is said to be over without a close event: begin again, but not in a hurry.
    if (!page.next) await delay(times.retryMs.maxMs, signal);
    from = page.next;
  }
  return undefined;
}

function beginsTask(event: HistoryEvent): boolean {
  return Boolean(event.workflowTaskScheduledEventAttributes ?? event.workflowTaskStartedEventAttributes);
}
