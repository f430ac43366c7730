// Where a viewer is in a log: returns the events after its cursor, one by one, and the synthetic events in their place
// when the log has lost them. Events come from the tail's ring or, for a slow viewer, from pages of the log.
//
// What comes next, in this order:
//   no log    nothing, until there is one
//   lost      `reset`: the log is not, or is no longer, the one of the cursor. Reading restarts at its first event
//   trimmed   `gap`: the next events were deleted from the log
//   else      the next event
//
// Invariants (test/tail/viewer-cursor.test.ts)
// - Every seq after the cursor is returned once and in order, or a `gap` or `reset` takes its place.
// - A page of one incarnation of the log is not returned after another one has replaced it.
import type { Cursor } from '../event/cursor.ts';
import type { ExecutionEvent } from '../event/events.ts';
import type { EventSpan } from './event-span.ts';
import type { LogWindow } from './log-window.ts';
import { ReadAheadBuffer } from './read-ahead-buffer.ts';
import { gap, reset } from './synthetic-events.ts';
import type { Tail } from './tail.ts';

/** A tail, as a cursor uses it. */
type ReadableTail = LogWindow & Pick<Tail, 'taken' | 'page' | 'missed' | 'pageFailed'>;

export class ViewerCursor {
  /** Seq of the last event that was returned. */
  seq: number;
  /** Undefined for a cursor without one, until there is a log. */
  epoch: string | undefined;
  isLost = false;
  readonly #tail: ReadableTail;
  /** Woken when a page has been read. */
  readonly #viewer: { wake(): void };
  /** Read from the log, because the ring no longer holds the next event. */
  #readAhead: ReadAheadBuffer | undefined;
  #isLoading = false;
  /** The log has been trimmed up to this seq. */
  #trimmedTo = 0;

  constructor(tail: ReadableTail, after: Cursor | undefined, viewer: { wake(): void }) {
    this.#tail = tail;
    this.#viewer = viewer;
    this.seq = after?.seq ?? 0;
    this.epoch = after?.epoch;
  }

  /** Whether events follow one after another: no `reset` or `gap` is next. */
  get isContinuous(): boolean {
    return !this.isLost && this.#trimmedTo <= this.seq && this.#tail.epoch !== '';
  }

  /** The next event, if it is available. */
  next(): ExecutionEvent | undefined {
    const tail = this.#tail;
    if (tail.epoch === '') return undefined;
    if (this.isLost) return this.#restart();
    if (this.#trimmedTo > this.seq) return this.#skipTrimmed();
    const seq = this.seq + 1;
    if (seq > tail.head) return undefined;
    const event = tail.ring.at(seq) ?? this.#readAhead?.at(seq);
    if (event) this.#advance(seq);
    else void this.#load();
    return event;
  }

  /** How many events follow the cursor. */
  get lag(): number {
    return this.#tail.head - this.seq;
  }

  /** The next events as a span, if they are available. To be called only while the cursor is continuous. */
  nextSpan(): EventSpan | undefined {
    const span = this.#readAhead?.after(this.seq) ?? this.#tail.ring.after(this.seq);
    if (span) this.#advance(span.events.at(-1)!.seq);
    return span;
  }

  /** Compares the cursor with the log whenever that may have changed. A cursor without an epoch is one of any epoch. */
  compare(): void {
    const { epoch, head } = this.#tail;
    if (epoch === '' || this.isLost) return;
    this.isLost = (this.epoch ?? epoch) !== epoch || this.seq > head;
    // The tail's own string: the next comparison is one of pointers.
    if (!this.isLost) this.epoch = epoch;
    // The head has fallen: the events above it may never be in the log again.
    if (this.#readAhead && this.#readAhead.last > head) this.#readAhead = undefined;
  }

  #advance(seq: number): void {
    this.seq = seq;
    if (this.#readAhead && !this.#readAhead.discardTo(seq)) this.#readAhead = undefined;
    this.#tail.taken(seq);
  }

  #restart(): ExecutionEvent {
    // A head that has fallen within an epoch is a loss, whatever the reason for the epoch.
    const isOtherEpoch = this.epoch !== undefined && this.epoch !== this.#tail.epoch;
    const reason = isOtherEpoch ? this.#tail.resetReason : 'log_lost';
    this.isLost = false;
    this.epoch = this.#tail.epoch;
    this.seq = 0;
    this.#readAhead = undefined;
    this.#trimmedTo = 0;
    return reset(this.#tail, reason);
  }

  #skipTrimmed(): ExecutionEvent {
    const event = gap(this.#tail, this.seq + 1, this.#trimmedTo);
    this.seq = this.#trimmedTo;
    return event;
  }

  async #load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    const tail = this.#tail;
    const after = this.seq;
    const page = await tail.page(after).catch((error: unknown) => ({ error }));
    this.#isLoading = false;
    // The tail warns its viewers while the log is unavailable, and wakes them when it is available again.
    if (page && 'error' in page) return tail.pageFailed(page.error);
    const readAhead = new ReadAheadBuffer(page ?? [], after, tail.head);
    const first = readAhead.firstAfter(after);
    // A log that has not ended keeps its last event: it was lost, or the tail has missed that it was trimmed.
    if (first === undefined && tail.end === 0) return tail.missed();
    if (this.seq === after && !this.isLost) {
      this.#readAhead = readAhead;
      this.#trimmedTo = (first ?? tail.ring.first ?? tail.head + 1) - 1;
    }
    this.#viewer.wake();
  }
}
