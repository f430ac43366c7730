// Execute once, encode once, write many: what one operation makes of the events of one tail, shared by all viewers
// whose results cannot differ.
//
// Two viewers share a projection if all that shapes a result is the same: the tail, the document, the operation,
// the variables (but for cursors, which say where to begin, not what to show), the permission class and the
// encoding. Resolvers are given the event and an empty context, so nothing of one caller can reach another.
import { type DocumentNode, type ExecutionArgs, type ExecutionResult, getOperationAST, print } from 'graphql';
import type { ExecutionEvent } from '../event/types.ts';
import type { EventExecutor } from '../schema/operation.ts';
import type { Encoding } from '../sse/encoding.ts';
import { type Frame, joined } from '../sse/frame.ts';
import type { Events, Stretch } from '../tail/stretch.ts';
import type { Tail } from '../tail/tail.ts';
import type { Viewer } from '../tail/viewer.ts';
import { createEventExecutors } from './execute-event.ts';
import { KeptFrames } from './kept-frames.ts';

/** How often GraphQL was executed for an event; a test shows that it does not grow with the viewers. */
export interface ExecutionCounter {
  executions: number;
}

/** What was made of the events of a stretch; each when it is first asked for. */
interface Made {
  readonly frames: (Frame | undefined)[];
  /** All as one. */
  whole: Frame | undefined;
}

export class Projection {
  /** Viewers that share it. */
  users = 0;
  readonly #tail: Tail;
  readonly #executor: EventExecutor;
  readonly #counter: ExecutionCounter;
  readonly #results = new WeakMap<ExecutionEvent, ExecutionResult>();
  /** Of events that the ring holds. */
  #frames: KeptFrames | undefined;
  /** Let go of with the stretch. */
  readonly #made = new WeakMap<Events, Made>();
  /** Viewers with the same filter that keep up ask for the same stretch, one after the other. */
  #lastJoined: { readonly first: Frame; readonly last: Frame; readonly frame: Frame } | undefined;

  constructor(tail: Tail, executor: EventExecutor, counter: ExecutionCounter) {
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

  frame(event: ExecutionEvent, encoding: Encoding<EventExecutor>): Frame {
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
    this.#frames ??= new KeptFrames();
    this.#frames.set(event, frame);
  }

  /** What a stretch is told as. */
  stretch({ events, from }: Stretch, encoding: Encoding<EventExecutor>): Frame {
    const made: Made = this.#made.get(events) ?? { frames: [], whole: undefined };
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

/** The projections in use, by tail and by what shapes a result. */
export class Projections {
  readonly counter: ExecutionCounter = { executions: 0 };
  readonly #executorOf = createEventExecutors();
  readonly #byTail = new WeakMap<Tail, Map<string, Projection>>();

  /** The projection for a viewer's operation, and how to let go of it. */
  acquire(viewer: Viewer, args: ExecutionArgs, encoding: string): [Projection, release: () => void] {
    const key = shareKey(viewer, args, encoding);
    const known = this.#byTail.get(viewer.tail) ?? new Map<string, Projection>();
    this.#byTail.set(viewer.tail, known);
    const projection = known.get(key) ?? new Projection(viewer.tail, this.#executorOf(args), this.counter);
    known.set(key, projection);
    projection.users += 1;
    const release = () => {
      projection.users -= 1;
      if (projection.users === 0 && known.get(key) === projection) known.delete(key);
    };
    return [projection, release];
  }
}

function shareKey(viewer: Viewer, args: ExecutionArgs, encoding: string): string {
  const { document, operationName } = args;
  const values = args.variableValues ?? {};
  const operation = getOperationAST(document, operationName);
  const variables = (operation?.variableDefinitions ?? [])
    .filter(({ type }) => !/^Cursor!?$/.test(print(type)))
    // An absent variable has its default and is not the same as null.
    .map(({ variable: { name } }) => (name.value in values ? [values[name.value]] : 0));
  return JSON.stringify([sourceOf(document), operationName, variables, viewer.permissionClass, encoding]);
}

function sourceOf(document: DocumentNode): string {
  return document.loc?.source.body ?? print(document);
}
