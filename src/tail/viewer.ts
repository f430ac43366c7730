// One client's subscription: a cursor in a tail, not a queue. Events that it has not taken stay in the ring or in the
// log, so a slow viewer uses no memory.
//
// Invariants (test/tail)
// - Every event after the cursor that passes the filter is taken once and in order. `reset` and `gap` pass every filter.
// - Nothing is taken after the terminal event, nor after `close`.
// - `take` never blocks: it returns the next available event or undefined. The registered `waiter` is woken when more
//   may be available.
// - `position` is never ahead of an event that was not taken, and never moves back.
import { type Cursor, formatCursor } from '../event/cursor.ts';
import type { EventData, EventType, ExecutionEvent } from '../event/events.ts';
import type { EventSpan } from './event-span.ts';
import { withholdsPatches } from './patch-filter.ts';
import { warning } from './synthetic-events.ts';
import type { Tail } from './tail.ts';
import { ViewerCursor } from './viewer-cursor.ts';
import type { TailViewer } from './viewer-set.ts';

/** Delivered regardless of the filter; otherwise a viewer could mistake a partial stream for a complete one. */
const UNFILTERED: ReadonlySet<EventType> = new Set(['reset', 'gap']);

export interface ViewerOptions {
  /**
   * The cursor to resume after.
   * @default the start of the log
   */
  readonly after?: Cursor | undefined;
  /**
   * The event types to deliver.
   * @default all
   */
  readonly events?: ReadonlySet<EventType> | undefined;
  /** Viewers of one class may share encoded events. */
  readonly permissionClass: string;
  /** How often to poll a source that does not announce its events, in ms; the shortest of a tail's viewers counts. */
  readonly pollMs?: number | undefined;
}

export class Viewer implements TailViewer, AsyncIterable<ExecutionEvent> {
  readonly tail: Tail;
  readonly permissionClass: string;
  readonly pollMs: number | undefined;
  /** Woken when it is worth calling `take` again; once for each time that it is set. */
  waiter: { wake(): void } | undefined;
  readonly #filter: ReadonlySet<EventType> | undefined;
  readonly #onClose: () => void;
  readonly #cursor: ViewerCursor;
  #position: string | undefined;
  /** The seq of `#position`. */
  #positionSeq = -1;
  /** Read from the cursor by `ready`, and taken next. */
  #peeked: ExecutionEvent | undefined;
  /** Taken before anything else. One at most, however many outages an idle viewer sleeps through. */
  #warning: EventData['warning'] | undefined;
  #withholdsPatches = false;
  #closed = false;

  constructor(tail: Tail, options: ViewerOptions, onClose: () => void) {
    this.tail = tail;
    this.permissionClass = options.permissionClass;
    this.pollMs = options.pollMs;
    this.#filter = options.events;
    this.#cursor = new ViewerCursor(tail, options.after, this);
    this.#updatePosition();
    this.#onClose = onClose;
    tail.join(this);
    this.#compare();
    if (tail.activeWarning) this.warn(tail.activeWarning.code, tail.activeWarning.message);
  }

  /** The cursor after everything that was taken or filtered out; undefined while there is none. */
  get position(): string | undefined {
    return this.#position;
  }

  /** Whether everything of an ended execution has been taken. */
  get ended(): boolean {
    const { end } = this.tail;
    const { seq, isLost } = this.#cursor;
    return !this.#warning && !this.#peeked && !isLost && end > 0 && seq >= end;
  }

  /** Equal for viewers with the same filter. */
  get filterKey(): string {
    return this.#filter ? [...this.#filter].toSorted().join() : '*';
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The next event, if one is available. */
  take(): ExecutionEvent | undefined {
    if (this.#closed) return undefined;
    const event = this.#takeWarning() ?? this.#peeked ?? this.#nextPassing();
    if (event === this.#peeked) this.#peeked = undefined;
    if (event) this.#setPosition(event);
    return event;
  }

  /**
   * The next events as a span, which is shared with other viewers at the same cursor. Undefined if fewer than two events
   * are available, or if some of them may have to be filtered out; `take` then returns them one by one.
   */
  takeSpan(): EventSpan | undefined {
    // The lag first: most calls find a single event or none.
    const span = this.#cursor.lag >= 2 && this.#takesAll ? this.#cursor.nextSpan() : undefined;
    if (span) this.#setPosition(span.events.at(-1)!);
    return span;
  }

  /** Whether all events that follow are delivered unchanged, with no other event before them. */
  get #takesAll(): boolean {
    const isHeldUp = this.#warning || this.#peeked || this.#withholdsPatches || this.#closed;
    return !this.#filter && !isHeldUp && this.#cursor.isContinuous;
  }

  /** Resolves when an event is available, or none will be: the execution has ended or the viewer is closed. */
  async ready(): Promise<void> {
    while (!this.#closed && !this.#warning) {
      this.#peeked ??= this.#nextPassing();
      if (this.#peeked || this.ended) return;
      await new Promise<void>((resolve) => {
        this.waiter = { wake: resolve };
      });
    }
  }

  // Not a generator: if one is ended before its first event or while it waits, it would not close its viewer.
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
    const { waiter } = this;
    this.waiter = undefined;
    waiter?.wake();
  }

  /** Queues a warning, unless the filter excludes warnings. */
  warn(code: string, message: string): void {
    // A warning repeats the cursor. A viewer without one has received nothing that could stop.
    if (!this.#position || !this.#wants('warning')) return;
    this.#warning = { code, message };
    this.wake();
  }

  /** Leaves the tail. A later viewer can resume after `position`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.tail.leave(this);
    this.#onClose();
    this.wake();
  }

  #compare(): void {
    this.#cursor.compare();
    if (!this.#position) this.#updatePosition();
  }

  #takeWarning(): ExecutionEvent | undefined {
    const data = this.#warning;
    this.#warning = undefined;
    return data && warning(this.tail, this.#position!, data);
  }

  #nextPassing(): ExecutionEvent | undefined {
    const cursor = this.#cursor;
    for (;;) {
      const event = cursor.next();
      if (!event) {
        // Everything up to the cursor was taken or filtered out.
        this.#updatePosition();
        return undefined;
      }
      this.#withholdsPatches = withholdsPatches(event, this.#withholdsPatches);
      const isWithheld = this.#withholdsPatches && event.type === 'structured_delta';
      if (!isWithheld && this.#wants(event.type)) return event;
    }
  }

  #setPosition({ id, seq }: ExecutionEvent): void {
    this.#position = id;
    this.#positionSeq = seq;
  }

  /** Moves the position to the cursor. */
  #updatePosition(): void {
    const { seq, epoch } = this.#cursor;
    // The position is often that of the event just taken: no new string is built for it.
    if (epoch === undefined || seq === this.#positionSeq) return;
    this.#position = formatCursor(seq, epoch);
    this.#positionSeq = seq;
  }

  #wants(type: EventType): boolean {
    return !this.#filter || this.#filter.has(type) || UNFILTERED.has(type);
  }
}
