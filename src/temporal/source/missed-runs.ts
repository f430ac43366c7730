// The runs under a workflow's id that have started and closed while a viewer was not connected. The id names the latest run,
// so a viewer that returns with the cursor of an earlier one would miss those in between. It gets them one after another,
// as pinned runs, and then the latest one (decision 0057).
//
// Invariants
// 1. A viewer gets no run twice, except for one whose end it has not read.
// 2. A cursor that this server cannot assign to a run gets the latest run, as does a viewer without one.
import { delay } from '../../async/delay.ts';
import { LruMap } from '../../async/lru-map.ts';
import type { Cursor } from '../../event/cursor.ts';
import { type EventData, isTerminal } from '../../event/events.ts';
import { isPinnedRun } from '../../event/execution-key.ts';
import type { Execution, ExecutionStore, ExecutionSummary } from '../../execution/store.ts';
import type { Announcement, LogReader, LogWriter } from '../../log/log.ts';
import { isTemporalError } from './errors.ts';
import { quote } from './grpc-visibility.ts';
import { isTemporalWorkflow, type Resolution } from './resolve.ts';
import { filterOfRuns } from './run-list.ts';
import type { TemporalClient, VisibleRun } from './temporal-client.ts';

/** Runs of an id that are considered. */
const MAX_RUNS = 100;
/** How long to wait until visibility has the latest run, and between two requests. */
const VISIBLE_MS = 500;
const CHECK_MS = 50;
/** Epochs whose runs are known. */
const MAX_KNOWN = 10_000;

/** What a viewer with a cursor of an epoch has read: the run, or the chain of runs, of a former row or a pinned one. */
type ReadRow = Pick<ExecutionSummary, 'startedAt' | 'finishedAt' | 'end' | 'runId' | 'status'>;

export interface MissedRuns {
  /** Notes a row that another one will replace. */
  record(former: ExecutionSummary): void;
  /**
   * Notes the ends that are appended to the log of an execution while it has viewers: the sink of a worker may replace the row
   * immediately afterwards. Resolves to a function that stops it.
   */
  observe(executionId: string): Promise<() => Promise<void>>;
  /**
   * The row of the pinned run that a viewer with this cursor is to get in place of the latest run. Never rejects because of
   * Temporal.
   * @param row of the latest run
   */
  next(row: Execution, after: Cursor): Promise<Execution | undefined>;
}

export interface MissedRunsOptions {
  readonly temporal: Pick<TemporalClient, 'list'>;
  readonly store: Pick<ExecutionStore, 'get'>;
  readonly log: Pick<LogReader & LogWriter, 'head' | 'open' | 'listen'>;
  readonly resolution: Pick<Resolution, 'refOf' | 'findRun'>;
}

export function createMissedRuns({ temporal, store, log, resolution }: MissedRunsOptions): MissedRuns {
  /** By id and epoch: a row as it was when another one replaced it, or the key of a pinned run. */
  const read = new LruMap<string, ReadRow | string>(MAX_KNOWN);

  /** The runs from the start of a row on, oldest first; the latest one is among them, unless visibility lacks it for long. */
  async function runsSince({ startedAt }: ReadRow, row: Execution): Promise<readonly VisibleRun[]> {
    const { namespace, workflowId } = await resolution.refOf(row);
    const since = `StartTime >= ${quote(startedAt.toISOString())}`;
    const query = [...filterOfRuns(workflowId).filter, since].join(' AND ');
    for (const givenUpAt = performance.now() + VISIBLE_MS; ; ) {
      const found = await temporal.list({ namespace, query, limit: MAX_RUNS });
      const runs = found.filter((run) => run.workflowId === workflowId);
      const isCurrent = runs.some((run) => Date.parse(run.startedAt) >= row.startedAt.getTime());
      if (isCurrent || performance.now() >= givenUpAt)
        return runs.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
      await delay(CHECK_MS, undefined, true);
    }
  }

  /** Opens the log of a missed run: its viewers have a cursor of another one. */
  async function openLog(row: Execution, { epoch }: Required<Cursor>): Promise<string | undefined> {
    const { id, attempt, incarnation } = row;
    const known = await log.head(id);
    if (known) return known.epoch;
    const lost = { epoch, acknowledged: Number.POSITIVE_INFINITY, reason: 'run' } as const;
    const opened = await log.open(id, {
      ...{ numbering: 'fixed', attempt, lost },
      ...(incarnation !== undefined && { incarnation }),
    });
    return opened.outcome === 'opened' ? opened.head.epoch : undefined;
  }

  async function find(row: Execution, after: Required<Cursor>): Promise<Execution | undefined> {
    const known = read.get(keyOf(row, after.epoch));
    const before = typeof known === 'string' ? await store.get(known) : known;
    if (!before) return undefined;
    const hasReadEnd = before.end?.epoch === after.epoch && after.seq >= before.end.seq;
    // The rest of a pinned run.
    if (typeof known === 'string' && !hasReadEnd) return before as Execution;
    const runs = await runsSince(before, row);
    const missed = runs.find((run) => isMissed(run, row, before, hasReadEnd));
    const next = missed && (await resolution.findRun(row, missed.runId));
    const epoch = next && (await openLog(next, after));
    if (epoch !== undefined) read.set(keyOf(row, epoch), next!.id);
    return next;
  }

  return {
    record(former) {
      if (former.end) read.set(keyOf(former, former.end.epoch), former);
    },
    async observe(executionId) {
      if (isPinnedRun(executionId)) return async () => {};
      const first = await store.get(executionId);
      let run: Pick<ReadRow, 'runId' | 'startedAt'> | undefined = first;

      async function begin(runId: string, ts: string): Promise<void> {
        if (run?.runId === runId) return;
        run = { runId, startedAt: new Date(ts) };
        const row = await store.get(executionId);
        // A workflow emits its first event some time after its start.
        if (row?.runId === runId && run.runId === runId) run = row;
      }

      function onAnnouncement({ epoch, events }: Announcement): void {
        for (const { seq, type, ts, data } of events) {
          if (type === 'workflow_start') void begin(data.runId, ts).catch(() => {});
          if (!isTerminal(type) || !run) continue;
          const { runId, startedAt } = run;
          const { status } = data as EventData[typeof type];
          const ended = { startedAt, finishedAt: new Date(ts), end: { seq, epoch }, status };
          read.set(keyOf({ id: executionId }, epoch), { ...ended, ...(runId !== undefined && { runId }) });
        }
      }

      return log.listen(executionId, { onAnnouncement, onInterruption() {} });
    },
    async next(row, { seq, epoch }) {
      if (epoch === undefined || isPinnedRun(row.id) || !isTemporalWorkflow(row)) return undefined;
      try {
        return await find(row, { seq, epoch });
      } catch (error) {
        if (isTemporalError(error)) return undefined;
        throw error;
      }
    },
  };
}

/** Whether a run precedes the latest one, and follows the runs of the row before, or is one of them if their end was not read. */
function isMissed(run: VisibleRun, latest: ReadRow, before: ReadRow, hasReadEnd: boolean): boolean {
  const startedAt = Date.parse(run.startedAt);
  if (startedAt >= latest.startedAt.getTime()) return false;
  if (!hasReadEnd) return run.runId === before.runId || startedAt >= before.startedAt.getTime();
  if (run.runId === before.runId) return false;
  const endedAt = before.finishedAt?.getTime() ?? Number.POSITIVE_INFINITY;
  if (startedAt >= endedAt) return true;
  // A start that terminates a run precedes its end. The later runs of a chain close no later than the chain.
  const closedAt = run.finishedAt === undefined ? startedAt : Date.parse(run.finishedAt);
  return before.status === 'TERMINATED' && closedAt > endedAt;
}

function keyOf({ id }: Pick<ExecutionSummary, 'id'>, epoch: string): string {
  return JSON.stringify([id, epoch]);
}
