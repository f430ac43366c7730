// The end of an execution according to its row, for viewers of a log that has expired or lost its end.
import { type ContentState, resultContent } from '../event/content-state.ts';
import { formatCursor } from '../event/cursor.ts';
import { type ExecutionEvent, timestamp } from '../event/events.ts';
import { DEFAULT_SIZE_LIMITS, type SizeLimits } from '../event/size-limits.ts';
import { terminalEventOf } from '../event/terminal-event.ts';
import type { Execution } from '../execution/store.ts';

/** The content that a reader of the full log would have, as far as the row has it. */
export type ArchivedResult = Pick<ContentState, 'text' | 'value'>;

/** The terminal event at its own seq; undefined if the row has no end. */
export function archivedEnd(
  row: Execution,
  sizes: SizeLimits = DEFAULT_SIZE_LIMITS,
): ExecutionEvent | undefined {
  const terminal = terminalEventOf(row, sizes);
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

/** The text or value that the row's result restores. */
export function archivedResultOf(row: Execution): ArchivedResult {
  return resultContent(row);
}
