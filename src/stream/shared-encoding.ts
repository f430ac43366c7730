// Execute once, encode once, write many: what one operation makes of the events of one tail, shared by all viewers
// whose results cannot differ.
//
// Two viewers share a projection if all that shapes a result is the same: the tail, what the operation selects
// (result-shape.ts), the filter, the permission class and the encoding. Resolvers are given the event and an empty
// context, so nothing of one caller can reach another.
//
// Each projection executes and encodes every event once more, so that their number is limited: publishing must not cost
// as many executions as there are viewers.
import type { ExecutionArgs, ExecutionResult } from 'graphql';
import { Counts } from '../async/counts.ts';
import { ExecstreamError } from '../event/errors.ts';
import type { ExecutionEvent } from '../event/events.ts';
import { ANONYMOUS, type Caller, callerKey } from '../execution/permission.ts';
import { createEventExecutors } from '../graphql/event-executor.ts';
import { resultShapeOf } from '../graphql/result-shape.ts';
import type { EventExecutor } from '../schema/operation.ts';
import { type Frame, joined } from '../sse/frame.ts';
import type { Events, Stretch } from '../tail/event-span.ts';
import type { Tail } from '../tail/tail.ts';
import type { Viewer } from '../tail/viewer.ts';
import type { Encoding } from './encoder.ts';
import { KeptFrames } from './frame-cache.ts';

/** How many different documents the viewers of one execution may have open, per server process. */
export interface DocumentLimits {
  readonly perExecution: number;
  /** Of those, how many one caller may bring that nobody else has open. Not while authentication is off. */
  readonly perCaller: number;
}

export const DEFAULT_DOCUMENT_LIMITS: DocumentLimits = { perExecution: 64, perCaller: 8 };

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
  readonly permissionClass: string;
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

/** What the viewers of a tail who select the same of the same events have open. */
interface OpenDocument {
  readonly key: string;
  /** The caller that has opened it first. */
  readonly owner: string | undefined;
  /** By permission class. */
  readonly projections: Map<string, Projection>;
}

interface TailDocuments {
  readonly byKey: Map<string, OpenDocument>;
  readonly byOwner: Counts;
}

/** The projections in use, by tail and by what shapes a result. */
export class Projections {
  readonly counter: ExecutionCounter = { executions: 0 };
  readonly #executorOf = createEventExecutors();
  readonly #byTail = new WeakMap<Tail, TailDocuments>();
  readonly #limits: DocumentLimits;

  constructor(limits: Partial<DocumentLimits> = {}) {
    this.#limits = { ...DEFAULT_DOCUMENT_LIMITS, ...limits };
  }

  /**
   * The projection for a viewer's operation, and how to release it.
   * @throws ExecstreamError `TOO_MANY_STREAMS` if the operation differs from those that are open, and these are as many
   *   as may be.
   */
  acquire(
    viewer: Viewer,
    args: ExecutionArgs,
    { encoding, caller }: { readonly encoding: string; readonly caller: Caller },
  ): [Projection, release: () => void] {
    const documents = this.#documentsOf(viewer.tail);
    const key = JSON.stringify([resultShapeOf(args), viewer.filterKey, encoding]);
    const document = documents.byKey.get(key) ?? this.#open(documents, key, caller);
    const { projections } = document;
    const { permissionClass, tail } = viewer;
    const projection =
      projections.get(permissionClass) ??
      new Projection(tail, this.#executorOf(args), this.counter, permissionClass);
    projections.set(permissionClass, projection);
    projection.users += 1;
    return [projection, () => release(documents, document, projection)];
  }

  #documentsOf(tail: Tail): TailDocuments {
    const documents = this.#byTail.get(tail) ?? { byKey: new Map(), byOwner: new Counts() };
    this.#byTail.set(tail, documents);
    return documents;
  }

  #open({ byKey, byOwner }: TailDocuments, key: string, caller: Caller): OpenDocument {
    const { perExecution, perCaller } = this.#limits;
    const owner = caller === ANONYMOUS ? undefined : callerKey(caller);
    if (owner !== undefined && byOwner.of(owner) >= perCaller) {
      throw tooMany(`the limit is ${perCaller} for one caller`);
    }
    if (byKey.size >= perExecution) throw tooMany(`the limit is ${perExecution}`);
    const document = { key, owner, projections: new Map<string, Projection>() };
    byKey.set(key, document);
    if (owner !== undefined) byOwner.increment(owner);
    return document;
  }
}

function release({ byKey, byOwner }: TailDocuments, document: OpenDocument, projection: Projection): void {
  const { key, owner, projections } = document;
  projection.users -= 1;
  if (projection.users > 0) return;
  projections.delete(projection.permissionClass);
  if (projections.size > 0) return;
  byKey.delete(key);
  if (owner !== undefined) byOwner.decrement(owner);
}

function tooMany(limit: string): ExecstreamError {
  const detail = `too many different documents or filters for this execution: ${limit}; send one document from all viewers`;
  return new ExecstreamError('TOO_MANY_STREAMS', detail);
}
