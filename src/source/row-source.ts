// Rows as a source of events, for engines that publish nothing: while an execution has viewers, one relay in the
// cluster polls its row and copies the changes into the log (row-relay.ts).
//
// Whatever fails, the loop continues, with a new token, for as long as the execution is followed.
import { randomUUID } from 'node:crypto';
import { backoff } from '../async/backoff.ts';
import { delay } from '../async/delay.ts';
import type { Leases } from '../coordination/lease.ts';
import type { LivenessReader } from '../coordination/liveness.ts';
import { messageOf } from '../event/error-message.ts';
import type { ExecutionStore } from '../execution/store.ts';
import type { LogWriter } from '../log/log.ts';
import { createPublisherWatch } from './publisher-watch.ts';
import { createRowCopier, type RowCopierOptions } from './row-copier.ts';
import { createRowRelay } from './row-relay.ts';
import { type Audience, DELETED_MS, followBy, type Source } from './source.ts';

export interface RowSourceTimes {
  /**
   * How long a lease is valid after its last renewal. It is renewed three times as often.
   * @default 6 s
   */
  readonly leaseMs: number;
  /**
   * How often a relay without the lease tries to take it over.
   * @default 1.5 s
   */
  readonly standbyMs: number;
  /**
   * How often published executions are checked for whether they still are.
   * @default 10 s
   */
  readonly publishedMs: number;
  /**
   * How long a row is missing before the stream of its execution ends: an engine may insert it again.
   * @default 3 s
   */
  readonly deletedMs: number;
}

const DEFAULT_TIMES: RowSourceTimes = {
  leaseMs: 6_000,
  standbyMs: 1_500,
  publishedMs: 10_000,
  deletedMs: DELETED_MS,
};

const RETRY_MS = { firstMs: 250, maxMs: 5_000 };

export interface RowSourceOptions
  extends Omit<RowCopierOptions, 'executionId' | 'fence' | 'log' | 'store'>,
    Partial<RowSourceTimes> {
  readonly log: LogWriter & LivenessReader & Leases;
  readonly store: ExecutionStore;
}

export function createRowSource(options: RowSourceOptions): Source {
  const { log, store, content } = options;
  const times = { ...DEFAULT_TIMES, ...options };
  const publishers = createPublisherWatch(log, times.publishedMs);

  async function copy(executionId: string): Promise<void> {
    const fence = await log.takeLease(executionId, randomUUID(), times.leaseMs);
    if (fence === undefined) return;
    try {
      const copier = createRowCopier({ log, store, content, executionId, fence });
      while ((await copier.step()) === 'behind') await log.renewLease(executionId, fence, times.leaseMs);
    } finally {
      // A lease that cannot be released expires.
      await log.dropLease(executionId, fence).catch(() => {});
    }
  }

  async function follow(executionId: string, audience: Audience, signal: AbortSignal): Promise<void> {
    const relay = createRowRelay({ log, store, content, executionId, audience, times });
    let failures = 0;
    while (!signal.aborted) {
      let waitMs: number;
      try {
        const next = await relay.step();
        failures = 0;
        if (next === 'ended') break;
        if (next === 'published') {
          await publishers.untilUncertain(executionId, signal);
          continue;
        }
        waitMs = next.waitMs;
      } catch (error) {
        relay.discardCopier();
        failures += 1;
        // One warning per outage, and none for an outage that is over at the first retry.
        if (failures === 2 && !signal.aborted) audience.warn('SOURCE_UNAVAILABLE', messageOf(error));
        waitMs = backoff(RETRY_MS, failures);
      }
      await delay(waitMs, signal);
    }
    await relay.release();
  }

  return { follow: followBy(follow), copy };
}
