// The most recent events of a log: a gap-free run of seqs that ends at the head, bounded by count and bytes.
import type { ExecutionEvent } from '../event/types.ts';

const MAX_EVENTS = 1_024;
const MAX_BYTES = 1024 * 1024;

export class Ring {
  /** By seq, oldest first. */
  readonly #held = new Map<number, { readonly event: ExecutionEvent; readonly bytes: number }>();
  #bytes = 0;
  #first = 0;

  /** Seq of the oldest event held; undefined while there is none. */
  get first(): number | undefined {
    return this.#held.size > 0 ? this.#first : undefined;
  }

  /** The event at a seq, if it is held. */
  at(seq: number): ExecutionEvent | undefined {
    return this.#held.get(seq)?.event;
  }

  /** Adds the next event. The caller sees to it that its seq follows the last one's. The last one always stays. */
  push(event: ExecutionEvent): void {
    const bytes = sizeOf(event);
    if (this.#held.size === 0) this.#first = event.seq;
    this.#held.set(event.seq, { event, bytes });
    this.#bytes += bytes;
    while (this.#held.size > 1 && (this.#held.size > MAX_EVENTS || this.#bytes > MAX_BYTES)) {
      this.#bytes -= this.#held.get(this.#first)!.bytes;
      this.#held.delete(this.#first);
      this.#first += 1;
    }
  }

  clear(): void {
    this.#held.clear();
    this.#bytes = 0;
  }
}

/** Bytes of the data. Text, which is most of what comes, need not be written as JSON to be counted. */
export function sizeOf(event: ExecutionEvent): number {
  return Buffer.byteLength(event.type === 'llm_chunk' ? event.data.content : JSON.stringify(event.data));
}
