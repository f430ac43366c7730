// The terminal event that an ended row stands for, made to fit: it is never refused.

import {
  type ExecutionStatus,
  type JsonValue,
  MAX_DATA_BYTES,
  type NewEvent,
  type TerminalType,
  timestamp,
  type Usage,
} from './events.ts';

/** How an execution ended, as its row has it. */
export interface Ended {
  readonly status: ExecutionStatus;
  readonly result?: JsonValue;
  /** A result existed and was not kept. */
  readonly resultOmitted?: boolean;
  readonly error?: { readonly message: string; readonly code?: string };
  readonly usage?: Usage;
  readonly startedAt: Date;
  readonly finishedAt?: Date;
}

/** GraphQL's Int, which carries durations, ends here: after 24 days and 20 hours. */
const MAX_INT = 2 ** 31 - 1;

/** A duration as an event carries it. */
export function clampDuration(ms: number): number {
  return Math.min(Math.max(0, ms), MAX_INT);
}

/** Code units of an error's message and code in an event; JSON makes at most 6 bytes of each. */
const MAX_MESSAGE_UNITS = 8_000;
const MAX_CODE_UNITS = 200;

/** Milliseconds from an execution's start to its end, or to `now` while it is open. */
export function durationMs(row: Pick<Ended, 'startedAt' | 'finishedAt'>, now = new Date()): number {
  // Clocks of servers and workers may differ: never below 0.
  const ms = (row.finishedAt ?? now).getTime() - row.startedAt.getTime();
  return clampDuration(ms);
}

/**
 * The terminal event of a row; undefined while the execution is open. A result that would make the event too large
 * is left out, and `resultOmitted` says so: it is read from the state path, which says whether it was kept.
 */
export function terminalEventOf(row: Ended): NewEvent<TerminalType> | undefined {
  const ts = timestamp(row.finishedAt);
  const usage = row.usage && jsonBytes(row.usage) < MAX_DATA_BYTES / 8 ? { usage: row.usage } : {};
  const always = { ...usage, durationMs: durationMs(row) };
  switch (row.status) {
    case 'SUCCESS': {
      const bare = { status: row.status, ...always };
      if (row.result === undefined) {
        return { type: 'complete', ts, data: row.resultOmitted ? { ...bare, resultOmitted: true } : bare };
      }
      const whole = { ...bare, result: row.result };
      const data = jsonBytes(whole) <= MAX_DATA_BYTES ? whole : { ...bare, resultOmitted: true };
      return { type: 'complete', ts, data };
    }
    case 'FAILED':
    case 'CANCELED':
    case 'TIMED_OUT':
    case 'TERMINATED': {
      const { message = `the execution has ended: ${row.status}`, code } = row.error ?? {};
      const why = { message: cut(message), ...(code && { code: code.slice(0, MAX_CODE_UNITS) }) };
      return { type: 'error', ts, data: { status: row.status, ...why, ...always } };
    }
    default:
      return undefined;
  }
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function cut(message: string): string {
  if (message.length <= MAX_MESSAGE_UNITS) return message;
  // Not inside a surrogate pair.
  return `${message.slice(0, MAX_MESSAGE_UNITS).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
