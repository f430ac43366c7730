// Encode once, write many: what one operation makes of the events of one tail, shared by all viewers whose results
// cannot differ. Resolvers receive the event and an empty context, so nothing of one caller can reach another.
import type { ExecutionResult } from 'graphql';
import type { ExecutionEvent } from '../event/events.ts';
import { type Frame, joined } from '../sse/frame.ts';
import type { EventSpan, Events } from '../tail/event-span.ts';
import type { Tail } from '../tail/tail.ts';
import type { Encoder, EventExecutor } from './encoder.ts';
import { FrameCache } from './frame-cache.ts';

/** How often GraphQL was executed for an event; a test shows that it does not grow with the viewers. */
export interface ExecutionCounter {
  executions: number;
}

/** What was made of the events of a stretch; each when it is first asked for. */
interface SpanFrames {
  readonly frames: (Frame | undefined)[];
  /** All as one. */
  whole: Frame | undefined;
}

export class SharedEncoding {
  /** Viewers that share it. */
  users = 0;
  readonly permissionClass: string;
  readonly #tail: Tail;
  readonly #executor: EventExecutor;
  readonly #counter: ExecutionCounter;
  readonly #results = new WeakMap<ExecutionEvent, ExecutionResult>();
  /** Of events that the ring holds. */
  #frames: FrameCache | undefined;
  /** Let go of with the stretch. */
  readonly #made = new WeakMap<Events, SpanFrames>();
  /** Viewers with the same filter that keep up ask for the same stretch, one after the other. */
  #lastJoined: { readonly first: Frame; readonly last: Frame; readonly frame: Frame } | undefined;

  constructor(tail: Tail, executor: EventExecutor, counter: ExecutionCounter, permissionClass: string) {
    this.permissionClass = permissionClass;
    this.#tail = tail;
    this.#executor = executor;
    this.#counter = counter;
  }

  result(event: ExecutionEvent): ExecutionResult {
    let result = this.#results.get(event);
    if (!result) {
      this.#counter.executions += 1;
      result = this.#executor.result(event);
      this.#results.set(event, result);
    }
    return result;
  }

  frame(event: ExecutionEvent, encoding: Encoder): Frame {
    const kept = this.#frames?.get(event);
    if (kept) return kept;
    this.#counter.executions += 1;
    const frame = encoding.next(event, this.#executor);
    const { ring } = this.#tail;
    if (ring.at(event.seq) === event) this.#keep(event, frame);
    // A viewer that is alone leaves nothing behind.
    else if (ring.first === undefined) this.#frames = undefined;
    return frame;
  }

  #keep(event: ExecutionEvent, frame: Frame): void {
    this.#frames ??= new FrameCache();
    this.#frames.set(event, frame);
  }

  /** What a stretch is told as. */
  stretch({ events, from }: EventSpan, encoding: Encoder): Frame {
    const made: SpanFrames = this.#made.get(events) ?? { frames: [], whole: undefined };
    if (from === 0 && made.whole) return made.whole;
    this.#made.set(events, made);
    const frames = events.slice(from).map((event, i) => {
      made.frames[from + i] ??= this.frame(event, encoding);
      return made.frames[from + i]!;
    });
    const frame = joined(frames);
    if (from === 0) made.whole = frame;
    return frame;
  }

  /** Frames of events that follow one another, as one. */
  joined(frames: readonly Frame[]): Frame {
    const [first, last] = [frames[0]!, frames.at(-1)!];
    const known = this.#lastJoined;
    if (known?.first === first && known.last === last) return known.frame;
    const frame = joined(frames);
    this.#lastJoined = { first, last, frame };
    return frame;
  }
}
