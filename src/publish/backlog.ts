// What a run has published and the log has not acknowledged: the queue, the batch in flight, and what must be resent
// before the queue. It has no timers and no I/O; outbox.ts sends.
//
//   pending resend (what the next batch begins with):
//     created ──────────> start event
//     overflow() ───────> [start event], reset, content
//     restart() ────────> start event, content
//     next() ───────────> nothing: it is in the queue
//
// Invariants:
// 1. One batch is in flight. Until its outcome is known it is unchanged, under the same batch id, so a lost response
//    duplicates nothing and no later event overtakes the batch.
// 2. All text published = text that the log has or that is in flight + queued text, unless `pending.content` records
//    that text in between was dropped. In that case `resendEvents()` yields everything except the queued text, before
//    anything queued is sent: nothing is missing, nothing is duplicated.
// 3. Dropping events sets `pending.content` in the same step. An overflow drops the complete queue, so the gap is
//    always directly before the queue, and one pending resend covers any number of overflows.
// 4. After a restart (the log's own `reset` voids everything before) the batch in flight returns to the front of the
//    queue, because the new epoch has none of it. Resent events are not kept but created again.
// 5. Up to `maxBytes` wait, plus the events of one call. Resent events are not counted (their size is limited by what
//    the run retains); otherwise a large resend would overflow the queue itself and never reach the log.
import { type EventType, type NewEvent, timestamp } from '../event/events.ts';
import { eventBytes } from '../event/json.ts';
import type { SizeLimits } from '../event/size-limits.ts';
import { MAX_BATCH_BYTES } from '../log/log.ts';
import { createEventQueue, type Item, waitingBytes } from './event-queue.ts';

export interface Batch {
  readonly id: string;
  readonly items: readonly Item[];
  /** Without resent events (invariant 5). */
  readonly bytes: number;
}

export interface BacklogOptions {
  /** Waiting bytes from which the next event drops the queue. */
  readonly maxBytes: number;
  readonly sizes: SizeLimits;
  /** The first event of every epoch of the log. */
  readonly startEvent: NewEvent;
  /** See `ResendState.resendEvents`. */
  resendEvents(queuedUnits: number): NewEvent[];
  /** @param dropped events other than text and values that an overflow dropped */
  onOverflow(dropped: number): void;
}

export interface Backlog {
  /** Queues an event. From `maxBytes` on, the queue is dropped first. */
  push(event: NewEvent, noMerge?: boolean): void;
  /** The batch in flight, or the next one, which is then in flight; undefined if nothing waits. */
  next(): Batch | undefined;
  /** The log has the batch in flight. */
  acknowledge(): void;
  /** The log is a new epoch, which begins with a `reset`. */
  restart(): void;
  /** Drops everything. */
  clear(): void;
  readonly isEmpty: boolean;
  /** Bytes that wait, the batch in flight included. */
  readonly bytes: number;
  /** When the oldest queued event was published, in ms since the epoch; 0 if something must be sent immediately. */
  readonly since: number;
}

/** What must be sent before the queue, in this order. */
interface PendingResend {
  readonly start: boolean;
  /** A `reset` of the publisher, after an overflow. */
  readonly reset: boolean;
  /** The text or value that was published. */
  readonly content: boolean;
}

export function createBacklog(options: BacklogOptions): Backlog {
  const { maxBytes, sizes, startEvent, resendEvents, onOverflow } = options;
  const queue = createEventQueue(sizes);
  let inFlight: Batch | undefined;
  let pending: PendingResend | undefined = { start: true, reset: false, content: false };

  const bytes = (): number => queue.bytes + (inFlight?.bytes ?? 0);

  /** Drops the queue (invariant 3). */
  function overflow(): void {
    const dropped = queue.retain(() => false);
    const start = pending?.start || dropped.some(({ event }) => event === startEvent);
    pending = { start, reset: true, content: true };
    onOverflow(dropped.filter(({ event, resent }) => !resent && !isContent(event.type)).length);
  }

  /** Inserts the pending resend in front of the queue. */
  function enqueuePending({ start, reset, content }: PendingResend): void {
    const events: NewEvent[] = start ? [startEvent] : [];
    if (reset) events.push({ type: 'reset', ts: timestamp(), data: { reason: 'overflow' } });
    if (content) {
      // The complete value is resent, which the queued deltas lead up to.
      queue.retain(({ event }) => event.type !== 'structured_delta');
      events.push(...resendEvents(queue.textUnits()));
    }
    queue.unshift(events.map((event) => ({ event, bytes: eventBytes(event), resent: true })));
    pending = undefined;
  }

  return {
    push(event, noMerge) {
      if (bytes() >= maxBytes) overflow();
      queue.push(event, noMerge);
    },
    next() {
      if (inFlight) return inFlight;
      if (pending) enqueuePending(pending);
      if (queue.length === 0) return undefined;
      const items = queue.take(MAX_BATCH_BYTES);
      inFlight = { id: crypto.randomUUID(), items, bytes: waitingBytes(items) };
      return inFlight;
    },
    acknowledge() {
      inFlight = undefined;
    },
    restart() {
      // After an overflow, text between this batch and the queue was dropped, so the resend contains the batch's text.
      const returned =
        inFlight?.items.filter(({ event }) => !(pending?.content && isContent(event.type))) ?? [];
      inFlight = undefined;
      queue.unshift(returned);
      queue.retain((item) => !item.resent);
      pending = { start: true, reset: false, content: true };
    },
    clear() {
      queue.retain(() => false);
      inFlight = undefined;
      pending = undefined;
    },
    get isEmpty() {
      return !inFlight && !pending && queue.length === 0;
    },
    get bytes() {
      return bytes();
    },
    get since() {
      return inFlight || pending || queue.bytes >= MAX_BATCH_BYTES ? 0 : queue.since;
    },
  };
}

/** Whether an event is part of the text or value, which can be resent. */
function isContent(type: EventType): boolean {
  return type === 'llm_chunk' || type === 'structured_delta';
}
