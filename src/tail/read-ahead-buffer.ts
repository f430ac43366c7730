// What a viewer that lags has read of the log, and has not taken yet.
import type { ExecutionEvent } from '../event/events.ts';
import type { EventSpan, Events } from './event-span.ts';

export class ReadAheadBuffer {
  /** In order; the first one holds what is next. */
  #parts: Events[];

  /**
   * @param parts of the log, as all read them
   * @param after what stands before it was taken
   * @param head what stands behind it is not told yet
   */
  constructor(parts: readonly Events[], after: number, head: number) {
    this.#parts = parts
      .map((events) => (lastOf(events) > head ? events.filter(({ seq }) => seq <= head) : events))
      .filter((events) => events.length > 0 && lastOf(events) > after);
  }

  /** Seq of the last event; 0 where there is none. */
  get last(): number {
    const events = this.#parts.at(-1);
    return events ? lastOf(events) : 0;
  }

  /** Seq of the first event behind one; undefined where there is none. */
  firstAfter(seq: number): number | undefined {
    const first = this.#parts[0]?.[0];
    return first && Math.max(first.seq, seq + 1);
  }

  at(seq: number): ExecutionEvent | undefined {
    const stretch = this.after(seq - 1);
    return stretch?.events[stretch.from];
  }

  /** What follows on a seq at once. */
  after(seq: number): EventSpan | undefined {
    const events = this.#parts[0];
    const from = events ? seq + 1 - events[0]!.seq : 0;
    return events?.[from]?.seq === seq + 1 ? { events, from } : undefined;
  }

  /** All up to a seq was taken, and is let go of. Answers whether something is left. */
  passed(seq: number): boolean {
    while (this.#parts[0] && lastOf(this.#parts[0]) <= seq) this.#parts.shift();
    return this.#parts.length > 0;
  }
}

function lastOf(events: Events): number {
  return events.at(-1)!.seq;
}
