// The most recent events of a log: a gap-free run of seqs that ends at the head, bounded by count and size. It is there
// for viewers that are a moment behind, and is kept for each execution: who lags further reads the log.
import type { ExecutionEvent } from '../event/events.ts';
import { type EventSpan, SpanBuilder, sizeOf } from './event-span.ts';

const MAX_EVENTS = 1_024;
const MAX_BYTES = 1024 * 1024;

export class EventRing {
  /** Apart from the others: a viewer that keeps up asks for no more. */
  #newest: ExecutionEvent | undefined;
  /** How many of the older ones are held. */
  #count = 0;
  /** Those before it, oldest first; what stands before `#from` has been let go of. */
  #older: (ExecutionEvent | undefined)[] = [];
  #sizes: number[] = [];
  #from = 0;
  /** Of the older ones. */
  #bytes = 0;
  /** The stretch up to the newest that was asked for last: viewers that keep up all ask for the same. */
  #upToNewest: EventSpan | undefined;

  /** Seq of the oldest event held; undefined while there is none. */
  get first(): number | undefined {
    return (this.#count > 0 ? this.#older[this.#from] : this.#newest)?.seq;
  }

  /** The event at a seq, if it is held. */
  at(seq: number): ExecutionEvent | undefined {
    if (this.#newest?.seq === seq) return this.#newest;
    const { first } = this;
    return first === undefined || seq < first ? undefined : this.#older[this.#from + seq - first];
  }

  /** What follows on a seq and is told at once; undefined where the first of that is not held. */
  after(seq: number): EventSpan | undefined {
    if (this.#upToNewest?.events[0]?.seq === seq + 1) return this.#upToNewest;
    const { first } = this;
    if (first === undefined || seq + 1 < first || seq >= this.#newest!.seq) return undefined;
    const gathered = new SpanBuilder();
    let at = this.#from + seq + 1 - first;
    const end = this.#from + this.#count;
    for (; at < end && !gathered.isFull; at += 1) gathered.add(this.#older[at]!, this.#sizes[at]!);
    const { events } = gathered;
    if (at < end || gathered.isFull) return { events, from: 0 };
    events.push(this.#newest!);
    this.#upToNewest = { events, from: 0 };
    return this.#upToNewest;
  }

  /** Adds the next event. The caller sees to it that its seq follows the last one's. The last one always stays. */
  push(event: ExecutionEvent): void {
    if (this.#newest) this.#add(this.#newest);
    this.#newest = event;
    this.#upToNewest = undefined;
    if (this.#count > 0) this.#keepTo(MAX_BYTES - sizeOf(event));
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
    const bytes = sizeOf(event);
    this.#older.push(event);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    this.#count += 1;
  }

  #keepTo(maxBytes: number): void {
    while (this.#count >= MAX_EVENTS || (this.#count > 0 && this.#bytes > maxBytes)) this.#shift();
    // Now and then, so that it costs each event little.
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
