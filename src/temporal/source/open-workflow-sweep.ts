// Checks open workflows that have no viewers, so that their rows end, and those of runs that were replaced.
//
// Invariants
// 1. One server of a deployment sweeps at a time, under a lease. Executions that it follows itself are left out.
// 2. A sweep checks a limited number of workflows and the next one continues after them, so that the number of calls to
//    Temporal does not grow with the number of open workflows.
import { randomUUID } from 'node:crypto';
import { delay } from '../../async/delay.ts';
import type { Leases } from '../../coordination/lease.ts';
import type { ExecutionStore, ExecutionSummary } from '../../execution/store.ts';
import type { LatestRun } from './latest-run.ts';
import { withLease } from './leased-work.ts';

/** Workflows that one sweep checks, and how many of them concurrently. */
const MAX_CHECKED = 200;
const MAX_CHECKING = 16;

/** Names the lease. No execution has this id. */
const LEASE_ID = '~execstream/open-workflows';

export interface OpenWorkflowSweepOptions {
  readonly log: Leases;
  readonly store: ExecutionStore;
  readonly latest: LatestRun['latest'];
  readonly isFollowed: (executionId: string) => boolean;
  readonly sweepMs: number;
}

/** Starts the sweeps; returns how to stop them. */
export function createOpenWorkflowSweep(options: OpenWorkflowSweepOptions): () => () => void {
  const { log, store, latest, isFollowed, sweepMs } = options;
  const holder = randomUUID();
  let after: string | undefined;

  async function sweep(signal: AbortSignal): Promise<void> {
    const rows = await store.openWorkflows!(after, MAX_CHECKED);
    after = rows.length < MAX_CHECKED ? undefined : rows.at(-1)!.id;
    const queue = rows.filter(({ id }) => !isFollowed(id)).values();
    const checkQueued = async () => {
      for (const row of queue) {
        if (signal.aborted) return;
        await check(row);
      }
    };
    await Promise.all(Array.from({ length: MAX_CHECKING }, checkQueued));
  }

  /** A workflow that cannot be checked must not block the others; the next sweep repeats it. */
  async function check(row: ExecutionSummary): Promise<void> {
    await latest(row, 'state').catch(() => {});
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
