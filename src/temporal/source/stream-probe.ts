// Determines whether a run streams itself: queries it until it responds, or turns out to have no handler for the query.
import { backoff } from '../../async/backoff.ts';
import { delay } from '../../async/delay.ts';
import { createSignal } from '../../async/signal.ts';
import { parseCloseEvent } from '../shared/close-event.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import { isTemporalError, TemporalError, toWarning } from './errors.ts';
import { readQueryPage } from './query-page.ts';
import type { RequestPriority } from './request-priority.ts';
import type { WorkflowRun } from './temporal-client.ts';
import type { WatchContext } from './watch-context.ts';

/** `unknown`: the run has closed and no worker responds, or the signal aborted. */
export type ProbeAnswer = 'streams' | 'no-stream' | 'unknown';

export interface StreamProbe {
  readonly answer: Promise<ProbeAnswer>;
  /** The result of the query, for all events, if the run streams itself. */
  readonly result: unknown;
  /** Whether the run can be queried: it has had a workflow task, and one that was completed if it has closed. */
  readonly isAsking: boolean;
  /** When the query was sent that has no response yet, by `performance.now()`; undefined if none was sent. */
  readonly sentAt: number | undefined;
  /** Takes in new events of the history: a run without a workflow task cannot be queried. */
  observe(events: readonly HistoryEvent[]): void;
}

/** Failures of the query's handler, or to decode its result, after which it counts as one of another purpose. */
const MAX_HANDLER_FAILURES = 3;
/** Between two queries at least, however many workflow tasks are completed. */
const SPACING_MS = 200;

/** The longest that a run which has closed may take to respond, before its history is shown. */
export const MAX_RESPONSE_MS = 2_000;
/** How long it may take if nothing else shows that a worker is there, and longer for each event that it has to replay. */
const RESPONSE_MS = { first: 300, perEvent: 1 };
/** The longest that an open run may take whose task queue has responded to other queries a moment ago: it is busy. */
const BUSY_MS = 1_000;
/** Workers that responded within this time are known to be there. */
const KNOWN_WORKER_MS = 10_000;

/**
 * How long a run that has closed may take to respond once its query was sent: Temporal reports workers for a minute after
 * they have left. The log of a row that has ended may have events of the workflow, so it is more important to get them.
 */
export function responseMs({ temporal, restores }: WatchContext, run: WorkflowRun): number {
  if (restores || temporal.hasResponded(run, KNOWN_WORKER_MS)) return MAX_RESPONSE_MS;
  return Math.min(RESPONSE_MS.first + RESPONSE_MS.perEvent * run.historyLength, MAX_RESPONSE_MS);
}

/** How long an open run may take to respond, before its history is shown. */
export function openResponseMs({ temporal, times }: WatchContext, run: WorkflowRun): number {
  const { queryGraceMs } = times;
  return temporal.hasResponded(run, KNOWN_WORKER_MS) ? Math.max(queryGraceMs, BUSY_MS) : queryGraceMs;
}

/**
 * Starts to probe.
 * @param shown resolves when viewers can receive warnings
 */
export function probeStream(context: WatchContext, run: WorkflowRun, shown: Promise<void>): StreamProbe {
  const { temporal, audience, warnings, times, sizes, streamUse, signal } = context;
  const changed = createSignal();
  let hasTask = run.historyLength > 1;
  let isClosed = !run.isOpen;
  /** Whether a workflow task was completed, among the events that were observed. */
  let hasWorked = false;
  let hasSeenClose = false;
  let sentAt: number | undefined;
  let isAnswered = false;
  let streamResult: unknown;
  /** Aborts when the run closes: its query is then sent before those that wait. */
  const closing = new AbortController();

  async function warn(error: TemporalError): Promise<void> {
    await shown;
    const named = await nameCondition(error);
    if (!isAnswered && !signal.aborted) warnings.add('query', named);
  }

  /** A query that waits for the first workflow task times out in the same way if no worker polls at all. */
  async function nameCondition(error: TemporalError): Promise<TemporalError> {
    if (error.condition !== 'slow-worker' || (await temporal.hasWorker(run).catch(() => true))) return error;
    return new TemporalError('no-worker', error.message, { cause: error });
  }

  async function query(priority: RequestPriority): Promise<ProbeAnswer | TemporalError> {
    try {
      const options = isClosed ? ({ priority: 'end' } as const) : { priority, queueSignal: closing.signal };
      sentAt = undefined;
      const onSent = () => {
        sentAt = performance.now();
      };
      const result = await temporal.query(run, 0, signal, { ...options, onSent }).catch((error) => {
        if (sentAt !== undefined || !closing.signal.aborted || signal.aborted) throw error;
        return temporal.query(run, 0, signal, { priority: 'end', onSent });
      });
      try {
        readQueryPage(result, run, 0, sizes);
        streamResult = result;
        return 'streams';
      } catch {
        // A default handler, or another one with the name of ours.
        return 'no-stream';
      }
    } catch (error) {
      if (!isTemporalError(error)) throw error;
      if (signal.aborted) return 'unknown';
      streamUse.recordFailure(error);
      return error.condition === 'no-query' ? 'no-stream' : error;
    }
  }

  async function probe(): Promise<ProbeAnswer> {
    let failures = 0;
    let handlerFailures = 0;
    while (!signal.aborted) {
      if (hasTask) {
        const answer = await query(failures > 0 ? 'retry' : 'view');
        if (typeof answer === 'string') return answer;
        failures += 1;
        const { condition } = answer;
        if (condition === 'query-failed' || condition === 'undecodable') handlerFailures += 1;
        if (handlerFailures >= MAX_HANDLER_FAILURES) {
          if (condition === 'undecodable') {
            // The history is shown instead, and viewers should know that more is hidden.
            const { code, message } = toWarning(answer);
            void shown.then(() => signal.aborted || audience.warn(code, message));
          }
          return 'no-stream';
        }
        if (isClosed && (condition === 'no-worker' || condition === 'not-ready')) return 'unknown';
        void warn(answer);
        await delay(SPACING_MS, signal);
      }
      await changed.wait(failures > 0 ? backoff(times.retryMs, failures) : times.slowPollMs);
    }
    return 'unknown';
  }

  signal.addEventListener('abort', changed.set, { once: true });
  const answer = probe().finally(() => {
    isAnswered = true;
    warnings.clear('query');
    signal.removeEventListener('abort', changed.set);
  });
  // Handled by the caller, unless the watch stops first.
  answer.catch(() => {});
  return {
    answer,
    get result() {
      return streamResult;
    },
    get isAsking() {
      return hasTask && (hasWorked || !hasSeenClose);
    },
    get sentAt() {
      return sentAt;
    },
    observe(events) {
      const isScheduled = events.some((event) => event.workflowTaskScheduledEventAttributes);
      if (isScheduled && !hasTask) changed.set();
      hasTask ||= isScheduled;
      hasSeenClose ||= events.some((event) => parseCloseEvent(event) !== undefined);
      isClosed ||= hasSeenClose;
      if (isClosed) closing.abort();
      // A query of a paused workflow fails.
      if (events.some((event) => event.workflowExecutionUnpausedEventAttributes)) changed.set();
      if (!events.some((event) => event.workflowTaskCompletedEventAttributes)) return;
      hasWorked = true;
      changed.set();
    },
  };
}

/** Probes a run before it is watched, for up to `responseMs`. */
export async function probeBefore(
  context: WatchContext,
  run: WorkflowRun,
): Promise<Pick<StreamProbe, 'result'> & { readonly answer: ProbeAnswer }> {
  const done = new AbortController();
  const signal = AbortSignal.any([context.signal, done.signal]);
  // Viewers are not warned: the watch follows.
  const probe = probeStream({ ...context, signal }, run, new Promise(() => {}));
  const unknown = delay(responseMs(context, run), signal).then(() => 'unknown' as const);
  const answer = await Promise.race([probe.answer, unknown]);
  done.abort();
  return { answer, result: probe.result };
}
