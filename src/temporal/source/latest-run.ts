// The row of the latest run under a workflow's id. It is checked with each request for the id: the id may be used again
// by a later workflow, and a run may have closed while nobody viewed it. Only the latter can happen to a pinned run.
//
// Invariants
// 1. A row is replaced only after the end of the former run has been recorded: viewers that stayed connected get its
//    terminal event first. Until then the id names the former run.
// 2. The response of Temporal is newer than the request. Without a response, the row is returned as it is.
// 3. A state has the end of a run that Temporal reports as closed. If recording it takes longer than `SETTLE_MS`, it has the
//    status and the time alone.
import { delay } from '../../async/delay.ts';
import { resultWithin } from '../../async/timeout.ts';
import { isFinal, type OpenStatus } from '../../event/events.ts';
import { isPinnedRun } from '../../event/execution-key.ts';
import type { Execution, ExecutionStore, ExecutionSummary } from '../../execution/store.ts';
import type { LogReader, LogWriter } from '../../log/log.ts';
import { replaceLog } from '../../source/row-watch.ts';
import { isHistoryEpoch } from '../shared/history-numbering.ts';
import { parseCopyNote } from './copy-note.ts';
import { isTemporalError } from './errors.ts';
import { isTemporalWorkflow, type Resolution } from './resolve.ts';
import { shareCalls } from './shared-calls.ts';
import type { TemporalClient, WorkflowRun } from './temporal-client.ts';

/** Between two descriptions of one workflow at least, however many requests there are. */
const DESCRIBE_SPACING_MS = 50;
/** How long a state waits for Temporal. */
const DESCRIBE_MS = 2_000;
/**
 * How long the stream of an ended execution waits for it: longer than a call may take. A viewer of such a stream that is
 * sent away does not return when a new run starts.
 */
const DESCRIBE_EXACTLY_MS = 6_000;
/** How long to wait for the end of a run that has closed. */
const SETTLE_MS = 3_000;
/** How often the row is read in the meantime: the watcher of its viewers may record the end. */
const END_CHECK_MS = { first: 20, max: 250 };
/** How many of the last events of a log are read for the status of a workflow. */
const MAX_STATUS_EVENTS = 500;

export interface LatestRunOptions {
  readonly temporal: Pick<TemporalClient, 'describe'>;
  readonly store: ExecutionStore;
  readonly log: Pick<LogWriter, 'open' | 'head'> & Pick<LogReader, 'read'>;
  readonly resolution: Resolution;
  /** Is called before another row replaces one. */
  onReplace(former: ExecutionSummary): void;
  /** Records the end of an execution whose run has closed. */
  settle(executionId: string): Promise<void>;
}

/** What a row is requested for. */
export type RowUse = 'stream' | 'state';

export interface LatestRun {
  /** Returns the row of the latest run, with its end if it has closed. Never rejects because of Temporal. */
  latest<Row extends ExecutionSummary>(row: Row, use: RowUse): Promise<Row | Execution>;
}

export function createLatestRun(options: LatestRunOptions): LatestRun {
  const { temporal, store, log, resolution, onReplace, settle } = options;
  // A state that is requested often waits for what watching needs.
  const currentRun = shareCalls<ExecutionSummary, WorkflowRun>({
    keyOf: ({ id }) => id,
    spacingMs: DESCRIBE_SPACING_MS,
    call: async (row, isRepeated) =>
      temporal.describe(await resolution.refOf(row), isRepeated ? 'poll' : 'view'),
  });

  /** Whether the run is not one of those that the row describes. */
  async function isOtherExecution(row: ExecutionSummary, run: WorkflowRun): Promise<boolean> {
    const { runId } = row;
    if (runId === run.runId) return false;
    // Also a reset of a run that had closed.
    if (row.finishedAt && run.startedAt > row.finishedAt.getTime()) return true;
    if (runId === undefined || runId === run.firstRunId) return false;
    try {
      const { namespace, workflowId } = run;
      return (await temporal.describe({ namespace, workflowId, runId })).firstRunId !== run.firstRunId;
    } catch (error) {
      if (isTemporalError(error, 'unknown-workflow')) return true;
      throw error;
    }
  }

  async function replace(former: ExecutionSummary, run: WorkflowRun): Promise<Execution | undefined> {
    onReplace(former);
    const row = await resolution.begin(former.id, run, former.tenant, { after: former.startedAt });
    if (!row || row.incarnation === former.incarnation) return row;
    await startLog(row, former);
    return row;
  }

  /** Starts the log of a row that replaced another one. */
  async function startLog(row: Execution, former: ExecutionSummary): Promise<void> {
    const { id, attempt, incarnation } = row;
    if ((await log.head(id)) || !former.end || incarnation === undefined) return replaceLog(log, row);
    // The former log has expired. Viewers that have a cursor of it learn that another run follows.
    const lost = { epoch: former.end.epoch, acknowledged: Number.POSITIVE_INFINITY, reason: 'run' } as const;
    await log.open(id, { numbering: 'fixed', attempt, incarnation, lost });
  }

  /**
   * Records the end of a run that has closed.
   * @param field what the row has then: its end, or also the position of the terminal event in the log
   * @returns the row, which lacks the field if that took too long
   */
  async function untilEnded(id: string, field: 'finishedAt' | 'end'): Promise<Execution | undefined> {
    let isSettled = false;
    const settled = settle(id).then(() => {
      isSettled = true;
    });
    const givenUpAt = performance.now() + SETTLE_MS;
    for (let ms = END_CHECK_MS.first; ; ms = Math.min(ms * 2, END_CHECK_MS.max)) {
      await Promise.race([settled, delay(ms, undefined, true)]);
      const row = await store.get(id);
      if (!row || row[field] || isSettled || performance.now() >= givenUpAt) return row;
    }
  }

  /** The row of a run that Temporal has paused, or no longer. Its status is stored, because lists read the rows. */
  async function withPause<Row extends ExecutionSummary>(
    row: Row,
    run: WorkflowRun,
  ): Promise<Row | undefined> {
    const isPaused = run.status === 'PAUSED';
    if (isPaused === (row.status === 'PAUSED')) return undefined;
    const status = isPaused ? 'PAUSED' : await statusWithoutPause(row.id);
    if (status === row.status) return undefined;
    await store.setStatus(row.id, row.attempt, status);
    return { ...row, status };
  }

  /**
   * The status of a run that is open and not paused. A workflow that streams itself has the one that it emitted last, which
   * may be `PAUSED`.
   */
  async function statusWithoutPause(executionId: string): Promise<OpenStatus> {
    const head = await log.head(executionId);
    const note = parseCopyNote(head?.note);
    if (!head || (note && isHistoryEpoch(note.epoch))) return 'RUNNING';
    const page = await log.read(executionId, Math.max(0, head.head - MAX_STATUS_EVENTS), MAX_STATUS_EVENTS);
    const last = page?.events.findLast((event) => event.type === 'workflow_status');
    return last && !isFinal(last.data.status) ? last.data.status : 'RUNNING';
  }

  /** The row of a run that has closed, also if its end is not recorded yet: its result is missing then. */
  function withEnd(row: Execution | undefined, { status, closedAt }: WorkflowRun): Execution | undefined {
    if (!row || row.finishedAt || closedAt === undefined) return row;
    return { ...row, status, finishedAt: new Date(closedAt) };
  }

  async function check<Row extends ExecutionSummary>(
    row: Row,
    use: RowUse,
  ): Promise<Row | Execution | undefined> {
    if (row.finishedAt && isPinnedRun(row.id)) return undefined;
    const isExact = use === 'stream' && row.finishedAt !== undefined;
    const run = await resultWithin(currentRun(row), isExact ? DESCRIBE_EXACTLY_MS : DESCRIBE_MS);
    if (!run) return undefined;
    const isOther = await isOtherExecution(row, run);
    if (row.finishedAt && !isOther) return undefined;
    // The watcher of a stream copies the end, after everything that precedes it.
    if (!isOther && (run.isOpen || use === 'stream')) return withPause(row, run);
    if (!isOther) return withEnd(await untilEnded(row.id, 'finishedAt'), run);
    const former = row.end ? row : await untilEnded(row.id, 'end');
    if (!former?.finishedAt) return former;
    const latest = await replace(former, run);
    if (!latest || run.isOpen || use === 'stream') return latest;
    return withEnd(await untilEnded(latest.id, 'finishedAt'), run);
  }

  return {
    async latest(row, use) {
      if (!isTemporalWorkflow(row)) return row;
      try {
        return (await check(row, use)) ?? row;
      } catch (error) {
        // Deleted, or past its retention period; the follower confirms that.
        if (isTemporalError(error, 'unknown-workflow') && !row.finishedAt) void settle(row.id);
        return row;
      }
    },
  };
}
