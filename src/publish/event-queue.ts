// Events that wait for the log, in order, counted in bytes. Neighbouring text chunks are merged.
import type { NewEvent } from '../event/events.ts';
import { eventBytes } from '../event/json.ts';
import { DEFAULT_SIZE_LIMITS, type SizeLimits } from '../event/size-limits.ts';
import { contentBytes, maxContentBytes } from '../event/text.ts';

export interface Item {
  readonly event: NewEvent;
  bytes: number;
  /** A repetition of published content. It is not counted as waiting, and is created again rather than kept. */
  readonly resent: boolean;
  /** A chunk that is not merged with its neighbours. */
  readonly noMerge?: boolean;
}

export interface EventQueue {
  readonly length: number;
  /** Bytes that wait, without resent events. */
  readonly bytes: number;
  /** When the first event was published, in ms since the epoch; 0 if the queue is empty. */
  readonly since: number;
  /** @param noMerge keeps a chunk from being merged with its neighbours */
  push(event: NewEvent, noMerge?: boolean): void;
  /** Inserts items in front of all others. */
  unshift(items: readonly Item[]): void;
  /** Removes items from the front, up to `maxBytes` and at least one. */
  take(maxBytes: number): Item[];
  /** Removes the items that fail the predicate, and returns them. */
  retain(predicate: (item: Item) => boolean): Item[];
  /** UTF-16 code units of the text that waits. */
  textUnits(): number;
}

/** Bytes that count as waiting. */
export function waitingBytes(items: readonly Item[]): number {
  return items.reduce((sum, { resent, bytes }) => sum + (resent ? 0 : bytes), 0);
}

/** An upper bound for the bytes of an event, also in the sense of `contentBytes`. */
function bytesOf(event: NewEvent): number {
  const bytes = eventBytes(event);
  return event.type === 'llm_chunk' ? Math.max(bytes, contentBytes(event.data.content)) : bytes;
}

export function createEventQueue(sizes: SizeLimits = DEFAULT_SIZE_LIMITS): EventQueue {
  const maxChunkBytes = maxContentBytes(sizes);
  let items: Item[] = [];
  let bytes = 0;

  /** Appends a chunk's text to the last item, if both may be merged. */
  function merge(event: NewEvent): boolean {
    const last = items.at(-1);
    if (!last || last.noMerge || last.resent) return false;
    if (event.type !== 'llm_chunk' || last.event.type !== 'llm_chunk') return false;
    const added = contentBytes(event.data.content);
    // `bytes` is an upper bound of the size of the chunk's data, so a merged chunk is never too large.
    if (last.bytes + added > maxChunkBytes) return false;
    const content = last.event.data.content + event.data.content;
    items[items.length - 1] = {
      ...last,
      event: { ...last.event, data: { content } },
      bytes: last.bytes + added,
    };
    bytes += added;
    return true;
  }

  return {
    get length() {
      return items.length;
    },
    get bytes() {
      return bytes;
    },
    get since() {
      return items[0] === undefined ? 0 : Date.parse(items[0].event.ts);
    },
    push(event, noMerge = false) {
      if (!noMerge && merge(event)) return;
      const item = { event, bytes: bytesOf(event), resent: false, noMerge };
      items.push(item);
      bytes += item.bytes;
    },
    unshift(added) {
      items = [...added, ...items];
      bytes += waitingBytes(added);
    },
    take(maxBytes) {
      let sum = 0;
      let count = 0;
      while (count < items.length && (count === 0 || sum + items[count]!.bytes <= maxBytes)) {
        sum += items[count]!.bytes;
        count += 1;
      }
      const taken = items.splice(0, count);
      bytes -= waitingBytes(taken);
      return taken;
    },
    retain(predicate) {
      const removed = items.filter((item) => !predicate(item));
      items = items.filter(predicate);
      bytes -= waitingBytes(removed);
      return removed;
    },
    textUnits() {
      let sum = 0;
      for (const { event } of items) if (event.type === 'llm_chunk') sum += event.data.content.length;
      return sum;
    },
  };
}
