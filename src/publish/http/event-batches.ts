// Splits the events of one append into requests within the server's limits (PROTOCOL.md, "Publishing over HTTP").
import type { NewEvent } from '../../event/events.ts';
import { byteLength } from '../../event/text.ts';
import { MAX_BATCH_BYTES } from '../../log/log.ts';

const MAX_EVENTS = 1_000;
/** What a body contains besides its events. */
const BODY_BYTES = 256;

/**
 * Splits events, in order. The same events are always split in the same way, so that the parts of a repeated append have
 * the same contents.
 */
export function splitEvents(events: readonly NewEvent[], maxBytes = MAX_BATCH_BYTES): NewEvent[][] {
  const parts: NewEvent[][] = [];
  let room = 0;
  for (const event of events) {
    const bytes = byteLength(JSON.stringify(event)) + 1;
    const last = parts.at(-1);
    if (last && bytes <= room && last.length < MAX_EVENTS) {
      last.push(event);
      room -= bytes;
    } else {
      parts.push([event]);
      room = maxBytes - BODY_BYTES - bytes;
    }
  }
  return parts;
}
