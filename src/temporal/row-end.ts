// The end that the row of a workflow gets, from its own terminal event and Temporal's close event.
import type { JsonValue } from '../event/events.ts';
import type { ExecutionEnd } from '../execution/store.ts';
import type { CloseEvent } from './shared/close-event.ts';
import { decodeFirst, type PayloadDecoder } from './shared/payloads.ts';
import type { WorkflowEvent } from './shared/stream-query.ts';

/** A terminal event that the workflow emitted itself. */
export type WorkflowEnd = WorkflowEvent<'complete' | 'error'>;

/**
 * The row's end.
 * @param own the workflow's own terminal event, if the close event confirms it.
 * @param decode decodes the result in the close event, which the row keeps if it is too large for `own`.
 */
export async function rowEndOf(
  own: WorkflowEnd | undefined,
  close: CloseEvent,
  decode: PayloadDecoder | undefined,
): Promise<ExecutionEnd> {
  const usage = own?.data.usage && { usage: own.data.usage };
  const finishedAt = new Date(close.closedAt);
  if (own?.type === 'error') {
    const { status, message, code } = own.data;
    return { status, error: { message, ...(code !== undefined && { code }) }, finishedAt, ...usage };
  }
  if (own && !own.data.resultOmitted) {
    const { result } = own.data;
    return { status: 'SUCCESS', ...(result !== undefined && { result }), finishedAt, ...usage };
  }
  const result = await decodeFirst(close.result, decode);
  // One that the decoder cannot read, or leaves out, exists all the same.
  const isHidden = decode !== undefined && (close.result?.payloads?.length ?? 0) > 0;
  const isOmitted = result === undefined && (own?.data.resultOmitted || isHidden);
  return { ...endOfClose(close, result), ...(isOmitted && { resultOmitted: true }), finishedAt, ...usage };
}

function endOfClose({ status, message, code }: CloseEvent, result: JsonValue | undefined): ExecutionEnd {
  if (status === 'SUCCESS') return { status, ...(result !== undefined && { result }) };
  // A chain whose next run is missing.
  const failed = status === 'CONTINUED' ? 'FAILED' : status;
  return { status: failed, error: { message, ...(code !== undefined && { code }) } };
}
