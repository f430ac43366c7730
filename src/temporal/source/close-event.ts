// How a run of a workflow closed, read from the close event of its history, and what goes on in its place.
import { type EventData, type JsonValue, timestamp } from '../../event/events.ts';
import { terminalEventOf } from '../../event/terminal-event.ts';
import type { ExecutionEnd } from '../../execution/store.ts';
import { failureCode, failureMessage } from '../shared/failure.ts';
import type { Payloads } from '../shared/payloads.ts';
import { type HistoryEvent, toMs } from './temporal-client.ts';

/** Why another run goes on: by continue-as-new in the same stream, the others in one that begins anew. */
export type GoesOn = 'continued' | 'retried' | 'cron' | 'reset';

export interface Close {
  readonly event: HistoryEvent;
  /** In ms since 1970. */
  readonly at: number;
  readonly status: 'SUCCESS' | 'FAILED' | 'CANCELED' | 'TIMED_OUT' | 'TERMINATED' | 'CONTINUED';
  readonly message: string;
  readonly code: string | undefined;
  /** What it returned, not decoded. */
  readonly result: Payloads | undefined;
  /** The run that goes on, where the close event names one; a reset is not named there. */
  readonly nextRunId: string | undefined;
  readonly goesOn: GoesOn | undefined;
}

/** Reads a close event; undefined for any other. */
export function closeOf(event: HistoryEvent): Close | undefined {
  const at = toMs(event.eventTime);
  const base = { event, at, message: '', code: undefined, result: undefined };
  const done = event.workflowExecutionCompletedEventAttributes;
  if (done) {
    const result = done.result ?? undefined;
    return { ...base, status: 'SUCCESS', result, ...next(done.newExecutionRunId, 'cron') };
  }
  const failed = event.workflowExecutionFailedEventAttributes;
  if (failed) {
    // RETRY_STATE_IN_PROGRESS: the next run is a retry. Any other with a next run is cron's.
    const why = failed.retryState === 1 ? 'retried' : 'cron';
    const { failure } = failed;
    const told = { message: failureMessage(failure), code: failureCode(failure) };
    return { ...base, ...told, status: 'FAILED', ...next(failed.newExecutionRunId, why) };
  }
  const late = event.workflowExecutionTimedOutEventAttributes;
  if (late) {
    const why = late.retryState === 1 ? 'retried' : 'cron';
    const message = 'the workflow has timed out';
    return { ...base, message, status: 'TIMED_OUT', ...next(late.newExecutionRunId, why) };
  }
  const over = event.workflowExecutionTerminatedEventAttributes;
  if (over) {
    const message = over.reason || 'the workflow was terminated';
    return { ...base, message, status: 'TERMINATED', ...next(undefined, 'reset') };
  }
  if (event.workflowExecutionCanceledEventAttributes) {
    const message = 'the workflow was cancelled';
    return { ...base, message, status: 'CANCELED', ...next(undefined, 'reset') };
  }
  const on = event.workflowExecutionContinuedAsNewEventAttributes;
  if (on) return { ...base, status: 'CONTINUED', ...next(on.newExecutionRunId, 'continued') };
  return undefined;
}

function next(runId: string | null | undefined, why: GoesOn): Pick<Close, 'nextRunId' | 'goesOn'> {
  return runId ? { nextRunId: runId, goesOn: why } : { nextRunId: undefined, goesOn: undefined };
}

/** The end that a close is for an execution's row. */
export function endOf(close: Close, result: JsonValue | undefined): ExecutionEnd {
  const { status, message, code } = close;
  if (status === 'SUCCESS') return { status, ...(result !== undefined && { result }) };
  // A chain of runs that breaks off without a next one.
  const failed = status === 'CONTINUED' ? 'FAILED' : status;
  return { status: failed, error: { message, ...(code !== undefined && { code }) } };
}

/** The terminal event that a close is, in the time of Temporal. */
export function terminalOfClose(close: Close, end: ExecutionEnd, startedAt: number) {
  const row = { ...end, startedAt: new Date(startedAt), finishedAt: new Date(close.at) };
  return terminalEventOf(row)!;
}

/** What a step of a history tells of a close after which another run goes on. */
export function stepOfClose(
  close: Close,
):
  | { readonly type: 'warning'; readonly data: EventData['warning'] }
  | { readonly type: 'workflow_status'; readonly data: EventData['workflow_status'] } {
  const { status, message, goesOn } = close;
  if (status === 'CONTINUED') return statusStep('RUNNING', 'continued as new');
  if (goesOn === 'retried') {
    return { type: 'warning', data: { code: 'ATTEMPT_FAILED', message: message || status } };
  }
  if (goesOn === 'cron' && status !== 'SUCCESS') {
    return { type: 'warning', data: { code: 'RUN_FAILED', message: message || status } };
  }
  return statusStep('WAITING', 'next cron run');
}

function statusStep(status: 'RUNNING' | 'WAITING', step: string) {
  return { type: 'workflow_status' as const, data: { status, step } };
}

/** The time of an event of a history. */
export function timeOf(event: HistoryEvent): string {
  return timestamp(new Date(toMs(event.eventTime)));
}
