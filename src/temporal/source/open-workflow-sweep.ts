// Checks open workflows that have no viewers, so that their rows end, and those of runs that were replaced.
//
// Invariants
// 1. One server of a deployment sweeps at a time, under a lease. Executions that it follows itself are left out.
// 2. One request lists which of 200 workflows are still open; the others are checked one by one. Without visibility all
//    are.
// 3. A sweep covers a limited number of workflows and the next one continues after them, so that the number of requests
//    does not grow with the number of open workflows.
import { randomUUID } from 'node:crypto';
import { delay } from '../../async/delay.ts';
import { LruMap } from '../../async/lru-map.ts';
import type { Leases } from '../../coordination/lease.ts';
import type { ExecutionStore, ExecutionSummary } from '../../execution/store.ts';
import { isPlain } from './grpc-visibility.ts';
import type { LatestRun } from './latest-run.ts';
import { withLease } from './leased-work.ts';
import type { Resolution } from './resolve.ts';
import type { TemporalClient, WorkflowRef } from './temporal-client.ts';

/** Workflows that one sweep covers. */
const MAX_COVERED = 600;
/** Those of one list request. */
const MAX_LISTED = 200;
/** Those that one sweep checks, and how many of them concurrently. */
const MAX_CHECKED = 200;
const MAX_CHECKING = 16;
/** How long a later run of the row's workflow is known to be that. */
const KNOWN_MS = 60_000;
const MAX_KNOWN = 10_000;

/** Names the lease. No execution has this id. */
const LEASE_ID = '~execstream/open-workflows';

export interface OpenWorkflowSweepOptions {
  readonly log: Leases;
  readonly store: ExecutionStore;
  readonly temporal: Pick<TemporalClient, 'openRuns'>;
  readonly refOf: Resolution['refOf'];
  readonly latest: LatestRun['latest'];
  readonly isFollowed: (executionId: string) => boolean;
  readonly sweepMs: number;
}

/** An open row, and the open run of its workflow, if visibility knows one. */
interface Candidate {
  readonly row: ExecutionSummary;
  readonly openRunId: string | undefined;
}

/** Starts the sweeps; returns how to stop them. */
export function createOpenWorkflowSweep(options: OpenWorkflowSweepOptions): () => () => void {
  const { log, store, temporal, refOf, latest, isFollowed, sweepMs } = options;
  const holder = randomUUID();
  /** The runs that continue those of the rows, by the id of the row. */
  const laterRuns = new LruMap<string, { readonly runId: string; readonly at: number }>(MAX_KNOWN);
  let after: string | undefined;

  async function sweep(signal: AbortSignal): Promise<void> {
    const rows = await store.openWorkflows!(after, MAX_COVERED);
    const candidates = await withoutOpen(rows.filter(({ id }) => !isFollowed(id)));
    const checked = candidates.slice(0, MAX_CHECKED);
    const last = checked.length < candidates.length ? checked.at(-1)?.row : rows[MAX_COVERED - 1];
    after = last?.id;
    const queue = checked.values();
    const checkQueued = async () => {
      for (const candidate of queue) {
        if (signal.aborted) return;
        await check(candidate);
      }
    };
    await Promise.all(Array.from({ length: MAX_CHECKING }, checkQueued));
  }

  /** The rows whose run may have closed, or be another one. */
  async function withoutOpen(rows: readonly ExecutionSummary[]): Promise<Candidate[]> {
    // A hook of the application may fail for one of them.
    const refs = await Promise.all(rows.map((row) => refOf(row).catch(() => undefined)));
    const openRuns = await listOpen(refs.filter((ref) => ref !== undefined));
    return rows.flatMap((row, i) => {
      const ref = refs[i];
      const openRunId = ref && openRuns.get(keyOf(ref));
      return openRunId !== undefined && isRunOf(row, openRunId) ? [] : { row, openRunId };
    });
  }

  /** The open runs of workflows, as far as visibility knows them. */
  async function listOpen(refs: readonly WorkflowRef[]): Promise<Map<string, string>> {
    const byNamespace = new Map<string, string[]>();
    for (const { namespace, workflowId } of refs) {
      if (!isPlain(workflowId)) continue;
      const ids = byNamespace.get(namespace) ?? [];
      byNamespace.set(namespace, ids);
      ids.push(workflowId);
    }
    const open = new Map<string, string>();
    for (const [namespace, ids] of byNamespace) {
      for (let i = 0; i < ids.length; i += MAX_LISTED) {
        // Without visibility, or the permission to use it, every workflow is checked.
        const listed = await temporal.openRuns(namespace, ids.slice(i, i + MAX_LISTED)).catch(() => []);
        for (const [workflowId, runId] of listed) open.set(keyOf({ namespace, workflowId }), runId);
      }
    }
    return open;
  }

  function isRunOf(row: ExecutionSummary, runId: string): boolean {
    if (runId === row.runId) return true;
    const later = laterRuns.get(row.id);
    return later?.runId === runId && Date.now() - later.at < KNOWN_MS;
  }

  /** A workflow that cannot be checked must not block the others; the next sweep repeats it. */
  async function check({ row, openRunId }: Candidate): Promise<void> {
    const now = await latest(row, 'state').catch(() => undefined);
    if (now === row && openRunId !== undefined) laterRuns.set(row.id, { runId: openRunId, at: Date.now() });
  }

  async function sweepUntil(signal: AbortSignal): Promise<void> {
    const lease = { log, executionId: LEASE_ID, holder, leaseMs: 3 * sweepMs, note: () => undefined, signal };
    for (;;) {
      await delay(sweepMs * (5 / 6 + Math.random() / 3), signal);
      if (signal.aborted) return;
      // The log or the store is unavailable: the next sweep follows.
      await withLease(lease, (_, held) => sweep(held)).catch(() => {});
    }
  }

  return () => {
    const stopping = new AbortController();
    if (store.openWorkflows) void sweepUntil(stopping.signal);
    return () => stopping.abort();
  };
}

function keyOf({ namespace, workflowId }: WorkflowRef): string {
  return JSON.stringify([namespace, workflowId]);
}
