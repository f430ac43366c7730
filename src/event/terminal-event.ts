// The terminal event of an execution. It always fits the size limit, so that no log rejects it.
//
// Servers, publishers and workflow code (in Temporal's sandbox, which has no Buffer) share this file.
import {
  type EventData,
  type ExecutionStatus,
  type FailedStatus,
  type JsonValue,
  type NewEvent,
  type TerminalType,
  timestamp,
  type Usage,
} from './events.ts';
import { DEFAULT_SIZE_LIMITS, type SizeLimits } from './size-limits.ts';
import { truncate, truncateToBytes, utf8Bytes } from './text.ts';
import { MAX_COUNT } from './usage.ts';

/** How an execution ended, as its row stores it. */
export interface Ended {
  readonly status: ExecutionStatus;
  readonly result?: JsonValue;
  /** There was a result and it was not kept. */
  readonly resultOmitted?: boolean;
  readonly error?: { readonly message: string; readonly code?: string };
  readonly usage?: Usage;
  readonly startedAt: Date;
  readonly finishedAt?: Date;
}

/** The fields of both terminal events. */
export interface EndSummary {
  readonly usage?: Usage;
  readonly durationMs: number;
}

/** UTF-16 code units of an error's message and code in an event. */
export const MAX_MESSAGE_UNITS = 8_000;
export const MAX_CODE_UNITS = 200;
const MAX_USAGE_BYTES = 8 * 1024;
/** Bytes of an `error` besides its message and usage; a code unit of the code takes up to 6. */
const ERROR_BYTES = 2 * 1024;

/** Limits a duration to what an event can carry: never below 0, because the clocks of servers and workers may differ. */
export function clampDuration(ms: number): number {
  return Math.min(Math.max(0, ms), MAX_COUNT);
}

/** Milliseconds from an execution's start to its end, or to `now` while it is open. */
export function durationMs(row: Pick<Ended, 'startedAt' | 'finishedAt'>, now = new Date()): number {
  return clampDuration((row.finishedAt ?? now).getTime() - row.startedAt.getTime());
}

/**
 * The fields of both terminal events; usage above 8 KiB of JSON is omitted.
 * @param ms the duration, clamped here.
 */
export function endSummary(usage: Usage | undefined, ms: number): EndSummary {
  return { ...(usage && fitsUsage(usage) && { usage }), durationMs: clampDuration(ms) };
}

/** Whether an event may carry this usage. */
export function fitsUsage(usage: Usage): boolean {
  return utf8Bytes(JSON.stringify(usage)) < MAX_USAGE_BYTES;
}

/**
 * The data of a `complete` event, with a copy of the result as JSON carries it. A result that does not fit, or is not
 * JSON, is replaced by `resultOmitted`; the execution's state says whether it was kept.
 */
export function completeData(
  result: unknown,
  summary: EndSummary,
  sizes: SizeLimits = DEFAULT_SIZE_LIMITS,
): EventData['complete'] {
  const bare = { status: 'SUCCESS' as const, ...summary };
  let json: string | undefined;
  try {
    json = JSON.stringify(result);
  } catch {
    // A cycle or a BigInt. Temporal's converter may still be able to return it.
    return { ...bare, resultOmitted: true };
  }
  if (json === undefined) return bare;
  const resultBytes = utf8Bytes(json);
  const bytes = resultBytes + utf8Bytes(JSON.stringify({ ...bare, result: '' })) - 2;
  if (bytes > sizes.data) return { ...bare, resultOmitted: true, resultBytes };
  return { ...bare, result: JSON.parse(json) };
}

/** The data of an `error` event; a long message or code is truncated, so that two copies of the data fit. */
export function errorData(
  status: FailedStatus,
  error: { readonly message: string; readonly code?: string | undefined },
  summary: EndSummary,
  { part }: SizeLimits = DEFAULT_SIZE_LIMITS,
): EventData['error'] {
  const shortened = truncate(error.message, MAX_MESSAGE_UNITS);
  const message = truncateToBytes(shortened, part - MAX_USAGE_BYTES - ERROR_BYTES);
  const code = error.code?.slice(0, MAX_CODE_UNITS);
  return { status, message, ...(code && { code }), ...summary };
}

/**
 * The terminal event of an execution whose row was deleted.
 * @param startedAt the start of the execution, if it is known
 */
export function deletedEvent(startedAt?: Date): NewEvent<'error'> {
  const now = new Date();
  const error = { message: 'the execution was deleted', code: 'DELETED' };
  const data = errorData('TERMINATED', error, endSummary(undefined, startedAt ? +now - +startedAt : 0));
  return { type: 'error', ts: timestamp(now), data };
}

/** The terminal event of a row; undefined while the execution is open. */
export function terminalEventOf(
  row: Ended,
  sizes: SizeLimits = DEFAULT_SIZE_LIMITS,
): NewEvent<TerminalType> | undefined {
  const { status, result, error } = row;
  const ts = timestamp(row.finishedAt);
  const summary = endSummary(row.usage, durationMs(row));
  switch (status) {
    case 'SUCCESS': {
      const data = completeData(result, summary, sizes);
      const isOmitted = result === undefined && row.resultOmitted;
      return { type: 'complete', ts, data: isOmitted ? { ...data, resultOmitted: true } : data };
    }
    case 'FAILED':
    case 'CANCELED':
    case 'TIMED_OUT':
    case 'TERMINATED':
      return {
        type: 'error',
        ts,
        data: errorData(status, error ?? { message: `execution ended: ${status}` }, summary, sizes),
      };
    default:
      return undefined;
  }
}
