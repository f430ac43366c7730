// Envelopes as they are stored and announced in Redis: an event without its execution id. Other clients may have written
// there too, so nothing is trusted.
import type { EventData, EventType, ExecutionEvent } from '../../event/events.ts';
import { openEndOf } from '../../event/text.ts';
import type { Announcement } from '../log.ts';

/** The cursor of an event is sent to viewers, so it must be one that they can resume from. */
const CURSOR = /^\d{1,16}-[0-9a-z]{10,16}$/;

export function isCursor(text: string): boolean {
  return CURSOR.test(text);
}

/** Converts a parsed envelope to an event; undefined if it is not a valid one. */
export function toEvent(envelope: unknown, executionId: string): ExecutionEvent | undefined {
  const { id, seq, type, ts, attempt, completes, data } = (envelope ?? {}) as Partial<ExecutionEvent>;
  if (typeof id !== 'string' || !isCursor(id) || Number.parseInt(id, 10) !== seq) return undefined;
  if (typeof type !== 'string' || !Number.isSafeInteger(seq)) return undefined;
  if (typeof ts !== 'string' || !Number.isSafeInteger(attempt) || !isData(type, data)) return undefined;
  // In the order of the protocol's envelope, which is the order in which it is encoded.
  const event = { id, seq, type, ts, executionId, attempt, data } as ExecutionEvent;
  return completes === undefined || !isOpenEnd(completes) ? event : { ...event, completes };
}

/** Converts a parsed payload of a channel to an announcement; undefined if it is not a valid one. */
export function toAnnouncement(payload: unknown, executionId: string): Announcement | undefined {
  const { epoch, events: envelopes } = (payload ?? {}) as { epoch?: unknown; events?: unknown };
  if (typeof epoch !== 'string' || !Array.isArray(envelopes)) return undefined;
  const events: ExecutionEvent[] = [];
  for (const envelope of envelopes) {
    const event = toEvent(envelope, executionId);
    if (!event) return undefined;
    events.push(event);
  }
  return { epoch, events };
}

function isOpenEnd(text: unknown): boolean {
  return typeof text === 'string' && text !== '' && openEndOf(text) === text;
}

/** Checks the fields that are read on the way to a viewer; all other data passes through unread. */
function isData(type: EventType, data: unknown): boolean {
  if (typeof data !== 'object' || data === null) return false;
  if (type === 'llm_chunk') return typeof (data as EventData['llm_chunk']).content === 'string';
  if (type !== 'structured_delta') return true;
  const { patch } = data as Partial<EventData['structured_delta']>;
  return Array.isArray(patch) && patch.every((operation) => typeof operation?.path === 'string');
}
