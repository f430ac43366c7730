// The tails of this process, one an execution however many viewers it has, none without viewers.

import { BurstGate } from '../async/burst-gate.ts';
import { delay } from '../async/delay.ts';
import type { Cursor } from '../event/cursor.ts';
import { type ExecutionKind, isFinal } from '../event/events.ts';
import { type Authorize, type Caller, requireRead, unknownExecution } from '../execution/permission.ts';
import type { Execution, ExecutionStore } from '../execution/store.ts';
import type { LogReader, LogWriter } from '../log/log.ts';
import type { Follow } from '../source/source.ts';
import { StreamAdmission, type StreamLimits } from './stream-admission.ts';
import { Tail } from './tail.ts';
import { Viewer, type ViewerOptions } from './viewer.ts';

/** How long a first look at an ended log may take. */
const SETTLE_MS = 2_000;

export interface OpenViewer extends Omit<ViewerOptions, 'permissionClass'> {
  readonly kind: ExecutionKind;
  readonly executionId: string;
  readonly caller: Caller;
}

export interface TailsOptions {
  readonly log: LogReader & Pick<LogWriter, 'open'>;
  readonly store: ExecutionStore;
  readonly authorize: Authorize;
  /** Sees to it that an execution whose row has ended gets its terminal event, though its publisher died. */
  readonly reconcileEnd: (row: Execution) => Promise<void>;
  readonly follow: Follow;
  /** Makes the row of a workflow that is known elsewhere, on its first view; undefined where it is not. */
  readonly findWorkflow?:
    | ((executionId: string, tenant: string | undefined) => Promise<Execution | undefined>)
    | undefined;
  readonly limits?: Partial<StreamLimits> | undefined;
}

interface Shared {
  readonly tail: Tail;
  readonly started: Promise<void>;
  users: number;
  unfollow: () => void | Promise<void>;
}

export class Tails {
  readonly #options: TailsOptions;
  readonly #tails = new Map<string, Shared>();
  readonly #admission: StreamAdmission;
  readonly #entrance = new BurstGate();

  constructor(options: TailsOptions) {
    this.#options = options;
    this.#admission = new StreamAdmission(options.limits);
  }

  /** How many executions are followed. */
  get size(): number {
    return this.#tails.size;
  }

  /**
   * Lets a caller watch an execution. Permission is asked anew each time, before any event is read.
   * @throws ExecstreamError `NOT_FOUND` for an id that is unknown, of another kind or hidden from the caller,
   *   `FORBIDDEN`, `SOURCE_UNAVAILABLE` where the store or the log does not answer or the node is full,
   *   `TOO_MANY_STREAMS`.
   */
  async open(request: OpenViewer): Promise<Viewer> {
    // Before any look-up: a node that is full must not be kept busy with refusals.
    const leave = this.#admission.admit(request.caller);
    try {
      return await this.#open(request, leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  async #open(request: OpenViewer, leave: () => void): Promise<Viewer> {
    const row = await this.find(request.kind, request.executionId, request.caller);
    if (!row) throw unknownExecution(request.executionId);
    await this.#entrance.pass();
    const permissionClass = await requireRead(this.#options.authorize, request.caller, row);

    const shared = this.#acquire(row.id);
    try {
      await shared.started;
      await this.#bringUpToDate(shared.tail, row, request.after);
    } catch (error) {
      this.#release(shared);
      throw error;
    }
    const viewer = new Viewer(shared.tail, { ...request, permissionClass }, () => {
      this.#release(shared);
      leave();
    });
    // Whether anything is left for this cursor and filter is known before the first byte: it may be a 204.
    if (shared.tail.end > 0 && (request.after?.seq ?? 0) > 0) await settled(viewer);
    return viewer;
  }

  /**
   * The row of an execution of this kind; of a workflow that is known elsewhere, made on its first view.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE`
   */
  async find(kind: ExecutionKind, executionId: string, caller: Caller): Promise<Execution | undefined> {
    const { store, findWorkflow } = this.#options;
    const known = await store.get(executionId);
    const row = known ?? (kind === 'workflow' ? await findWorkflow?.(executionId, caller.tenant) : undefined);
    return row?.kind === kind ? row : undefined;
  }

  async close(): Promise<void> {
    const all = [...this.#tails.values()];
    const unfollowed = all.map((shared) => shared.unfollow());
    for (const shared of all) shared.unfollow = () => {};
    await Promise.all([...unfollowed, ...all.map(stop)]);
  }

  async #bringUpToDate(tail: Tail, row: Execution, after: Cursor | undefined): Promise<void> {
    // Another server may have been quicker to hear of an event, or of a new epoch, than this tail.
    const ahead = after && (after.seq > tail.head || (after.epoch ?? tail.epoch) !== tail.epoch);
    if (ahead && tail.end === 0) await tail.refresh();
    if (!isFinal(row.status)) return;
    if (tail.end === 0) await tail.refresh();
    if (row.end) tail.archive(row);
    else await this.#options.reconcileEnd(row);
  }

  #acquire(executionId: string): Shared {
    const known = this.#tails.get(executionId);
    if (known) {
      known.users += 1;
      return known;
    }
    const { log, store, follow } = this.#options;
    const tail = new Tail(executionId, { log, loadRow: () => store.get(executionId) });
    const shared: Shared = { tail, started: tail.start(), users: 1, unfollow: follow(executionId, tail) };
    this.#tails.set(executionId, shared);
    return shared;
  }

  #release(shared: Shared): void {
    shared.users -= 1;
    if (shared.users > 0) return;
    const { executionId } = shared.tail;
    if (this.#tails.get(executionId) === shared) this.#tails.delete(executionId);
    void shared.unfollow();
    void stop(shared);
  }
}

/** Waits until a viewer has found something or nothing, but not out a log that does not answer: the stream says so. */
async function settled(viewer: Viewer): Promise<void> {
  const found = new AbortController();
  await Promise.race([viewer.ready(), delay(SETTLE_MS, found.signal)]);
  found.abort();
}

/** A tail that still starts is on its way to a subscription, which must not be left behind. */
async function stop({ tail, started }: Shared): Promise<void> {
  await started.catch(() => {});
  await tail.close();
}
