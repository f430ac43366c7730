// The events that a workflow holds for its query: added at the end, let go of at the beginning, read in pages.
import type { WorkflowEvent } from '../shared/stream-query.ts';

export interface EventBufferLimits {
  /** Events kept. */
  readonly maxEvents: number;
  /** Bytes kept, as JSON in UTF-8. */
  readonly maxBytes: number;
}

/** Events in a row, the last of them `base + length`. */
export interface EventBuffer {
  /** The seq before the first event that is held. */
  readonly base: number;
  /** The seq of the next event. */
  readonly next: number;
  /** Adds the next event and trims: the only place that does, so that replay trims alike. */
  add(event: WorkflowEvent): void;
  /** The events after a seq, cut at so many bytes but never below one event. */
  page(since: number, maxBytes: number): WorkflowEvent[];
  /** The last events, within bounds. */
  tail(bounds: EventBufferLimits): WorkflowEvent[];
}

/**
 * Makes room for events.
 * @param base the seq before the first of `carried`, which were there before this run.
 */
export function createEventBuffer(
  bounds: EventBufferLimits,
  base: number,
  carried: readonly WorkflowEvent[],
): EventBuffer {
  const events = [...carried];
  const sizes = events.map(sizeOf);
  let bytes = sizes.reduce((sum, size) => sum + size, 0);

  return {
    get base() {
      return base;
    },
    get next() {
      return base + events.length + 1;
    },
    add(event) {
      const size = sizeOf(event);
      events.push(event);
      sizes.push(size);
      bytes += size;
      let drop = 0;
      // The last event always stays.
      while (
        drop < events.length - 1 &&
        (events.length - drop > bounds.maxEvents || bytes > bounds.maxBytes)
      ) {
        bytes -= sizes[drop]!;
        drop += 1;
      }
      events.splice(0, drop);
      sizes.splice(0, drop);
      base += drop;
    },
    page(since, maxBytes) {
      const from = Math.max(0, since - base);
      let to = from;
      for (let room = maxBytes; to < events.length; to += 1) {
        room -= sizes[to]!;
        if (room < 0 && to > from) break;
      }
      return events.slice(from, to);
    },
    tail({ maxEvents, maxBytes }) {
      let from = events.length;
      for (let room = maxBytes; from > Math.max(0, events.length - maxEvents); from -= 1) {
        room -= sizes[from - 1]!;
        if (room < 0) break;
      }
      return events.slice(from);
    },
  };
}

function sizeOf(event: WorkflowEvent): number {
  return utf8Bytes(JSON.stringify(event));
}

/** Bytes of a text in UTF-8. Counted here: the sandbox has no Buffer. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    // Each half of a pair counts 2; what JSON.stringify writes has no half alone.
    if (unit >= 0x80) bytes += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
