// The events that a workflow keeps for its query: appended at the end, trimmed at the beginning, read in pages.
import { utf8Bytes } from '../../event/text.ts';
import type { WorkflowEvent } from '../shared/stream-query.ts';

export interface EventBufferLimits {
  /** The number of events. */
  readonly maxEvents: number;
  /** Their size in bytes, as JSON in UTF-8. */
  readonly maxBytes: number;
}

/** Consecutive events, from `base + 1` to `next - 1`. */
export interface EventBuffer {
  /** The seq before the first event in the buffer. */
  readonly base: number;
  /** The seq of the next event. */
  readonly next: number;
  /** Adds the next event and trims. Nothing else trims, so that a replay trims at the same events. */
  add(event: WorkflowEvent): void;
  /** The events after a seq, up to `maxBytes` but at least one. */
  page(since: number, maxBytes: number): WorkflowEvent[];
  /** The last events, within these limits. */
  tail(limits: EventBufferLimits): WorkflowEvent[];
}

/**
 * Creates a buffer.
 * @param base the seq before the first of `carried`.
 * @param carried the events that the previous run carried over.
 */
export function createEventBuffer(
  limits: EventBufferLimits,
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
        (events.length - drop > limits.maxEvents || bytes > limits.maxBytes)
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
