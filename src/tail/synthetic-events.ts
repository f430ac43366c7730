// Synthetic events, generated for one viewer and not stored in the log: `reset`, `gap` and `warning`. The cursor of each
// is the one to resume after.
import { type Cursor, formatCursor, parseCursor } from '../event/cursor.ts';
import {
  type EventData,
  type ExecutionEvent,
  type NewEvent,
  type ResetReason,
  timestamp,
} from '../event/events.ts';
import type { LogWindow } from './log-window.ts';

/** Voids everything before it: the log is read again from its first event. */
export function reset(log: LogWindow, reason: ResetReason): ExecutionEvent {
  return create(log, { seq: 0, epoch: log.epoch }, 'reset', { reason });
}

/** Takes the place of trimmed events. It carries the complete result if only the terminal event follows. */
export function gap(log: LogWindow, fromSeq: number, toSeq: number): ExecutionEvent & { type: 'gap' } {
  const result = toSeq === log.end - 1 ? log.archivedResult : undefined;
  return create(log, { seq: toSeq, epoch: log.epoch }, 'gap', { fromSeq, toSeq, ...result });
}

/** @param position the viewer's cursor, which does not change */
export function warning(log: LogWindow, position: string, data: EventData['warning']): ExecutionEvent {
  return create(log, parseCursor(position), 'warning', data);
}

function create<Type extends 'reset' | 'gap' | 'warning'>(
  { executionId, attempt }: LogWindow,
  { seq, epoch = '' }: Cursor,
  type: Type,
  data: EventData[Type],
): ExecutionEvent & { type: Type } {
  const event = { type, data, ts: timestamp() } as NewEvent;
  return { id: formatCursor(seq, epoch), seq, executionId, attempt, ...event } as ExecutionEvent & {
    type: Type;
  };
}
