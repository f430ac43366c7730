// What a viewer is told between the events of the log (PROTOCOL.md, "Reconnecting"): that it starts anew, that
// something is
// gone, that the log does not answer. Each has the cursor with which a viewer comes back behind it.
import { type Cursor, formatCursor, parseCursor } from '../event/cursor.ts';
import { type EventData, type ExecutionEvent, type NewEvent, timestamp } from '../event/events.ts';
import type { Tail } from './tail.ts';

/** All before is void, and the log is read from its start. */
export function reset(tail: Tail): ExecutionEvent {
  return make(tail, { seq: 0, epoch: tail.epoch }, 'reset', { reason: 'log_lost' });
}

/** What the log has let go of before it was read; with the whole result, where nothing but the end follows. */
export function gap(tail: Tail, fromSeq: number, toSeq: number): ExecutionEvent & { type: 'gap' } {
  const folded = toSeq === tail.end - 1 ? tail.archivedResult : undefined;
  return make(tail, { seq: toSeq, epoch: tail.epoch }, 'gap', { fromSeq, toSeq, ...folded });
}

/** @param position the cursor that the viewer has already */
export function warning(tail: Tail, position: string, data: EventData['warning']): ExecutionEvent {
  return make(tail, parseCursor(position), 'warning', data);
}

function make<Type extends 'reset' | 'gap' | 'warning'>(
  { executionId, attempt }: Tail,
  { seq, epoch = '' }: Cursor,
  type: Type,
  data: EventData[Type],
): ExecutionEvent & { type: Type } {
  const event = { type, data, ts: timestamp() } as NewEvent;
  return { id: formatCursor(seq, epoch), seq, executionId, attempt, ...event } as ExecutionEvent & {
    type: Type;
  };
}
