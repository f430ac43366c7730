// Brings the rows of a page of a list up to date before it is read: those of workflows that have closed, were paused or
// continued, or whose ids were used again, since the rows were written. One request to Temporal's visibility shows which rows these are; they are then
// described. So a list is as recent as visibility, which may lack a change for a moment.
import { LruMap } from '../../async/lru-map.ts';
import { settleWithin } from '../../async/timeout.ts';
import { type DiscoveryQuery, storeQueryOf } from '../../execution/discovery.ts';
import type { ExecutionStore, ExecutionSummary } from '../../execution/store.ts';
import { isPlain, quote } from './grpc-visibility.ts';
import type { LatestRun } from './latest-run.ts';
import { isTemporalWorkflow, type Resolution } from './resolve.ts';
import { shareCalls } from './shared-calls.ts';
import type { TemporalClient, VisibleRun, WorkflowRef } from './temporal-client.ts';

/** Runs that one request to Temporal returns. Open ones come first, and then those that closed last. */
const MAX_RUNS = 1_000;
/** Rows that are described for one page. */
const MAX_CHECKED = 20;
/** How long a list waits for Temporal. */
const REFRESH_MS = 2_000;
/** Between two requests for one page. */
const SPACING_MS = 250;
/** Runs that were checked, so that later runs of a chain are not described with each page. */
const MAX_KNOWN = 10_000;

export interface ListRefreshOptions {
  readonly temporal: Pick<TemporalClient, 'list'>;
  readonly store: Pick<ExecutionStore, 'list'>;
  readonly refOf: Resolution['refOf'];
  readonly latest: LatestRun['latest'];
}

/** Brings the newest rows that a page may contain up to date. Does nothing without a response from Temporal. */
export type RefreshList = (query: DiscoveryQuery) => Promise<void>;

/** A row, and the workflow that it names. */
interface Listed {
  readonly row: ExecutionSummary;
  readonly ref: WorkflowRef;
}

export function createListRefresh({ temporal, store, refOf, latest }: ListRefreshOptions): RefreshList {
  /** What visibility and the row had when the row was checked last, by the id of the row. */
  const checkedRuns = new LruMap<string, string>(MAX_KNOWN);

  async function refresh(query: DiscoveryQuery): Promise<void> {
    // A row that leaves the page because of its status is one of these, too.
    const { status: _, ...page } = storeQueryOf(query);
    const { executions } = await store.list({ ...page, kind: 'workflow' });
    const listed: Listed[] = [];
    for (const row of executions.filter(isTemporalWorkflow)) {
      // A hook of the application may fail for one of them.
      const ref = await refOf(row).catch(() => undefined);
      if (ref && isPlain(ref.workflowId)) listed.push({ row, ref });
    }
    const newest = await newestRuns(listed);
    const stale = listed.filter(({ row, ref }) => isStale(row, newest.get(keyOf(ref)))).slice(0, MAX_CHECKED);
    await Promise.all(
      stale.map(async ({ row, ref }) => {
        const now = await latest(row, 'state');
        const run = newest.get(keyOf(ref));
        if (run) checkedRuns.set(row.id, stateOf(run, now));
      }),
    );
  }

  /** The newest run of each workflow, as visibility has it. */
  async function newestRuns(listed: readonly Listed[]): Promise<ReadonlyMap<string, VisibleRun>> {
    const newest = new Map<string, VisibleRun>();
    for (const namespace of new Set(listed.map(({ ref }) => ref.namespace))) {
      const ofNamespace = listed.filter(({ ref }) => ref.namespace === namespace);
      const since = new Date(Math.min(...ofNamespace.map(({ row }) => row.startedAt.getTime())));
      const ids = [...new Set(ofNamespace.map(({ ref }) => quote(ref.workflowId)))];
      const query = `WorkflowId IN (${ids.join(', ')}) AND StartTime >= ${quote(since.toISOString())}`;
      for (const run of await temporal.list({ namespace, query, limit: MAX_RUNS })) {
        const key = keyOf({ namespace, workflowId: run.workflowId });
        const known = newest.get(key);
        if (!known || run.startedAt > known.startedAt) newest.set(key, run);
      }
    }
    return newest;
  }

  function isStale(row: ExecutionSummary, run: VisibleRun | undefined): boolean {
    if (row.finishedAt) return run !== undefined && Date.parse(run.startedAt) > row.finishedAt.getTime();
    if (!run) return true;
    if (run.runId === row.runId && !run.finishedAt && isPaused(run) === isPaused(row)) return false;
    return checkedRuns.get(row.id) !== stateOf(run, row);
  }

  const share = shareCalls({ keyOf: JSON.stringify, spacingMs: SPACING_MS, call: refresh });
  return async (query) => {
    if (query.kind !== undefined && query.kind !== 'workflow') return;
    // Otherwise the list has the rows as they are.
    await settleWithin(share(query), REFRESH_MS);
  };
}

function keyOf({ namespace, workflowId }: WorkflowRef): string {
  return JSON.stringify([namespace, workflowId]);
}

function isPaused({ status }: Pick<VisibleRun, 'status'>): boolean {
  return status === 'PAUSED';
}

/** A later run of a chain differs from its row, and a workflow that streams itself may call itself paused. */
function stateOf(run: VisibleRun, row: Pick<ExecutionSummary, 'status'>): string {
  const state = run.finishedAt === undefined ? 'open' : 'closed';
  return [run.runId, state, isPaused(run), isPaused(row)].join(' ');
}
