// Encode once, write many: the results and frames of one operation for the events of one tail, shared by all viewers
// whose results cannot differ. Resolvers receive the event and an empty context, so nothing of one caller can reach
// another.
//
// Invariants (test/stream/shared-encoding.test.ts)
// - The operation is executed and encoded once per event, however many viewers share it.
// - Frames are held while the ring holds their event or somebody holds their span; with a single viewer none are.
import type { ExecutionResult } from 'graphql';
import type { ExecutionEvent } from '../event/events.ts';
import { DEFAULT_SIZE_LIMITS, type SizeLimits } from '../event/size-limits.ts';
import { type Frame, joinFrames } from '../sse/frame.ts';
import type { EventSpan, Events } from '../tail/event-span.ts';
import type { Tail } from '../tail/tail.ts';
import type { Encoder, EventExecutor } from './encoder.ts';
import { fitFrame, fitResult } from './fit-message.ts';
import { FrameCache } from './frame-cache.ts';

/** How often operations were executed for an event; tests show that it does not grow with the viewers. */
export interface ExecutionCounter {
  executions: number;
}

/** The frames of a span's events, each encoded when it is first needed. */
interface SpanFrames {
  readonly frames: (Frame | undefined)[];
  /** The frame of the complete span. */
  joined: Frame | undefined;
}

export class SharedEncoding {
  /** Viewers that share it. */
  users = 0;
  readonly permissionClass: string;
  readonly #ring: Tail['ring'];
  readonly #executor: EventExecutor;
  readonly #counter: ExecutionCounter;
  readonly #sizes: SizeLimits;
  readonly #results = new WeakMap<ExecutionEvent, ExecutionResult>();
  /** Frames of events in the ring. */
  #frames: FrameCache | undefined;
  /** Collected together with the span. */
  readonly #bySpan = new WeakMap<Events, SpanFrames>();
  /** Viewers with the same filter that keep up join the same frames, one after another. */
  #lastJoined: { readonly first: Frame; readonly last: Frame; readonly frame: Frame } | undefined;

  constructor(
    { ring }: Pick<Tail, 'ring'>,
    executor: EventExecutor,
    counter: ExecutionCounter,
    permissionClass: string,
    sizes: SizeLimits = DEFAULT_SIZE_LIMITS,
  ) {
    this.permissionClass = permissionClass;
    this.#ring = ring;
    this.#executor = executor;
    this.#counter = counter;
    this.#sizes = sizes;
  }

  /** The result of an event. */
  result(event: ExecutionEvent): ExecutionResult {
    let result = this.#results.get(event);
    if (!result) {
      this.#counter.executions += 1;
      result = fitResult(event, this.#executor, this.#sizes);
      this.#results.set(event, result);
    }
    return result;
  }

  /** The frame of an event. */
  frame(event: ExecutionEvent, encoder: Encoder): Frame {
    const cached = this.#frames?.get(event);
    if (cached) return cached;
    this.#counter.executions += 1;
    let frame = encoder.next(event, this.#executor);
    if (frame.length > this.#sizes.message) frame = fitFrame(event, encoder, this.#executor, this.#sizes);
    if (this.#ring.at(event.seq) === event) {
      this.#frames ??= new FrameCache();
      this.#frames.set(event, frame);
    } else if (this.#ring.first === undefined) {
      // The tail has cleared its ring, because it has a single viewer.
      this.#frames = undefined;
    }
    return frame;
  }

  /** The frame of a span. */
  span({ events, from }: EventSpan, encoder: Encoder): Frame {
    const known: SpanFrames = this.#bySpan.get(events) ?? { frames: [], joined: undefined };
    if (from === 0 && known.joined) return known.joined;
    this.#bySpan.set(events, known);
    const frames = events.slice(from).map((event, i) => {
      known.frames[from + i] ??= this.frame(event, encoder);
      return known.frames[from + i]!;
    });
    const frame = joinFrames(frames);
    if (from === 0) known.joined = frame;
    return frame;
  }

  /** Joins the frames of consecutive events. */
  join(frames: readonly Frame[]): Frame {
    const [first, last] = [frames[0]!, frames.at(-1)!];
    const known = this.#lastJoined;
    if (known?.first === first && known.last === last) return known.frame;
    const frame = joinFrames(frames);
    this.#lastJoined = { first, last, frame };
    return frame;
  }
}
