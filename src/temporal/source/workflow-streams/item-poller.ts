// Fetches the items that a workflow publishes itself. Its history does not have them, so the stream is polled: the result
// of a poll is part of the history, from which every server reads it.
//
// A poll is an update, which adds five events to the history of the workflow, and Temporal limits their number. So it
// is sent only if the query for the offset, which adds none, shows that items are missing; the query is sent only when the
// workflow has had a reason to publish something, which signals with items are not.
import { backoff } from '../../../async/backoff.ts';
import { delay } from '../../../async/delay.ts';
import { createSignal } from '../../../async/signal.ts';
import type { HistoryEvent } from '../../shared/history-event.ts';
import { isTemporalError, type TemporalCondition } from '../errors.ts';
import type { WorkflowRun } from '../temporal-client.ts';
import type { WatchContext } from '../watch-context.ts';
import { type ItemPosition, POLL_ID_PREFIX } from './item-history.ts';
import { POLL_UPDATE, PUBLISH_SIGNAL } from './wire-format.ts';

/** Between two checks. Workflows stay open for half a second after their last item, as Temporal's samples do. */
const CHECK_MS = 200;
/** Until then the history has been read up to what a query saw. */
const READ_MS = 50;
/** Temporal rejects updates after 2,000 in one run, those of the application included. */
const MAX_POLLS = 1_000;
/** The pause after a poll grows by this much with each poll of the run. */
const PAUSE_PER_POLL_MS = 10;
/** Temporal terminates a workflow whose history has more than 51,200 events. */
const MAX_EVENT_ID = 40_000;
/** Tries after one change of the workflow. */
const MAX_TRIES = 4;

/** Failures after which the same request may succeed. */
const RETRIED: ReadonlySet<TemporalCondition> = new Set([
  'busy',
  'unavailable',
  'rate-limited',
  'slow-worker',
  'not-ready',
]);

export interface ItemPoller {
  /** Takes in new events of the history. */
  observe(events: readonly HistoryEvent[]): void;
  stop(): void;
}

/** @param position how far the history has been read */
export function pollStream(
  context: Pick<WatchContext, 'temporal' | 'audience' | 'times' | 'signal' | 'streamUse'>,
  run: WorkflowRun,
  position: () => ItemPosition,
): ItemPoller {
  const { temporal, audience, times, streamUse } = context;
  const stopping = new AbortController();
  const signal = AbortSignal.any([context.signal, stopping.signal]);
  const changed = createSignal();
  let hasReason = true;
  let isUsed = false;
  /** Whether a check is due. */
  let isDue = false;
  let isWarned = false;
  /** The offset before which the history has all items. */
  let verified = 0;
  /** Consecutive polls that brought no item, and where the last poll started. */
  let futilePolls = 0;
  let lastFrom = -1;

  function warnOnce(reason: string): void {
    if (!isWarned)
      audience.warn('STREAM_INCOMPLETE', `items that the workflow publishes are missing: ${reason}`);
    isWarned = true;
  }

  function wake(): void {
    isDue = true;
    changed.set();
  }

  /** Checks for missing items, and polls for them; resolves to how long to wait before the next check, in ms. */
  async function check(): Promise<number> {
    const before = position();
    const offset = await temporal.streamOffset(run, signal);
    if (offset <= before.known) {
      // All signals that were read are in the stream, and nothing else is.
      if (offset === before.known && before.isSettled) verified = offset;
      return CHECK_MS;
    }
    await delay(READ_MS, signal);
    const { known, confirmed, polls, lastEventId } = position();
    if (offset <= known || signal.aborted) return CHECK_MS;
    if (polls >= MAX_POLLS || lastEventId > MAX_EVENT_ID) {
      warnOnce('its history has become too long to poll its stream');
      return times.slowPollMs;
    }
    const from = Math.max(confirmed, verified);
    futilePolls = from === lastFrom ? futilePolls + 1 : 0;
    lastFrom = from;
    if (futilePolls > MAX_TRIES) {
      warnOnce('polls of its stream return nothing');
      return times.slowPollMs;
    }
    await temporal.pollStream(run, { from, updateId: `${POLL_ID_PREFIX}${polls}-${from}` }, signal);
    wake();
    return CHECK_MS + PAUSE_PER_POLL_MS * polls + (futilePolls > 0 ? backoff(times.retryMs, futilePolls) : 0);
  }

  async function watch(): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      await changed.wait(failures > 0 ? backoff(times.retryMs, failures) : times.slowPollMs);
      if (signal.aborted || !isDue || !(isUsed || streamUse.isRegistered)) continue;
      isDue = false;
      try {
        await delay(await check(), signal);
        failures = 0;
      } catch (error) {
        if (!isTemporalError(error)) throw error;
        if (error.condition === 'denied') return warnOnce('the server may not update the workflow');
        failures = RETRIED.has(error.condition) && failures < MAX_TRIES ? failures + 1 : 0;
        isDue ||= failures > 0;
      }
    }
  }

  if (run.isOpen && streamUse.isPolled) {
    void streamUse.registered.then(wake);
    // An error that is not Temporal's is one of ours; the history goes on without the items.
    void watch().catch(() => warnOnce('the server failed to poll its stream'));
  }
  return {
    observe(events) {
      for (const event of events) {
        // The task that records a marker is completed already: a local activity has returned in the middle of it.
        if (event.markerRecordedEventAttributes) wake();
        hasReason ||= isReason(event);
        if (!hasReason || !event.workflowTaskCompletedEventAttributes) continue;
        hasReason = false;
        wake();
      }
      if (isUsed || !position().isUsed) return;
      isUsed = true;
      wake();
    },
    stop() {
      stopping.abort();
      changed.set();
    },
  };
}

/** Whether the workflow may have published something itself because of this event. */
function isReason(event: HistoryEvent): boolean {
  const { workflowExecutionSignaledEventAttributes: signaled } = event;
  if (signaled) return signaled.signalName !== PUBLISH_SIGNAL;
  const accepted = event.workflowExecutionUpdateAcceptedEventAttributes;
  if (accepted) return accepted.acceptedRequest?.input?.name !== POLL_UPDATE;
  return !(
    event.workflowTaskScheduledEventAttributes ??
    event.workflowTaskStartedEventAttributes ??
    event.workflowTaskCompletedEventAttributes ??
    event.workflowExecutionUpdateCompletedEventAttributes ??
    event.activityTaskScheduledEventAttributes ??
    event.activityTaskStartedEventAttributes ??
    event.timerStartedEventAttributes
  );
}
