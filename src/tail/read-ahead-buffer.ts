// Spans that a slow viewer has read from the log and not taken yet.
import type { ExecutionEvent } from '../event/events.ts';
import type { EventSpan, Events } from './event-span.ts';

export class ReadAheadBuffer {
  /** In order; the first one holds the next event. */
  #spans: Events[];

  /**
   * @param spans of the log, as all viewers read them
   * @param after events up to this seq have been taken
   * @param head events after this seq are not in the tail yet
   */
  constructor(spans: readonly Events[], after: number, head: number) {
    this.#spans = spans
      .map((events) => (lastSeqOf(events) > head ? events.filter(({ seq }) => seq <= head) : events))
      .filter((events) => events.length > 0 && lastSeqOf(events) > after);
  }

  /** Seq of the last event; 0 if there is none. */
  get last(): number {
    const events = this.#spans.at(-1);
    return events ? lastSeqOf(events) : 0;
  }

  /** Seq of the first event after a seq; undefined if there is none. */
  firstAfter(seq: number): number | undefined {
    const first = this.#spans[0]?.[0];
    return first && Math.max(first.seq, seq + 1);
  }

  /** The event at a seq, if it is the next one. */
  at(seq: number): ExecutionEvent | undefined {
    const span = this.after(seq - 1);
    return span?.events[span.from];
  }

  /** The span that continues after a seq, if it is next. */
  after(seq: number): EventSpan | undefined {
    const events = this.#spans[0];
    const from = events ? seq + 1 - events[0]!.seq : 0;
    return events?.[from] && { events, from };
  }

  /**
   * Discards the spans that end at or before a seq.
   * @returns whether any are left
   */
  discardTo(seq: number): boolean {
    while (this.#spans[0] && lastSeqOf(this.#spans[0]) <= seq) this.#spans.shift();
    return this.#spans.length > 0;
  }
}

function lastSeqOf(events: Events): number {
  return events.at(-1)!.seq;
}
