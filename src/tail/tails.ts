// The tails of this process: one per execution that has viewers, shared by all of them.
import { BurstGate } from '../async/burst-gate.ts';
import { delay } from '../async/delay.ts';
import type { Cursor } from '../event/cursor.ts';
import { isFinal } from '../event/events.ts';
import type { SizeLimits } from '../event/size-limits.ts';
import { isOtherRow } from '../execution/incarnation.ts';
import { requireRead, unknownExecution, unknownRun } from '../execution/permission.ts';
import type { Execution } from '../execution/store.ts';
import type { LogReader, LogWriter } from '../log/log.ts';
import type { Follow } from '../source/source.ts';
import type { ErrorLogger } from '../telemetry/logger.ts';
import {
  createExecutionLookup,
  type ExecutionLookup,
  type ExecutionRequest,
  type LookupOptions,
} from './execution-lookup.ts';
import { LogOutages } from './log-outages.ts';
import { StreamAdmission, type StreamLimits } from './stream-admission.ts';
import { Tail } from './tail.ts';
import { Viewer, type ViewerOptions } from './viewer.ts';

/** Timeout for checking whether an ended log holds anything for a viewer. */
const SETTLE_TIMEOUT_MS = 2_000;

export interface OpenViewer extends ExecutionRequest, Omit<ViewerOptions, 'permissionClass'> {}

export interface TailsOptions extends LookupOptions {
  readonly log: LogReader & Pick<LogWriter, 'open' | 'head'>;
  /** Appends the terminal event of an execution whose row has ended, in case its publisher has died. */
  readonly reconcileEnd: (row: Execution) => Promise<void>;
  readonly follow: Follow;
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
  readonly #lookup: ExecutionLookup;
  readonly #tails = new Map<string, SharedTail>();
  readonly #admission: StreamAdmission;
  readonly #gate = new BurstGate();
  readonly #outages: LogOutages;

  constructor(options: TailsOptions) {
    this.#options = options;
    this.#lookup = createExecutionLookup(options);
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
    const found = await this.#lookup.find(request, 'stream');
    if (!found) throw runId === undefined ? unknownExecution(executionId) : unknownRun(executionId, runId);
    await this.#gate.pass();
    const permissionClass = await requireRead(this.#options.authorize, request.caller, found);
    const row = await this.#lookup.rowToRead(found, request.after);

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

  /** Finds the row of an execution, or of one of its runs, for its state; as `ExecutionLookup.find`. */
  find(request: ExecutionRequest): Promise<Execution | undefined> {
    return this.#lookup.find(request, 'state');
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
