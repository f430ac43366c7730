// Execute once per event and operation: the shared encodings in use, by tail and by the shape of their results.
//
// Two viewers share an encoding if everything on which a result depends is the same: the tail, the shape of the operation
// (result-shape.ts), the filter, the permission class and the encoder.
//
// Each encoding executes and encodes every event once more, so their number is limited: publishing an event must not
// cost one execution per viewer.
import type { ExecutionArgs } from 'graphql';
import { Counts } from '../async/counts.ts';
import { ExecstreamError } from '../event/errors.ts';
import { DEFAULT_SIZE_LIMITS, type SizeLimits } from '../event/size-limits.ts';
import { ANONYMOUS, type Caller, callerKey } from '../execution/permission.ts';
import { type ExecutionCounter, SharedEncoding } from '../stream/shared-encoding.ts';
import type { Tail } from '../tail/tail.ts';
import type { Viewer } from '../tail/viewer.ts';
import { createEventExecutors } from './event-executor.ts';
import { resultShapeOf } from './result-shape.ts';

/** Limits of different documents that the viewers of one execution have open, per server process. */
export interface DocumentLimits {
  /** @default 64 */
  readonly perExecution: number;
  /**
   * Of those, the documents that one caller was the first to open. Not applied while authentication is off.
   * @default 8
   */
  readonly perCaller: number;
}

export const DEFAULT_DOCUMENT_LIMITS: DocumentLimits = { perExecution: 64, perCaller: 8 };

/** A document that viewers of a tail have open: the same selection of the same events. */
interface OpenDocument {
  readonly key: string;
  /** The caller that was the first to open it. */
  readonly owner: string | undefined;
  /** By permission class. */
  readonly encodings: Map<string, SharedEncoding>;
}

interface TailDocuments {
  readonly byKey: Map<string, OpenDocument>;
  readonly byOwner: Counts;
}

/** The shared encodings in use, by tail and result shape. */
export class SharedEncodings {
  readonly counter: ExecutionCounter;
  readonly #executorOf = createEventExecutors();
  readonly #byTail = new WeakMap<Tail, TailDocuments>();
  readonly #limits: DocumentLimits;
  readonly #sizes: SizeLimits;

  /**
   * @param sizes limits of the messages
   * @param counter counts executions
   */
  constructor(
    limits: Partial<DocumentLimits> = {},
    sizes: SizeLimits = DEFAULT_SIZE_LIMITS,
    counter: ExecutionCounter = { executions: 0 },
  ) {
    this.counter = counter;
    this.#sizes = sizes;
    this.#limits = { ...DEFAULT_DOCUMENT_LIMITS, ...limits };
  }

  /**
   * Returns the encoding for a viewer's operation, and a function that releases it.
   * @throws ExecstreamError `TOO_MANY_STREAMS` if the operation differs from those that are open, and their number has
   *   reached a limit
   */
  acquire(
    viewer: Viewer,
    args: ExecutionArgs,
    { encoder, caller }: { readonly encoder: string; readonly caller: Caller },
  ): [SharedEncoding, release: () => void] {
    const documents = this.#documentsOf(viewer.tail);
    const key = JSON.stringify([resultShapeOf(args), viewer.filterKey, encoder]);
    const document = documents.byKey.get(key) ?? this.#open(documents, key, caller);
    const { encodings } = document;
    const { permissionClass, tail } = viewer;
    const encoding =
      encodings.get(permissionClass) ??
      new SharedEncoding(tail, this.#executorOf(args), this.counter, permissionClass, this.#sizes);
    encodings.set(permissionClass, encoding);
    encoding.users += 1;
    return [encoding, () => release(documents, document, encoding)];
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
    const document = { key, owner, encodings: new Map<string, SharedEncoding>() };
    byKey.set(key, document);
    if (owner !== undefined) byOwner.increment(owner);
    return document;
  }
}

function release({ byKey, byOwner }: TailDocuments, document: OpenDocument, encoding: SharedEncoding): void {
  const { key, owner, encodings } = document;
  encoding.users -= 1;
  if (encoding.users > 0) return;
  encodings.delete(encoding.permissionClass);
  if (encodings.size > 0) return;
  byKey.delete(key);
  if (owner !== undefined) byOwner.decrement(owner);
}

function tooMany(limit: string): ExecstreamError {
  const detail = `too many different documents or filters for this execution: ${limit}; send one document from all viewers`;
  return new ExecstreamError('TOO_MANY_STREAMS', detail);
}
