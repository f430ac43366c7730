// The newest events of a log: contiguous seqs that end at the head, limited by count and size. It serves viewers that
// are slightly behind; a viewer that falls further behind reads the log.
//
// Invariants (test/tail/event-ring.test.ts)
// - The newest event is always held; older ones only within the limits.
// - Viewers at the same cursor get the same span until another event is added, so that its encoding is shared.
import type { ExecutionEvent } from '../event/events.ts';
import { dataBytesOf, type EventSpan, SpanBuilder } from './event-span.ts';

const MAX_EVENTS = 1_024;
const MAX_BYTES = 1024 * 1024;

export class EventRing {
  /** Separate from the others: a viewer that keeps up reads nothing else. */
  #newest: ExecutionEvent | undefined;
  /** Number of older events that are held. */
  #count = 0;
  /** The events before it, oldest first; those before index `#from` have been evicted. */
  #older: (ExecutionEvent | undefined)[] = [];
  #sizes: number[] = [];
  #from = 0;
  /** Bytes of the older events. */
  #bytes = 0;
  /** The last span up to the newest event: viewers that keep up all read the same one. */
  #upToNewest: EventSpan | undefined;

  /** Seq of the oldest event held; undefined if the ring is empty. */
  get first(): number | undefined {
    return (this.#count > 0 ? this.#older[this.#from] : this.#newest)?.seq;
  }

  /** The event at a seq, if it is held. */
  at(seq: number): ExecutionEvent | undefined {
    if (this.#newest?.seq === seq) return this.#newest;
    const { first } = this;
    return first === undefined || seq < first ? undefined : this.#older[this.#from + seq - first];
  }

  /** The span after a seq; undefined if its first event is not held. */
  after(seq: number): EventSpan | undefined {
    if (this.#upToNewest?.events[0]?.seq === seq + 1) return this.#upToNewest;
    const { first } = this;
    if (first === undefined || seq + 1 < first || seq >= this.#newest!.seq) return undefined;
    const builder = new SpanBuilder();
    let at = this.#from + seq + 1 - first;
    const end = this.#from + this.#count;
    for (; at < end && !builder.isFull; at += 1) builder.add(this.#older[at]!, this.#sizes[at]!);
    const { events } = builder;
    if (builder.isFull) return { events, from: 0 };
    events.push(this.#newest!);
    this.#upToNewest = { events, from: 0 };
    return this.#upToNewest;
  }

  /** Adds the next event, whose seq must follow the newest one's. */
  push(event: ExecutionEvent): void {
    if (this.#newest) this.#add(this.#newest);
    this.#newest = event;
    this.#upToNewest = undefined;
    if (this.#count > 0) this.#evict(MAX_BYTES - dataBytesOf(event));
  }

  clear(): void {
    this.#newest = undefined;
    this.#upToNewest = undefined;
    if (this.#count === 0) return;
    this.#older = [];
    this.#sizes = [];
    this.#from = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  #add(event: ExecutionEvent): void {
    const bytes = dataBytesOf(event);
    this.#older.push(event);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    this.#count += 1;
  }

  /** Evicts older events until a new one fits. */
  #evict(maxBytes: number): void {
    while (this.#count >= MAX_EVENTS || (this.#count > 0 && this.#bytes > maxBytes)) this.#shift();
    // Rarely, so that the copy costs little per event.
    if (this.#from >= MAX_EVENTS) this.#compact();
  }

  #shift(): void {
    this.#bytes -= this.#sizes[this.#from]!;
    this.#older[this.#from] = undefined;
    this.#from += 1;
    this.#count -= 1;
  }

  #compact(): void {
    this.#older = this.#older.slice(this.#from);
    this.#sizes = this.#sizes.slice(this.#from);
    this.#from = 0;
  }
}
