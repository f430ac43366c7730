// The events of one workflow that wait for their log.
import { MAX_BATCH_BYTES } from '../../log/log.ts';
import type { RunSinkEvent } from './sink-target.ts';

const MAX_BATCH_EVENTS = 200;
/** Bytes that a log's envelope adds to an event. */
const ENVELOPE_BYTES = 100;

export interface SinkQueue {
  readonly isEmpty: boolean;
  /**
   * Appends an event. One that a retried workflow task emits replaces the queued events of the failed task: those with
   * the same or a later seq.
   */
  push(event: RunSinkEvent): void;
  /** The first events that one append may hold: consecutive seqs of one epoch. */
  batch(): RunSinkEvent[];
  /** Removes those of these events that are still queued. */
  remove(events: readonly RunSinkEvent[], isDropped: boolean): void;
  /** Removes everything. */
  drop(): void;
}

/** @param onRemoved is called for each event that leaves the queue. */
export function createSinkQueue(onRemoved: (bytes: number, isDropped: boolean) => void): SinkQueue {
  const queue: RunSinkEvent[] = [];

  function remove(events: readonly RunSinkEvent[], isDropped: boolean): void {
    for (const event of events) {
      const at = queue.indexOf(event);
      if (at < 0) continue;
      queue.splice(at, 1);
      onRemoved(event.bytes, isDropped);
    }
  }

  return {
    get isEmpty() {
      return queue.length === 0;
    },
    push(pushed) {
      const isReplaced = ({ epoch, event }: RunSinkEvent) =>
        epoch === pushed.epoch && event.seq >= pushed.event.seq;
      const last = queue.at(-1);
      if (last && isReplaced(last)) remove(queue.filter(isReplaced), false);
      queue.push(pushed);
    },
    batch() {
      const first = queue[0]!;
      let bytes = 0;
      const end = queue.findIndex((queued, i) => {
        bytes += queued.bytes + ENVELOPE_BYTES;
        const isNext = queued.epoch === first.epoch && queued.event.seq === first.event.seq + i;
        return i > 0 && (!isNext || bytes > MAX_BATCH_BYTES || i >= MAX_BATCH_EVENTS);
      });
      return queue.slice(0, end < 0 ? undefined : end);
    },
    remove,
    drop: () => remove([...queue], true),
  };
}
