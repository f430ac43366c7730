// What a run has published and the log has not acknowledged: the queue, the batch in flight, and what must be said
// again before the queue goes on. No time and no I/O here; outbox.ts sends.
//
// Invariants:
// 1. One batch is in flight. Until its outcome is known it stays as it is, under the same batch id, so an answer
//    that got lost doubles nothing and no later event overtakes it.
// 2. Text held = text that the log has or is in flight + text queued, unless `due.fold` tells that something between
//    was let go of. Where it does, `again()` says all but what is queued before anything queued goes out: nothing is
//    missing, nothing is said twice.
// 3. Whatever is dropped sets `due.fold` in the same breath. Overflow drops the whole queue, so the hole is always
//    right before the queue, and one `due` describes any number of overflows.
// 4. A log that began anew (its own `reset` voids all before) puts the batch in flight back in front of the queue:
//    that log has none of it. What was resent is not kept but made anew, for it is part of the fold.
// 5. At most `maxBytes` plus one call's own events wait. A fold on its way out is not counted (it is bounded by what
//    is held), else a large one would overflow by itself and never get through.
import { randomUUID } from 'node:crypto';
import { type EventType, type NewEvent, timestamp } from '../event/events.ts';
import { eventBytes } from '../event/json.ts';
import { MAX_BATCH_BYTES } from '../log/log.ts';
import { createQueue, type Item, waitingBytes } from './event-queue.ts';

export interface Batch {
  readonly id: string;
  readonly items: readonly Item[];
  /** Without what is resent (invariant 5). */
  readonly bytes: number;
}

export interface BacklogOptions {
  /** Bytes from which one more event makes what is queued be let go of. */
  readonly maxBytes: number;
  /** The event that begins the stream of a log, whichever incarnation. */
  readonly startEvent: NewEvent;
  /** The events that say again, after a reset, all but the text that is queued (see Held). */
  again(queuedUnits: number): NewEvent[];
  /** Told how many events, other than text and values, an overflow dropped. */
  onOverflow(dropped: number): void;
}

export interface Backlog {
  /** Takes an event, always; above the bound, what is queued is let go of first. */
  push(event: NewEvent, apart?: boolean): void;
  /** The batch in flight, or the next one, which is in flight from now on; undefined where nothing waits. */
  next(): Batch | undefined;
  /** The log has the batch in flight. */
  acknowledge(): void;
  /** The log began anew, and its `reset` stands. */
  startOver(): void;
  /** Forgets everything. */
  clear(): void;
  readonly isEmpty: boolean;
  /** Bytes that wait, the batch in flight included. */
  readonly bytes: number;
  /** When the oldest event that is queued was published, in ms; 0 where something must go out at once. */
  readonly since: number;
}

/** What must be said before the queue goes on, in this order. */
interface Due {
  readonly start: boolean;
  /** A `reset` of our own, because of an overflow. */
  readonly reset: boolean;
  readonly fold: boolean;
}

export function createBacklog(options: BacklogOptions): Backlog {
  const queue = createQueue();
  let inFlight: Batch | undefined;
  let due: Due | undefined = { start: true, reset: false, fold: false };

  const bytes = (): number => queue.bytes + (inFlight?.bytes ?? 0);

  /** Lets go of what is queued (invariant 3). */
  function overflow(): void {
    const gone = queue.retain(() => false);
    const start = due?.start || gone.some(({ event }) => event === options.startEvent);
    due = { start, reset: true, fold: true };
    options.onOverflow(gone.filter(({ event, resent }) => !resent && !isContent(event.type)).length);
  }

  /** Puts what is due in front of the queue. */
  function sayDue({ start, reset, fold }: Due): void {
    const events: NewEvent[] = start ? [options.startEvent] : [];
    if (reset) events.push({ type: 'reset', ts: timestamp(), data: { reason: 'overflow' } });
    if (fold) {
      // Deltas that wait lead up to the value that is said whole here.
      queue.retain(({ event }) => event.type !== 'structured_delta');
      events.push(...options.again(queue.units()));
    }
    queue.unshift(events.map((event) => ({ event, bytes: eventBytes(event), resent: true })));
    due = undefined;
  }

  return {
    push(event, apart) {
      if (bytes() >= options.maxBytes) overflow();
      queue.push(event, apart);
    },
    next() {
      if (inFlight) return inFlight;
      if (due) sayDue(due);
      if (queue.length === 0) return undefined;
      const items = queue.take(MAX_BATCH_BYTES);
      inFlight = { id: randomUUID(), items, bytes: waitingBytes(items) };
      return inFlight;
    },
    acknowledge() {
      inFlight = undefined;
    },
    startOver() {
      // With an overflow due, text between this batch and the queue is gone: the batch's text is in the fold.
      const back = inFlight?.items.filter(({ event }) => !(due?.fold && isContent(event.type))) ?? [];
      inFlight = undefined;
      queue.unshift(back);
      queue.retain((item) => !item.resent);
      due = { start: true, reset: false, fold: true };
    },
    clear() {
      queue.retain(() => false);
      inFlight = undefined;
      due = undefined;
    },
    get isEmpty() {
      return !inFlight && !due && queue.length === 0;
    },
    get bytes() {
      return bytes();
    },
    get since() {
      return inFlight || due || queue.bytes >= MAX_BATCH_BYTES ? 0 : queue.since;
    },
  };
}

/** Whether an event is part of the text or value, which the fold can make good. */
function isContent(type: EventType): boolean {
  return type === 'llm_chunk' || type === 'structured_delta';
}
