// One client's subscription: a cursor in a tail, not a queue. What it has not taken yet stays in the ring or in
// the log, so a viewer that lags costs no memory.
//
// Invariants.
// - Every seq after the cursor is taken once and in order, or a `gap` or a `reset` says which are not.
// - Nothing is taken after the terminal event.
// - `take` never waits; it answers what is there, and who is `waiting` is woken when more may be.
import { type Cursor, formatCursor } from '../event/cursor.ts';
import type { EventData, EventType, ExecutionEvent } from '../event/events.ts';
import { setsWholeValue } from '../event/json-patch.ts';
import type { EventSpan } from './event-span.ts';
import { ReadAheadBuffer } from './read-ahead-buffer.ts';
import { gap, reset, warning } from './synthetic-events.ts';
import type { Tail } from './tail.ts';
import type { TailViewer } from './viewer-set.ts';

/** These pass every filter: without them a viewer would take a hole for the whole. */
const ALWAYS: ReadonlySet<EventType> = new Set(['reset', 'gap']);

export interface ViewerOptions {
  /** Where to read on from; from the start by default. */
  readonly after?: Cursor | undefined;
  /** Only these types; all by default. */
  readonly events?: ReadonlySet<EventType> | undefined;
  /** Viewers of one class may share what is made of an event. */
  readonly permissionClass: string;
  /** How often a source that announces nothing is to be asked; the shortest of a tail's viewers counts. */
  readonly pollMs?: number | undefined;
}

export class Viewer implements TailViewer, AsyncIterable<ExecutionEvent> {
  readonly tail: Tail;
  readonly permissionClass: string;
  readonly pollMs: number | undefined;
  /** Woken, once for each time that `take` found nothing, when it is worth asking again. */
  waiter: { wake(): void } | undefined;
  readonly #filter: ReadonlySet<EventType> | undefined;
  readonly #onClose: () => void;
  #seq: number;
  #epoch: string | undefined;
  #position: string | undefined;
  /** Its seq. */
  #positionSeq = -1;
  /** Read from the log, where the ring has moved on. */
  #ahead: ReadAheadBuffer | undefined;
  #loading = false;
  /** Everything up to this seq that is still to come is gone from the log. */
  #gone = 0;
  /** The log is not, or is no more, the one that the cursor was of. */
  #lost = false;
  /** Found by `ready`, and next to be taken. */
  #peeked: ExecutionEvent | undefined;
  /** Said by the tail, and taken before anything else. One at most, however many outages an idle viewer sees. */
  #warning: EventData['warning'] | undefined;
  /** A gap swallowed patches, so the next ones apply to a value that the viewer does not have. */
  #patchesHeld = false;
  #closed = false;

  constructor(tail: Tail, options: ViewerOptions, onClose: () => void) {
    this.tail = tail;
    this.permissionClass = options.permissionClass;
    this.pollMs = options.pollMs;
    this.#filter = options.events;
    this.#seq = options.after?.seq ?? 0;
    this.#epoch = options.after?.epoch;
    if (this.#epoch) this.#moveTo(this.#epoch);
    this.#onClose = onClose;
    tail.join(this);
    this.#compare();
    if (tail.activeWarning) this.warn(tail.activeWarning.code, tail.activeWarning.message);
  }

  /** The cursor behind all that was taken or filtered out; undefined while there is none yet. */
  get position(): string | undefined {
    return this.#position;
  }

  /** Whether all of an ended execution has been taken. */
  get ended(): boolean {
    const { end } = this.tail;
    return !this.#warning && !this.#peeked && !this.#lost && end > 0 && this.#seq >= end;
  }

  /** Equal for viewers with the same filter. */
  get filterKey(): string {
    return this.#filter ? [...this.#filter].toSorted().join() : '*';
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The next event, if one is there. */
  take(): ExecutionEvent | undefined {
    if (this.#closed) return undefined;
    const event = this.#takeWarning() ?? this.#peeked ?? this.#nextPassing();
    if (event === this.#peeked) this.#peeked = undefined;
    if (event) {
      this.#position = event.id;
      this.#positionSeq = event.seq;
    }
    return event;
  }

  /**
   * What follows on the cursor and is told at once, the same for all viewers that stand there. Undefined where there is
   * nothing such: where but one event is there or none, and where `take` has to look at each.
   */
  takeSpan(): EventSpan | undefined {
    const { tail } = this;
    if (tail.head - this.#seq < 2 || !this.#takesAll) return undefined;
    const stretch = this.#ahead?.after(this.#seq) ?? tail.ring.after(this.#seq);
    const last = stretch?.events.at(-1);
    if (!last) return undefined;
    this.#passed(last.seq);
    this.#position = last.id;
    this.#positionSeq = last.seq;
    return stretch;
  }

  /** Whether every event that follows is to be told as it is, and nothing before it. */
  get #takesAll(): boolean {
    const isHeldUp = this.#warning || this.#peeked || this.#lost || this.#patchesHeld || this.#closed;
    return !this.#filter && !isHeldUp && this.#gone <= this.#seq && this.tail.epoch !== '';
  }

  /** Resolves when there is something to take, or never will be: the execution has ended or the viewer is closed. */
  async ready(): Promise<void> {
    while (!this.#closed && !this.#warning) {
      this.#peeked ??= this.#nextPassing();
      if (this.#peeked || this.ended) return;
      await new Promise<void>((resolve) => {
        this.waiter = { wake: resolve };
      });
    }
  }

  // Not a generator: one that was never begun, or that waits for an event, would not close its viewer.
  [Symbol.asyncIterator](): AsyncIterator<ExecutionEvent> {
    return {
      next: async () => {
        await this.ready();
        const value = this.take();
        if (value) return { done: false, value };
        this.close();
        return { done: true, value: undefined };
      },
      return: async () => {
        this.close();
        return { done: true, value: undefined };
      },
    };
  }

  wake(): void {
    this.#compare();
    const { waiter: waiting } = this;
    this.waiter = undefined;
    waiting?.wake();
  }

  warn(code: string, message: string): void {
    // A warning repeats the cursor; whoever has none yet has read nothing that could stop.
    if (!this.#position || !this.#wants('warning')) return;
    this.#warning = { code, message };
    this.wake();
  }

  /** Lets go of the tail. What was not taken is not lost: a later viewer reads on from `position`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.tail.leave(this);
    this.#onClose();
    this.wake();
  }

  #takeWarning(): ExecutionEvent | undefined {
    const data = this.#warning;
    this.#warning = undefined;
    return data && warning(this.tail, this.#position!, data);
  }

  #nextPassing(): ExecutionEvent | undefined {
    for (;;) {
      const event = this.#next();
      if (event && !(this.#patchApplies(event) && this.#wants(event.type))) continue;
      // All up to here was taken or filtered out.
      if (!event && this.#epoch && !this.#lost) this.#moveTo(this.#epoch);
      return event;
    }
  }

  #moveTo(epoch: string): void {
    // Where it is that of the event just taken, it stands.
    if (this.#seq === this.#positionSeq) return;
    this.#position = formatCursor(this.#seq, epoch);
    this.#positionSeq = this.#seq;
  }

  #next(): ExecutionEvent | undefined {
    const { tail } = this;
    if (tail.epoch === '') return undefined;
    if (this.#lost) return this.#reset();
    if (this.#gone > this.#seq) return this.#gap();
    const seq = this.#seq + 1;
    if (seq > tail.head) return undefined;
    const event = tail.ring.at(seq) ?? this.#ahead?.at(seq);
    if (event) this.#passed(seq);
    else void this.#load();
    return event;
  }

  /** All up to a seq was taken. */
  #passed(seq: number): void {
    this.#seq = seq;
    if (this.#ahead && !this.#ahead.passed(seq)) this.#ahead = undefined;
    this.tail.taken(seq);
  }

  /** Compares the cursor with where the log stands. A bare cursor, or none, is one of any epoch. */
  #compare(): void {
    const { epoch, head } = this.tail;
    if (epoch === '' || this.#lost) return;
    this.#lost = (this.#epoch ?? epoch) !== epoch || this.#seq > head;
    // The very same text, which is compared at once the next time.
    if (!this.#lost) this.#epoch = epoch;
    if (!this.#lost && !this.#position) this.#moveTo(epoch);
    // What was read ahead of a head that has fallen may not come to stand in the log again.
    if (this.#ahead && this.#ahead.last > head) this.#ahead = undefined;
  }

  #reset(): ExecutionEvent {
    this.#lost = false;
    this.#epoch = this.tail.epoch;
    this.#seq = 0;
    this.#ahead = undefined;
    this.#gone = 0;
    return reset(this.tail);
  }

  async #load(): Promise<void> {
    if (this.#loading) return;
    this.#loading = true;
    const { tail } = this;
    const after = this.#seq;
    const page = await tail.page(after).catch((error: unknown) => ({ error }));
    this.#loading = false;
    // The tail warns its viewers while the log does not answer, and wakes them when it does.
    if (page && 'error' in page) return void tail.catchUp(page.error);
    const ahead = new ReadAheadBuffer(page ?? [], after, tail.head);
    const first = ahead.firstAfter(after);
    // A log that has not ended does not let go of its last event: it is lost, or has left the tail behind.
    if (first === undefined && tail.end === 0) return void tail.catchUp();
    if (this.#seq === after && !this.#lost) {
      this.#ahead = ahead;
      this.#gone = (first ?? tail.ring.first ?? tail.head + 1) - 1;
    }
    this.wake();
  }

  #gap(): ExecutionEvent {
    const event = gap(this.tail, this.#seq + 1, this.#gone);
    this.#seq = this.#gone;
    this.#patchesHeld = !('value' in event.data);
    return event;
  }

  /** Whether the viewer holds the value that a patch is meant for: a gap takes it away, a whole value gives it back. */
  #patchApplies(event: ExecutionEvent): boolean {
    const whole = event.type === 'structured_delta' && setsWholeValue(event.data.patch);
    if (whole || event.type === 'reset') this.#patchesHeld = false;
    return !(this.#patchesHeld && event.type === 'structured_delta');
  }

  #wants(type: EventType): boolean {
    return !this.#filter || this.#filter.has(type) || ALWAYS.has(type);
  }
}
