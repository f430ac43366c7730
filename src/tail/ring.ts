// The most recent events of a log: a gap-free run of seqs that ends at the head, bounded by count and size. It is there
// for viewers that are a moment behind, and is kept for each execution: who lags further reads the log.
import type { ExecutionEvent } from '../event/types.ts';

const MAX_EVENTS = 1_024;
const MAX_BYTES = 1024 * 1024;

export class Ring {
  /** Oldest first; those before `#from` have been let go of. */
  #held: (ExecutionEvent | undefined)[] = [];
  #sizes: number[] = [];
  #from = 0;
  #bytes = 0;

  /** Seq of the oldest event held; undefined while there is none. */
  get first(): number | undefined {
    return this.#held[this.#from]?.seq;
  }

  /** The event at a seq, if it is held. */
  at(seq: number): ExecutionEvent | undefined {
    const { first } = this;
    return first === undefined || seq < first ? undefined : this.#held[this.#from + seq - first];
  }

  /** Adds the next event. The caller sees to it that its seq follows the last one's. The last one always stays. */
  push(event: ExecutionEvent): void {
    const bytes = sizeOf(event);
    this.#held.push(event);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    while (this.#count > 1 && (this.#count > MAX_EVENTS || this.#bytes > MAX_BYTES)) this.#shift();
    // Now and then, so that it costs each event little.
    if (this.#from >= MAX_EVENTS) this.#compact();
  }

  clear(): void {
    this.#held = [];
    this.#sizes = [];
    this.#from = 0;
    this.#bytes = 0;
  }

  get #count(): number {
    return this.#held.length - this.#from;
  }

  #shift(): void {
    this.#bytes -= this.#sizes[this.#from]!;
    this.#held[this.#from] = undefined;
    this.#from += 1;
  }

  #compact(): void {
    this.#held = this.#held.slice(this.#from);
    this.#sizes = this.#sizes.slice(this.#from);
    this.#from = 0;
  }
}

/** Bytes of the data. Text, which is most of what comes, need not be written as JSON to be counted. */
export function sizeOf(event: ExecutionEvent): number {
  return Buffer.byteLength(event.type === 'llm_chunk' ? event.data.content : JSON.stringify(event.data));
}
