// Execute once for each event and operation: the shared encodings in use, by tail and by what shapes a result.
//
// Two viewers share an encoding if everything that shapes a result is the same: the tail, what the operation selects
// (result-shape.ts), the filter, the permission class and the encoder.
//
// Each encoding executes and encodes every event once more, so their number is limited: publishing an event must not
// cost one execution per viewer.
import type { ExecutionArgs } from 'graphql';
import { Counts } from '../async/counts.ts';
import { ExecstreamError } from '../event/errors.ts';
import { ANONYMOUS, type Caller, callerKey } from '../execution/permission.ts';
import { type ExecutionCounter, SharedEncoding } from '../stream/shared-encoding.ts';
import type { Tail } from '../tail/tail.ts';
import type { Viewer } from '../tail/viewer.ts';
import { createEventExecutors } from './event-executor.ts';
import { resultShapeOf } from './result-shape.ts';

/** How many different documents the viewers of one execution may have open, per server process. */
export interface DocumentLimits {
  readonly perExecution: number;
  /** Of those, how many one caller may bring that nobody else has open. Not while authentication is off. */
  readonly perCaller: number;
}

export const DEFAULT_DOCUMENT_LIMITS: DocumentLimits = { perExecution: 64, perCaller: 8 };

/** What the viewers of a tail who select the same of the same events have open. */
interface OpenDocument {
  readonly key: string;
  /** The caller that has opened it first. */
  readonly owner: string | undefined;
  /** By permission class. */
  readonly projections: Map<string, SharedEncoding>;
}

interface TailDocuments {
  readonly byKey: Map<string, OpenDocument>;
  readonly byOwner: Counts;
}

/** The projections in use, by tail and by what shapes a result. */
export class SharedEncodings {
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
  ): [SharedEncoding, release: () => void] {
    const documents = this.#documentsOf(viewer.tail);
    const key = JSON.stringify([resultShapeOf(args), viewer.filterKey, encoding]);
    const document = documents.byKey.get(key) ?? this.#open(documents, key, caller);
    const { projections } = document;
    const { permissionClass, tail } = viewer;
    const projection =
      projections.get(permissionClass) ??
      new SharedEncoding(tail, this.#executorOf(args), this.counter, permissionClass);
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
    const document = { key, owner, projections: new Map<string, SharedEncoding>() };
    byKey.set(key, document);
    if (owner !== undefined) byOwner.increment(owner);
    return document;
  }
}

function release(
  { byKey, byOwner }: TailDocuments,
  document: OpenDocument,
  projection: SharedEncoding,
): void {
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
