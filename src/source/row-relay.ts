// One process's relay for one execution: waits for the execution's lease, then copies the row while it holds it.
//
// Invariants
// 1. A row is polled by the holder of the execution's lease only, and not at all if the events come from a publisher.
// 2. A log that does not exist is not created the first time that it is missing: a publisher begins its row first and
//    opens its log right after.
// 3. The log of a row that was deleted ends, unless a row is inserted under the same id soon after: that one is copied
//    into a new epoch.
import { randomUUID } from 'node:crypto';
import type { Leases } from '../coordination/lease.ts';
import type { LivenessReader } from '../coordination/liveness.ts';
import type { ExecutionStore } from '../execution/store.ts';
import type { LogWriter } from '../log/log.ts';
import { createRowCopier, type RowCopier, type RowCopierOptions, type RowCopyOutcome } from './row-copier.ts';
import { type Audience, isPublished } from './source.ts';

/** A log that does not exist is checked again within this time. */
const ABSENT_MS = 500;

export interface RowRelayOptions extends Omit<RowCopierOptions, 'fence' | 'log' | 'store'> {
  readonly log: LogWriter & LivenessReader & Leases;
  readonly store: ExecutionStore;
  readonly audience: Audience;
  readonly times: { readonly leaseMs: number; readonly standbyMs: number; readonly deletedMs: number };
}

export type NextStep =
  /** The next step is due after this time. */
  | { readonly waitMs: number }
  /** The next step is due once it is uncertain whether the execution is published. */
  | 'published'
  /** The log has its terminal event. */
  | 'ended';

export interface RowRelay {
  /**
   * Checks or copies once.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the log or the store is unavailable; `discardCopier` is due then
   */
  step(): Promise<NextStep>;
  /** Makes the next step take a new token: the outcome of the last call is unknown. */
  discardCopier(): void;
  /** Releases the lease, if it is held. */
  release(): Promise<void>;
}

export function createRowRelay(options: RowRelayOptions): RowRelay {
  const { log, store, content, executionId, audience, times } = options;
  const holder = randomUUID();
  let isAbsent = false;
  let fence: number | undefined;
  /** Present while the token is current. */
  let copier: RowCopier | undefined;
  let renewedAt = 0;
  /** When the row was first missing; undefined while there is one. */
  let deletedAt: number | undefined;

  async function release(): Promise<void> {
    const held = fence;
    fence = undefined;
    copier = undefined;
    // A lease that cannot be released expires.
    if (held !== undefined) await log.dropLease(executionId, held).catch(() => {});
  }

  /** Checks an execution that this process does not copy; undefined if its row may be copied. */
  async function check(): Promise<NextStep | undefined> {
    const head = await log.head(executionId);
    if (head && head.end > 0) return 'ended';
    if (await isPublished(log, executionId, head)) return 'published';
    const isFirstMiss = !head && !isAbsent;
    isAbsent = !head;
    return isFirstMiss ? { waitMs: Math.min(audience.pollMs, ABSENT_MS) } : undefined;
  }

  /** Renews or takes the lease; returns the copier for its token, undefined if another relay holds the lease. */
  async function hold(): Promise<RowCopier | undefined> {
    if (copier && fence !== undefined) {
      if (Date.now() - renewedAt < times.leaseMs / 3) return copier;
      renewedAt = Date.now();
      if (await log.renewLease(executionId, fence, times.leaseMs)) return copier;
    }
    renewedAt = Date.now();
    fence = await log.takeLease(executionId, holder, times.leaseMs);
    copier = fence === undefined ? undefined : createRowCopier({ log, store, content, executionId, fence });
    return copier;
  }

  async function step(): Promise<NextStep> {
    const next = copier ? undefined : await check();
    if (next) return next;
    const held = await hold();
    if (!held) return { waitMs: times.standbyMs * (0.75 + Math.random() / 2) };
    const outcome = await copyWith(held);
    if (outcome !== 'absent') deletedAt = undefined;
    switch (outcome) {
      case 'current':
        return { waitMs: audience.pollMs };
      case 'behind':
        return { waitMs: 0 };
      case 'ended':
        return 'ended';
      case 'fenced':
        await release();
        return { waitMs: times.standbyMs };
      case 'absent':
        return { waitMs: Math.min(audience.pollMs, times.deletedMs) };
      case 'published':
        await release();
        return 'published';
    }
  }

  async function copyWith(held: RowCopier): Promise<RowCopyOutcome> {
    const outcome = await held.step();
    if (outcome !== 'absent') return outcome;
    deletedAt ??= Date.now();
    return Date.now() - deletedAt < times.deletedMs ? outcome : held.endDeleted();
  }

  return {
    step,
    discardCopier() {
      copier = undefined;
    },
    release,
  };
}
