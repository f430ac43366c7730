// The terminal event that an ended row stands for.
import type { JsonValue, NewEvent, TerminalType } from '../event/types.ts';
import { timestamp } from '../event/types.ts';
import type { Execution } from './store.ts';

/** An event's data is at most 64 KiB, as JSON in UTF-8 (protocol, "Event"). */
export const MAX_DATA_BYTES = 64 * 1024;

/** GraphQL's Int, which carries durations, ends here: after 24 days and 20 hours. */
const MAX_INT = 2 ** 31 - 1;

/** Milliseconds from an execution's start to its end, or to `now` while it is open. */
export function durationMs(row: Pick<Execution, 'startedAt' | 'finishedAt'>, now = new Date()): number {
  const ms = (row.finishedAt ?? now).getTime() - row.startedAt.getTime();
  return Math.min(Math.max(0, ms), MAX_INT);
}

/**
 * The terminal event of a row; undefined while the execution is open. A result that would make the event too large
 * is left out, and `resultOmitted` says so: it is read from the state path.
 */
export function terminalOf(row: Execution): NewEvent<TerminalType> | undefined {
  const usage = row.usage && { usage: row.usage };
  const ts = timestamp(row.finishedAt);
  const tail = { ...usage, durationMs: durationMs(row) };
  switch (row.status) {
    case 'SUCCESS':
      return { type: 'complete', ts, data: { status: row.status, ...fitting(row.result), ...tail } };
    case 'FAILED':
    case 'CANCELED':
    case 'TIMED_OUT':
    case 'TERMINATED': {
      const { message = 'no reason was given', code } = row.error ?? {};
      const shown = message.length > 4_000 ? `${message.slice(0, 4_000)}…` : message;
      return {
        type: 'error',
        ts,
        data: { status: row.status, message: shown, ...(code && { code }), ...tail },
      };
    }
    default:
      return undefined;
  }
}

function fitting(result: JsonValue | undefined): { result?: JsonValue; resultOmitted?: true } {
  if (result === undefined) return {};
  const room = MAX_DATA_BYTES - 1_024;
  return Buffer.byteLength(JSON.stringify(result)) <= room ? { result } : { resultOmitted: true };
}
