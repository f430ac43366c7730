// Finds workflows that nobody has viewed, for lists: Temporal's visibility is queried for those that belong on a page, and
// those without a row get one. The page itself is then read from the rows, so that its order, filters, permissions and
// cursors are those of every list.
//
// A row starts with the chain of runs, and visibility has the runs: a workflow whose row starts before the page does not
// count for it.
import { LruMap } from '../../async/lru-map.ts';
import {
  type DiscoverExecutions,
  type DiscoveryQuery,
  storeQueryOf,
  workflowFilterIn,
} from '../../execution/discovery.ts';
import type { ExecutionStore, ExecutionSummary } from '../../execution/store.ts';
import { isTemporalError, toViewerError } from './errors.ts';
import type { LatestRun } from './latest-run.ts';
import type { Resolution } from './resolve.ts';
import type { TemporalClient, VisibleRun } from './temporal-client.ts';
import { readWindows, type StartRange, type VisibilityFilter } from './visibility-windows.ts';

/** Rows that are created concurrently. */
const MAX_CREATING = 8;
/** How often rows that turned out to start before the page are replaced by others. */
const MAX_ROUNDS = 5;
/** Ids of one read of the store. */
const MAX_IDS = 1_000;
/** How long a page that was read is not read again, and how many pages are remembered. */
const RECENT_MS = 2_000;
const MAX_REMEMBERED = 1_000;
/** How much later than this server's clock a start may be. */
const CLOCK_SKEW_MS = 10_000;

export interface DiscoveryOptions {
  readonly temporal: TemporalClient;
  readonly store: ExecutionStore;
  readonly resolution: Pick<Resolution, 'find' | 'idsFrom' | 'resolveWorkflow'>;
  readonly latest: LatestRun['latest'];
  readonly namespaces?: readonly string[] | undefined;
  /** The tenant of workflows without a row. */
  readonly tenant?: string | undefined;
}

/** A workflow that visibility has. */
interface Candidate {
  readonly id: string;
  /** Its newest run. */
  run: VisibleRun;
  /** undefined: not read yet; null: there is none. */
  row: ExecutionSummary | null | undefined;
  /** Whether the row is up to date, or cannot be read. */
  isDone: boolean;
}

export function createDiscovery(options: DiscoveryOptions): DiscoverExecutions {
  const { temporal, store, resolution, latest, namespaces = [], tenant } = options;
  const watched = [...new Set([temporal.namespace, ...namespaces])];

  /** The start times of executions that the page may contain. */
  async function rangeOf(query: DiscoveryQuery): Promise<StartRange> {
    const { after, startedFrom, startedBefore } = query;
    const last = after ? after.startedAt.getTime() + 1 : Date.now() + CLOCK_SKEW_MS;
    const to = Math.min(last, startedBefore?.getTime() ?? last);
    if (workflowFilterIn(query)) return { from: startedFrom ? startedFrom.getTime() - 1 : 0, to };
    const { executions, hasNextPage } = await store.list(storeQueryOf(query));
    return { from: hasNextPage ? executions.at(-1)!.startedAt.getTime() - 1 : 0, to };
  }

  /** What selects the runs, and the namespaces that have them; undefined if none can have. */
  async function selectionOf(
    query: DiscoveryQuery,
  ): Promise<{ readonly filter: VisibilityFilter; readonly namespaces: readonly string[] } | undefined> {
    const { status, scheduleId, workflowType, parentId } = query;
    const filter = { status, scheduleId, workflowType };
    if (parentId === undefined) return { filter, namespaces: watched };
    const parent = await resolution.resolveWorkflow(parentId);
    if (!parent) return undefined;
    // The children of a workflow are in its namespace.
    const { namespace = temporal.namespace, workflowId: parentWorkflowId } = parent;
    return { filter: { ...filter, parentWorkflowId }, namespaces: [namespace] };
  }

  async function readRows(candidates: readonly Candidate[]): Promise<void> {
    for (let i = 0; i < candidates.length; i += MAX_IDS) {
      const batch = candidates.slice(i, i + MAX_IDS);
      const rows = new Map((await store.getMany(batch.map(({ id }) => id))).map((row) => [row.id, row]));
      for (const candidate of batch) candidate.row = rows.get(candidate.id) ?? null;
    }
  }

  /** Creates the row of a workflow, or replaces that of a run before the one that visibility has. */
  async function refresh(candidate: Candidate): Promise<void> {
    const { id, run, row } = candidate;
    candidate.isDone = true;
    if (row && !isOutdated(row, run)) return;
    try {
      const known = row ?? (await resolution.find(id, tenant));
      if (known) candidate.row = await latest(known, 'state');
    } catch {
      // A workflow that cannot be read must not hide the others.
    }
  }

  /** Brings the newest candidates up to date, as many as the page needs. */
  async function place(
    candidates: readonly Candidate[],
    wanted: number,
    isWanted: (candidate: Candidate) => boolean,
  ): Promise<readonly Candidate[]> {
    await readRows(candidates.filter(({ row }) => row === undefined));
    for (let rounds = 1; ; rounds += 1) {
      const newest = candidates
        .filter(isWanted)
        .sort((a, b) => startOf(b) - startOf(a))
        .slice(0, wanted);
      const pending = newest.filter(({ isDone }) => !isDone);
      if (pending.length === 0 || rounds > MAX_ROUNDS) return newest;
      const queue = pending.values();
      const refreshQueued = async () => {
        for (const candidate of queue) await refresh(candidate);
      };
      await Promise.all(Array.from({ length: MAX_CREATING }, refreshQueued));
    }
  }

  async function discover(query: DiscoveryQuery): Promise<readonly string[]> {
    const candidates = new Map<string, Candidate>();
    const range = await rangeOf(query);
    const selection = await selectionOf(query);
    if (!selection) return [];
    // One more than the page has shows whether there is a next one. The execution that the page follows is found again.
    const wanted = query.first + (query.after ? 2 : 1);
    let newest: readonly Candidate[] = [];
    for await (const { from, runs } of readWindows(temporal, selection.namespaces, selection.filter, range)) {
      for (const run of runs) {
        const id = resolution.idsFrom(run)(run.namespace, run.workflowId);
        const known = id === undefined ? undefined : candidates.get(id);
        if (known && run.startedAt > known.run.startedAt) known.run = run;
        if (id !== undefined && !known) candidates.set(id, { id, run, row: undefined, isDone: false });
      }
      newest = await place([...candidates.values()], wanted, (candidate) => isStartedIn(query, candidate));
      if (newest.filter((candidate) => startOf(candidate) > from).length >= wanted) break;
    }
    return newest.map(({ id }) => id);
  }

  const recent = new LruMap<string, { readonly at: number; readonly ids: Promise<readonly string[]> }>(
    MAX_REMEMBERED,
  );

  /** Requests for the same page share the work. */
  function discoverOnce(query: DiscoveryQuery): Promise<readonly string[]> {
    const key = JSON.stringify(query);
    const known = recent.get(key);
    if (known && Date.now() - known.at < RECENT_MS) return known.ids;
    const ids = discover(query);
    recent.set(key, { at: Date.now(), ids });
    return ids;
  }

  return async (query) => {
    const { kind = 'workflow', tenants } = query;
    const isFiltered = workflowFilterIn(query) !== undefined;
    const isNeeded = kind === 'workflow' && (!tenants || tenants.includes(tenant ?? null));
    if (!isNeeded) return isFiltered ? [] : undefined;
    try {
      const ids = await discoverOnce(query);
      return isFiltered ? ids : undefined;
    } catch (error) {
      if (!isTemporalError(error)) throw error;
      if (isFiltered) throw toViewerError(error);
      // The list has the rows that exist.
      return undefined;
    }
  };
}

/** Whether a row is that of a run before the one that visibility has, or does not know that Temporal has paused it. */
function isOutdated({ finishedAt, status }: ExecutionSummary, run: VisibleRun): boolean {
  if (finishedAt) return Date.parse(run.startedAt) > finishedAt.getTime();
  return run.status === 'PAUSED' && status !== 'PAUSED';
}

/**
 * Whether an execution started within the time that a query selects. Its chain of runs may have started before the run that
 * visibility has, and a later workflow may have the same id.
 */
function isStartedIn({ startedFrom, startedBefore }: DiscoveryQuery, candidate: Candidate): boolean {
  const startedAt = startOf(candidate);
  if (startedFrom && startedAt < startedFrom.getTime()) return false;
  return !startedBefore || startedAt < startedBefore.getTime();
}

/** When an execution started, in ms since 1970. */
function startOf({ row, run }: Candidate): number {
  return row ? row.startedAt.getTime() : Date.parse(run.startedAt);
}
