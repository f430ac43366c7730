// The tails of this process: one per execution that has viewers, shared by all of them.
import { BurstGate } from '../async/burst-gate.ts';
import { delay } from '../async/delay.ts';
import type { Cursor } from '../event/cursor.ts';
import { ExecstreamError } from '../event/errors.ts';
import { type ExecutionKind, isFinal } from '../event/events.ts';
import type { SizeLimits } from '../event/size-limits.ts';
import { isOtherRow } from '../execution/incarnation.ts';
import {
  type Authorize,
  type Caller,
  requireRead,
  unknownExecution,
  unknownRun,
} from '../execution/permission.ts';
import type { Execution, ExecutionStore } from '../execution/store.ts';
import type { LogReader, LogWriter } from '../log/log.ts';
import type { Follow } from '../source/source.ts';
import type { ErrorLogger } from '../telemetry/logger.ts';
import { LogOutages } from './log-outages.ts';
import { StreamAdmission, type StreamLimits } from './stream-admission.ts';
import { Tail } from './tail.ts';
import { Viewer, type ViewerOptions } from './viewer.ts';

/** Timeout for checking whether an ended log holds anything for a viewer. */
const SETTLE_TIMEOUT_MS = 2_000;

/** The execution that is requested, or one run of it. */
export interface ExecutionRequest {
  readonly kind: ExecutionKind;
  readonly executionId: string;
  /**
   * A run of the Temporal workflow.
   * @default the latest run
   */
  readonly runId?: string | undefined;
  readonly caller: Caller;
}

export interface OpenViewer extends ExecutionRequest, Omit<ViewerOptions, 'permissionClass'> {}

/** What a row is requested for. */
type RowUse = 'stream' | 'state';

export interface TailsOptions {
  readonly log: LogReader & Pick<LogWriter, 'open' | 'head'>;
  readonly store: ExecutionStore;
  readonly authorize: Authorize;
  /** Appends the terminal event of an execution whose row has ended, in case its publisher has died. */
  readonly reconcileEnd: (row: Execution) => Promise<void>;
  readonly follow: Follow;
  /** Creates the row of a workflow that only Temporal knows, when it is first viewed; undefined for other ids. */
  readonly findWorkflow?:
    | ((executionId: string, tenant: string | undefined) => Promise<Execution | undefined>)
    | undefined;
  /** Creates the row of one run of a workflow, when it is first viewed; undefined for a run that Temporal does not know. */
  readonly findRun?: ((workflow: Execution, runId: string) => Promise<Execution | undefined>) | undefined;
  /** Returns the row of the latest run, if the execution is a Temporal workflow whose id was used again. */
  readonly latestRun?: ((row: Execution, use: RowUse) => Promise<Execution>) | undefined;
  /** Returns the row of the run that a viewer with a cursor of an earlier run is to get before the latest one. */
  readonly missedRun?: ((row: Execution, after: Cursor) => Promise<Execution | undefined>) | undefined;
  /** Restores the log of an ended execution, if it has expired and its source still has the events. */
  readonly restoreLog?: ((row: Execution) => Promise<Execution | undefined>) | undefined;
  readonly limits?: Partial<StreamLimits> | undefined;
  /** Receives outages of the log. */
  readonly logger: ErrorLogger;
  /**
   * Limits of the terminal events that are created from rows.
   * @default DEFAULT_SIZE_LIMITS
   */
  readonly sizes?: SizeLimits | undefined;
}

interface SharedTail {
  readonly tail: Tail;
  readonly started: Promise<void>;
  viewers: number;
  unfollow: () => void | Promise<void>;
}

export class Tails {
  readonly #options: TailsOptions;
  readonly #tails = new Map<string, SharedTail>();
  readonly #admission: StreamAdmission;
  readonly #gate = new BurstGate();
  readonly #outages: LogOutages;

  constructor(options: TailsOptions) {
    this.#options = options;
    this.#admission = new StreamAdmission(options.limits);
    this.#outages = new LogOutages(options.logger);
  }

  /** Number of executions with viewers. */
  get size(): number {
    return this.#tails.size;
  }

  /**
   * Opens a viewer of an execution. Permission is checked each time, before any event is read.
   * @throws ExecstreamError `NOT_FOUND` for an id that is unknown, of another kind or hidden from the caller, and for an
   *   unknown run; `BAD_USER_INPUT` for a run of another execution than a Temporal workflow; `FORBIDDEN`;
   *   `SOURCE_UNAVAILABLE` if the store or the log is unavailable; `CAPACITY`; `TOO_MANY_STREAMS`
   */
  async open(request: OpenViewer): Promise<Viewer> {
    // Before anything is read, so that rejections cost a full node little.
    const releasePlace = this.#admission.admit(request.caller);
    try {
      return await this.#open(request, releasePlace);
    } catch (error) {
      releasePlace();
      throw error;
    }
  }

  async #open(request: OpenViewer, releasePlace: () => void): Promise<Viewer> {
    const { executionId, runId } = request;
    const found = await this.find(request, 'stream');
    if (!found) throw runId === undefined ? unknownExecution(executionId) : unknownRun(executionId, runId);
    await this.#gate.pass();
    const permissionClass = await requireRead(this.#options.authorize, request.caller, found);
    const missed = request.after && (await this.#options.missedRun?.(found, request.after));
    const row = await this.#withLog(missed ?? found, request.after);

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
      releasePlace();
    });
    // If no event is left for this cursor and filter, the response is a 204: known before the first byte.
    if (shared.tail.end > 0 && (request.after?.seq ?? 0) > 0) await checkedForEvents(viewer);
    return viewer;
  }

  /** Restores the log of an execution that has ended, unless the viewer has read its end. */
  async #withLog(row: Execution, after: Cursor | undefined): Promise<Execution> {
    const { end } = row;
    const hasRead = end && after?.seq === end.seq && (after.epoch ?? end.epoch) === end.epoch;
    return (end && !hasRead && (await this.#options.restoreLog?.(row))) || row;
  }

  /**
   * Finds the row of an execution of a kind, or of one of its runs. Creates it if only Temporal knows the workflow or the
   * run, and replaces that of an earlier run.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the store is unavailable, or Temporal for a workflow without a row.
   *   With `runId` also `BAD_USER_INPUT` if the execution is not a Temporal workflow, and `FORBIDDEN`.
   */
  async find(request: ExecutionRequest, use: RowUse = 'state'): Promise<Execution | undefined> {
    const { kind, executionId, runId, caller } = request;
    const { store, findWorkflow, latestRun } = this.#options;
    if (runId !== undefined && kind !== 'workflow') throw hasNoRuns(executionId);
    const known = await store.get(executionId);
    if (known && known.kind !== kind) return undefined;
    const named =
      known ?? (kind === 'workflow' ? await findWorkflow?.(executionId, caller.tenant) : undefined);
    const row = named && runId !== undefined ? await this.#findRun(named, runId, caller) : named;
    // A new row of a workflow that has closed is still open.
    return row && ((await latestRun?.(row, use)) ?? row);
  }

  /** Finds the row of a run of a workflow that the caller may read. */
  async #findRun(workflow: Execution, runId: string, caller: Caller): Promise<Execution | undefined> {
    const { authorize, findRun } = this.#options;
    // Before anything else is checked, so that responses reveal nothing of a workflow that is hidden.
    const permission = await authorize(caller, workflow);
    if (permission.read === 'hidden') return undefined;
    await requireRead(() => permission, caller, workflow);
    if (!findRun || workflow.workflowId === undefined) throw hasNoRuns(workflow.id);
    return findRun(workflow, runId);
  }

  /** Rejects new viewers with `CAPACITY`; open ones continue. */
  stopAdmitting(): void {
    this.#admission.stop();
  }

  async close(): Promise<void> {
    const all = [...this.#tails.values()];
    const unfollowed = all.map((shared) => shared.unfollow());
    for (const shared of all) shared.unfollow = () => {};
    await Promise.all([...unfollowed, ...all.map(stop)]);
  }

  async #bringUpToDate(tail: Tail, row: Execution, after: Cursor | undefined): Promise<void> {
    // Another server may have received an event, or a new epoch, before this tail.
    const isAhead = after && (after.seq > tail.head || (after.epoch ?? tail.epoch) !== tail.epoch);
    if (isAhead && tail.end === 0) await tail.refresh();
    if (isOtherRow(row, tail)) await tail.followRow();
    if (!isFinal(row.status)) return;
    if (tail.end === 0) await tail.refresh();
    if (row.end) tail.archive(row);
    else await this.#options.reconcileEnd(row);
  }

  #acquire(executionId: string): SharedTail {
    const known = this.#tails.get(executionId);
    if (known) {
      known.viewers += 1;
      return known;
    }
    const { log, store, follow, sizes } = this.#options;
    const loadRow = () => store.get(executionId);
    const onReplaced = () => {
      if (this.#tails.get(executionId) !== shared) return;
      void shared.unfollow();
      shared.unfollow = follow(executionId, tail);
    };
    const tail = new Tail(executionId, { log, loadRow, outages: this.#outages, sizes, onReplaced });
    const shared: SharedTail = {
      tail,
      started: tail.start(),
      viewers: 1,
      unfollow: follow(executionId, tail),
    };
    this.#tails.set(executionId, shared);
    return shared;
  }

  #release(shared: SharedTail): void {
    shared.viewers -= 1;
    if (shared.viewers > 0) return;
    const { executionId } = shared.tail;
    if (this.#tails.get(executionId) === shared) this.#tails.delete(executionId);
    void shared.unfollow();
    void stop(shared);
  }
}

function hasNoRuns(id: string): ExecstreamError {
  const message = `only Temporal workflows have runs, and execution ${id} is not known as one; omit the run id`;
  return new ExecstreamError('BAD_USER_INPUT', message);
}

/** Resolves once it is known whether a viewer has an event. A log that is unavailable is not waited for. */
async function checkedForEvents(viewer: Viewer): Promise<void> {
  const checked = new AbortController();
  await Promise.race([viewer.ready(), delay(SETTLE_TIMEOUT_MS, checked.signal)]);
  checked.abort();
}

/** Closes a tail after its start, which may be about to subscribe: the subscription would otherwise remain. */
async function stop({ tail, started }: SharedTail): Promise<void> {
  await started.catch(() => {});
  await tail.close();
}
