// Spans: contiguous slices of a log that are encoded and written as one unit. Spans are shared by identity: viewers that
// get the same array share its encoding.
import type { ExecutionEvent } from '../event/events.ts';

/** The approximate size of one write of a stream: data, and what each event's envelope adds. */
const SPAN_BYTES = 48 * 1024;
const ENVELOPE_BYTES = 128;

/** A span's events; never empty. */
export type Events = readonly ExecutionEvent[];

/** The part of a span that a viewer has not taken: the events from an index on. */
export interface EventSpan {
  readonly events: Events;
  readonly from: number;
}

/** Collects events until a span is full. */
export class SpanBuilder {
  readonly events: ExecutionEvent[] = [];
  #bytes = 0;

  get isFull(): boolean {
    return this.#bytes >= SPAN_BYTES;
  }

  /** @param bytes size of the event's data */
  add(event: ExecutionEvent, bytes: number): void {
    this.events.push(event);
    this.#bytes += bytes + ENVELOPE_BYTES;
  }
}

/** Splits events into spans, always at the same places. */
export function splitIntoSpans(events: Events): Events[] {
  const spans: Events[] = [];
  let builder = new SpanBuilder();
  for (const event of events) {
    if (builder.isFull) {
      spans.push(builder.events);
      builder = new SpanBuilder();
    }
    builder.add(event, dataBytesOf(event));
  }
  if (builder.events.length > 0) spans.push(builder.events);
  return spans;
}

/** The approximate size of an event's data, in bytes. Text, the most frequent data, is counted without its escapes. */
export function dataBytesOf(event: ExecutionEvent): number {
  return Buffer.byteLength(event.type === 'llm_chunk' ? event.data.content : JSON.stringify(event.data));
}
