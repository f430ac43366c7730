// How much of a log is told at once: events that follow one another, in an array that viewers share. Who is given the
// same array is told the same, so what was made of it for one of them is there for the others.
import type { ExecutionEvent } from '../event/events.ts';

/** What one write of a stream takes, about: data, and what each event's envelope adds. */
const STRETCH_BYTES = 48 * 1024;
const ENVELOPE_BYTES = 128;

/** Never empty. */
export type Events = readonly ExecutionEvent[];

/** What a viewer is told at once: these events, from an index on. */
export interface EventSpan {
  readonly events: Events;
  readonly from: number;
}

/** Takes events for as long as they go into one stretch. */
export class SpanBuilder {
  readonly events: ExecutionEvent[] = [];
  #bytes = 0;

  get isFull(): boolean {
    return this.#bytes >= STRETCH_BYTES;
  }

  /** @param bytes of the event's data */
  add(event: ExecutionEvent, bytes: number): void {
    this.events.push(event);
    this.#bytes += bytes + ENVELOPE_BYTES;
  }
}

/** Events as stretches: the same ones for all who read them. */
export function splitIntoSpans(events: Events): Events[] {
  const parts: Events[] = [];
  let part = new SpanBuilder();
  for (const event of events) {
    if (part.isFull) {
      parts.push(part.events);
      part = new SpanBuilder();
    }
    part.add(event, sizeOf(event));
  }
  if (part.events.length > 0) parts.push(part.events);
  return parts;
}

/** Bytes of the data, about. Text, which is most of what comes, need not be written as JSON to be counted. */
export function sizeOf(event: ExecutionEvent): number {
  return Buffer.byteLength(event.type === 'llm_chunk' ? event.data.content : JSON.stringify(event.data));
}
