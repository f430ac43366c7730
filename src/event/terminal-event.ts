// The terminal event of an ended row, reduced to fit: it is never rejected for its size.

import {
  type ExecutionStatus,
  type JsonValue,
  MAX_DATA_BYTES,
  type NewEvent,
  type TerminalType,
  timestamp,
  type Usage,
} from './events.ts';
import { jsonBytes } from './json.ts';

/** How an execution ended, according to its row. */
export interface Ended {
  readonly status: ExecutionStatus;
  readonly result?: JsonValue;
  /** A result existed and was not stored. */
  readonly resultOmitted?: boolean;
  readonly error?: { readonly message: string; readonly code?: string };
  readonly usage?: Usage;
  readonly startedAt: Date;
  readonly finishedAt?: Date;
}

/** The maximum of GraphQL's Int, the type of durations: 24 days and 20 hours in milliseconds. */
const MAX_INT = 2 ** 31 - 1;

/** Limits a duration to the range of events. */
export function clampDuration(ms: number): number {
  return Math.min(Math.max(0, ms), MAX_INT);
}

/** Code units of an error's message and code in an event. JSON takes up to 6 bytes for each unit. */
const MAX_MESSAGE_UNITS = 8_000;
const MAX_CODE_UNITS = 200;

/** Milliseconds from an execution's start to its end, or to `now` while it is open. */
export function durationMs(row: Pick<Ended, 'startedAt' | 'finishedAt'>, now = new Date()): number {
  // The clocks of servers and workers may differ, so the difference can be negative; clampDuration corrects it.
  const ms = (row.finishedAt ?? now).getTime() - row.startedAt.getTime();
  return clampDuration(ms);
}

/**
 * The terminal event of a row; undefined while the execution is open. A result that would make the event too large is
 * omitted, which sets `resultOmitted`. Clients read it from the state path, which reports whether it was stored.
 */
export function terminalEventOf(row: Ended): NewEvent<TerminalType> | undefined {
  const ts = timestamp(row.finishedAt);
  const usage = row.usage && jsonBytes(row.usage) < MAX_DATA_BYTES / 8 ? { usage: row.usage } : {};
  const common = { ...usage, durationMs: durationMs(row) };
  switch (row.status) {
    case 'SUCCESS': {
      const bare = { status: row.status, ...common };
      if (row.result === undefined) {
        return { type: 'complete', ts, data: row.resultOmitted ? { ...bare, resultOmitted: true } : bare };
      }
      const complete = { ...bare, result: row.result };
      const data = jsonBytes(complete) <= MAX_DATA_BYTES ? complete : { ...bare, resultOmitted: true };
      return { type: 'complete', ts, data };
    }
    case 'FAILED':
    case 'CANCELED':
    case 'TIMED_OUT':
    case 'TERMINATED': {
      const { message = `the execution has ended: ${row.status}`, code } = row.error ?? {};
      const reason = { message: truncate(message), ...(code && { code: code.slice(0, MAX_CODE_UNITS) }) };
      return { type: 'error', ts, data: { status: row.status, ...reason, ...common } };
    }
    default:
      return undefined;
  }
}

function truncate(message: string): string {
  if (message.length <= MAX_MESSAGE_UNITS) return message;
  // Never inside a surrogate pair.
  return `${message.slice(0, MAX_MESSAGE_UNITS).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
