// Events that wait for the log, in order, counted in bytes; chunks that wait next to each other become one.
import type { NewEvent } from '../event/events.ts';
import { eventBytes } from '../event/json.ts';
import { contentBytes, MAX_CONTENT_BYTES } from '../event/text.ts';

export interface Item {
  readonly event: NewEvent;
  bytes: number;
  /** Made by the outbox to say again what was said; not counted as waiting, and made anew rather than kept. */
  readonly resent: boolean;
  /** A chunk that nothing is joined to. */
  readonly apart?: boolean;
}

export interface Queue {
  readonly length: number;
  /** Bytes of what waits, without what is resent. */
  readonly bytes: number;
  /** When the first event that waits was published, in ms. */
  readonly since: number;
  /** @param apart keeps a chunk from being joined with its neighbours. */
  push(event: NewEvent, apart?: boolean): void;
  /** Puts items in front of all others. */
  unshift(items: readonly Item[]): void;
  /** Takes items off the front, up to so many bytes and at least one. */
  take(maxBytes: number): Item[];
  /** Drops what does not pass, and answers it. */
  retain(passes: (item: Item) => boolean): Item[];
  /** UTF-16 code units of the text that waits. */
  units(): number;
}

/** Bytes that count as waiting. */
export function waitingBytes(items: readonly Item[]): number {
  return items.reduce((sum, { resent, bytes }) => sum + (resent ? 0 : bytes), 0);
}

export function createQueue(): Queue {
  let items: Item[] = [];
  let bytes = 0;

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
    push(event, apart = false) {
      const last = items.at(-1);
      const joins = !apart && last && !last.apart && !last.resent;
      if (joins && event.type === 'llm_chunk' && last.event.type === 'llm_chunk') {
        const more = contentBytes(event.data.content);
        // `bytes` is an upper bound of the chunk's data, so what is joined still fits.
        if (last.bytes + more <= MAX_CONTENT_BYTES) {
          const content = last.event.data.content + event.data.content;
          items[items.length - 1] = {
            ...last,
            event: { ...last.event, data: { content } },
            bytes: last.bytes + more,
          };
          bytes += more;
          return;
        }
      }
      const item = { event, bytes: eventBytes(event), resent: false, apart };
      items.push(item);
      bytes += item.bytes;
    },
    unshift(some) {
      items = [...some, ...items];
      bytes += waitingBytes(some);
    },
    take(maxBytes) {
      let sum = 0;
      let taken = 0;
      while (taken < items.length && (taken === 0 || sum + items[taken]!.bytes <= maxBytes)) {
        sum += items[taken]!.bytes;
        taken += 1;
      }
      const some = items.splice(0, taken);
      bytes -= waitingBytes(some);
      return some;
    },
    retain(passes) {
      const dropped = items.filter((item) => !passes(item));
      items = items.filter(passes);
      bytes -= waitingBytes(dropped);
      return dropped;
    },
    units() {
      let sum = 0;
      for (const { event } of items) if (event.type === 'llm_chunk') sum += event.data.content.length;
      return sum;
    },
  };
}
