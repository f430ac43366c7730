// Finds the row that a request is for: of an execution, of one of its runs, or of a run that a viewer has missed.
import type { Cursor } from '../event/cursor.ts';
import { ExecstreamError } from '../event/errors.ts';
import type { ExecutionKind } from '../event/events.ts';
import { type Authorize, type Caller, requireRead } from '../execution/permission.ts';
import type { Execution, ExecutionStore } from '../execution/store.ts';

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

/** What a row is requested for. */
type RowUse = 'stream' | 'state';

export interface LookupOptions {
  readonly store: ExecutionStore;
  readonly authorize: Authorize;
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
}

export interface ExecutionLookup {
  /**
   * Finds the row of an execution of a kind, or of one of its runs. Creates it if only Temporal knows the workflow or the
   * run, and replaces that of an earlier run.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the store is unavailable, or Temporal for a workflow without a row.
   *   With `runId` also `BAD_USER_INPUT` if the execution is not a Temporal workflow, and `FORBIDDEN`.
   */
  find(request: ExecutionRequest, use: RowUse): Promise<Execution | undefined>;
  /**
   * The row whose log a viewer reads next: that of a run that it has missed, or the latest one. Its log is restored if it
   * has expired, unless the viewer has read its end.
   */
  rowToRead(latest: Execution, after: Cursor | undefined): Promise<Execution>;
}

export function createExecutionLookup({
  store,
  authorize,
  findWorkflow,
  findRun,
  latestRun,
  missedRun,
  restoreLog,
}: LookupOptions): ExecutionLookup {
  /** Finds the row of a run of a workflow that the caller may read. */
  async function findRunOf(
    workflow: Execution,
    runId: string,
    caller: Caller,
  ): Promise<Execution | undefined> {
    // Before anything else is checked, so that responses reveal nothing of a workflow that is hidden.
    const permission = await authorize(caller, workflow);
    if (permission.read === 'hidden') return undefined;
    await requireRead(() => permission, caller, workflow);
    if (!findRun || workflow.workflowId === undefined) throw hasNoRuns(workflow.id);
    return findRun(workflow, runId);
  }

  return {
    async find({ kind, executionId, runId, caller }, use) {
      if (runId !== undefined && kind !== 'workflow') throw hasNoRuns(executionId);
      const known = await store.get(executionId);
      if (known && known.kind !== kind) return undefined;
      const named =
        known ?? (kind === 'workflow' ? await findWorkflow?.(executionId, caller.tenant) : undefined);
      const row = named && runId !== undefined ? await findRunOf(named, runId, caller) : named;
      // A new row of a workflow that has closed is still open.
      return row && ((await latestRun?.(row, use)) ?? row);
    },
    async rowToRead(latest, after) {
      const row = (after && (await missedRun?.(latest, after))) ?? latest;
      const { end } = row;
      const hasRead = end && after?.seq === end.seq && (after.epoch ?? end.epoch) === end.epoch;
      return (end && !hasRead && (await restoreLog?.(row))) || row;
    },
  };
}

function hasNoRuns(id: string): ExecstreamError {
  const message = `only Temporal workflows have runs, and execution ${id} is not known as one; omit the run id`;
  return new ExecstreamError('BAD_USER_INPUT', message);
}
