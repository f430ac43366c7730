// The end of an execution as its row tells it, for when the log has expired or has lost its end (PROTOCOL.md,
// "Reconnecting").
import { formatCursor } from '../event/cursor.ts';
import { type ExecutionEvent, type JsonValue, timestamp } from '../event/events.ts';
import { terminalEventOf } from '../event/terminal-event.ts';
import type { Execution } from '../execution/store.ts';

/** The state that a reader of the whole log would have built up. */
export type ArchivedResult = { readonly text: string } | { readonly value: JsonValue };

/** The terminal event at its own seq; undefined where the row does not know of one. */
export function archivedEnd(row: Execution): ExecutionEvent | undefined {
  const terminal = terminalEventOf(row);
  if (!row.end || !terminal) return undefined;
  return {
    id: formatCursor(row.end.seq, row.end.epoch),
    seq: row.end.seq,
    executionId: row.id,
    attempt: row.attempt,
    ...terminal,
    ts: timestamp(row.finishedAt),
  };
}

/** The text or value that the row keeps as the result, where it is one of the execution's mode. */
export function archivedResultOf(row: Execution): ArchivedResult | undefined {
  if (row.result === undefined || row.kind === 'workflow') return undefined;
  if (row.mode === 'STRUCTURED') return { value: row.result };
  return typeof row.result === 'string' ? { text: row.result } : undefined;
}
