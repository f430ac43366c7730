// How a run of a workflow closed: the close event of its history, parsed.
//
// The source emits the end from it; the worker confirms with it that a terminal event which its sink received is final.
import type { EventData, TerminalType } from '../../event/events.ts';
import { failureCode, failureMessage } from './failure.ts';
import { type HistoryEvent, toMs } from './history-event.ts';
import type { Payloads } from './payloads.ts';

/** Why another run follows. Continue-as-new continues the stream, the others restart it. */
export type RunContinuation = 'continued' | 'retried' | 'cron';

export interface CloseEvent {
  /** In ms since 1970. */
  readonly closedAt: number;
  readonly status: 'SUCCESS' | 'FAILED' | 'CANCELED' | 'TIMED_OUT' | 'TERMINATED' | 'CONTINUED';
  readonly message: string;
  readonly code: string | undefined;
  /** The returned value, not decoded. */
  readonly result: Payloads | undefined;
  /** The next run, if the close event names one. It does not name the run of a reset. */
  readonly nextRunId: string | undefined;
  readonly continuation: RunContinuation | undefined;
}

/** Temporal's RETRY_STATE_IN_PROGRESS: the next run is a retry. Any other next run is cron's. */
const RETRY_IN_PROGRESS = 1;

/** Parses a close event; undefined for any other event. */
export function parseCloseEvent(event: HistoryEvent): CloseEvent | undefined {
  const base = { closedAt: toMs(event.eventTime), message: '', code: undefined, result: undefined };
  const completed = event.workflowExecutionCompletedEventAttributes;
  if (completed) {
    const result = completed.result ?? undefined;
    return { ...base, status: 'SUCCESS', result, ...nextRun(completed.newExecutionRunId, 'cron') };
  }
  const failed = event.workflowExecutionFailedEventAttributes;
  if (failed) {
    const { failure, newExecutionRunId } = failed;
    const error = { message: failureMessage(failure), code: failureCode(failure) };
    return { ...base, ...error, status: 'FAILED', ...nextRun(newExecutionRunId, reasonOf(failed)) };
  }
  const timedOut = event.workflowExecutionTimedOutEventAttributes;
  if (timedOut) {
    const message = 'the workflow timed out';
    return {
      ...base,
      message,
      status: 'TIMED_OUT',
      ...nextRun(timedOut.newExecutionRunId, reasonOf(timedOut)),
    };
  }
  const terminated = event.workflowExecutionTerminatedEventAttributes;
  if (terminated) {
    const message = terminated.reason || 'the workflow was terminated';
    return { ...base, message, status: 'TERMINATED', ...NO_NEXT_RUN };
  }
  if (event.workflowExecutionCanceledEventAttributes) {
    return { ...base, message: 'the workflow was cancelled', status: 'CANCELED', ...NO_NEXT_RUN };
  }
  const continued = event.workflowExecutionContinuedAsNewEventAttributes;
  if (continued)
    return { ...base, status: 'CONTINUED', ...nextRun(continued.newExecutionRunId, 'continued') };
  return undefined;
}

const NO_NEXT_RUN = { nextRunId: undefined, continuation: undefined };

function nextRun(
  nextRunId: string | null | undefined,
  continuation: RunContinuation,
): Pick<CloseEvent, 'nextRunId' | 'continuation'> {
  return nextRunId ? { nextRunId, continuation } : NO_NEXT_RUN;
}

function reasonOf({ retryState }: { retryState?: number | null }): RunContinuation {
  return retryState === RETRY_IN_PROGRESS ? 'retried' : 'cron';
}

/** Whether the workflow ended by its own code, so that it may have emitted a terminal event. */
export function endedItself({ status, nextRunId }: CloseEvent): boolean {
  return nextRunId === undefined && (status === 'SUCCESS' || status === 'FAILED' || status === 'CANCELED');
}

/** How the run closed, regardless of the one that follows: a run that continued as new has succeeded. */
export function closeOfRunAlone(close: CloseEvent): CloseEvent {
  const status = close.status === 'CONTINUED' ? 'SUCCESS' : close.status;
  return { ...close, status, ...NO_NEXT_RUN };
}

/** A terminal event that a workflow emitted itself, without the fields that do not matter here. */
type OwnEnd = { [T in TerminalType]: { readonly type: T; readonly data: EventData[T] } }[TerminalType];

/**
 * Whether the run closed the way its own terminal event says. A workflow chooses the status of its `error`, and
 * Temporal knows only failed and cancelled for a workflow that ends itself.
 */
export function confirmsEnd({ status, nextRunId }: CloseEvent, end: OwnEnd): boolean {
  if (nextRunId !== undefined) return false;
  if (end.type === 'complete') return status === 'SUCCESS';
  return status === (end.data.status === 'CANCELED' ? 'CANCELED' : 'FAILED');
}
