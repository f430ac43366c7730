// Rows as a source of events, for engines that publish nothing: while an execution has viewers, one relay in the
// cluster polls its row and copies what became of it into the log.
//
// Invariants
// 1. A row is polled by whoever holds the execution's lease, and by nobody where events come from a publisher.
// 2. A log that is not there is not begun at first sight: a publisher begins its row first and its log right after.
// 3. Whatever fails, the loop goes on, with a new token, for as long as the execution is followed.
import { randomUUID } from 'node:crypto';
import { backoff } from '../async/backoff.ts';
import { delay } from '../async/delay.ts';
import type { Leases } from '../coordination/lease.ts';
import type { LivenessReader } from '../coordination/liveness.ts';
import { messageOf } from '../event/errors.ts';
import type { ExecutionStore } from '../execution/store.ts';
import type { LogWriter } from '../log/log.ts';
import { createPublisherWatch } from './publisher-watch.ts';
import { createRowCopier, type RowCopier, type RowCopierOptions } from './row-copier.ts';
import { type Audience, type Follow, followBy, isPublished } from './source.ts';

export interface RowSourceTimes {
  /** How long a lease holds where its holder is heard of no more. It is renewed three times as often. */
  readonly leaseMs: number;
  /** How often it is looked whether another relay has given up, or died. */
  readonly standbyMs: number;
  /** How often it is looked whether published executions still are. */
  readonly publishedMs: number;
}

const DEFAULT_TIMES: RowSourceTimes = { leaseMs: 6_000, standbyMs: 1_500, publishedMs: 10_000 };

const RETRY_MS = { firstMs: 250, maxMs: 5_000 };

/** A log that is not there is looked for again within this time. */
const ABSENT_MS = 500;

export interface RowSourceOptions
  extends Omit<RowCopierOptions, 'executionId' | 'fence' | 'log' | 'store'>,
    Partial<RowSourceTimes> {
  readonly log: LogWriter & LivenessReader & Leases;
  readonly store: ExecutionStore;
}

export interface RowSource {
  readonly follow: Follow;
  /**
   * Copies an execution's row once, up to its end where it has ended; does nothing where another relay is at it.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` where the log or the store does not answer.
   */
  copy(executionId: string): Promise<void>;
}

export function createRowSource(options: RowSourceOptions): RowSource {
  const { log } = options;
  const times = { ...DEFAULT_TIMES, ...options };
  const published = createPublisherWatch(log, times.publishedMs);

  async function copy(executionId: string): Promise<void> {
    const fence = await log.takeLease(executionId, randomUUID(), times.leaseMs);
    if (fence === undefined) return;
    try {
      const rowCopy = createRowCopier({ ...options, executionId, fence });
      while ((await rowCopy.step()) === 'behind') await log.renewLease(executionId, fence, times.leaseMs);
    } finally {
      await log.dropLease(executionId, fence).catch(() => {});
    }
  }

  async function relay(executionId: string, audience: Audience, signal: AbortSignal): Promise<void> {
    const session = createSession(executionId, audience);
    let failures = 0;
    while (!signal.aborted) {
      let waitMs: number | undefined;
      try {
        const next = await session.step();
        failures = 0;
        if (next === 'while published') {
          await published.inDoubt(executionId, signal);
          continue;
        }
        waitMs = next;
      } catch (error) {
        session.startOver();
        failures += 1;
        // Once an outage, and not for one that the next try finds over.
        if (failures === 2 && !signal.aborted) audience.warn('SOURCE_UNAVAILABLE', messageOf(error));
        waitMs = backoff(RETRY_MS, failures);
      }
      if (waitMs === undefined) break;
      await delay(waitMs, signal);
    }
    await session.leave();
  }

  function createSession(executionId: string, audience: Audience) {
    const holder = randomUUID();
    let isAbsent = false;
    let fence: number | undefined;
    let renewedAt = 0;
    let rowCopy: RowCopier | undefined;

    async function leave(): Promise<void> {
      const held = fence;
      fence = undefined;
      rowCopy = undefined;
      // One that cannot be given back runs out.
      if (held !== undefined) await log.dropLease(executionId, held).catch(() => {});
    }

    /** Whether this process has the lease, by a token that nobody has superseded. */
    async function hold(): Promise<boolean> {
      if (fence !== undefined && rowCopy) {
        if (Date.now() - renewedAt < times.leaseMs / 3) return true;
        renewedAt = Date.now();
        if (await log.renewLease(executionId, fence, times.leaseMs)) return true;
      }
      renewedAt = Date.now();
      fence = await log.takeLease(executionId, holder, times.leaseMs);
      rowCopy = fence === undefined ? undefined : createRowCopier({ ...options, executionId, fence });
      return fence !== undefined;
    }

    /** One look; answers how long to wait for the next, undefined where nothing will follow. */
    async function step(): Promise<number | 'while published' | undefined> {
      if (!rowCopy) {
        const head = await log.head(executionId);
        if (head && head.end > 0) return undefined;
        if (await isPublished(log, executionId, head)) return 'while published';
        const isNew = !head && !isAbsent;
        isAbsent = !head;
        if (isNew) return Math.min(audience.pollMs, ABSENT_MS);
      }
      if (!(await hold())) return times.standbyMs * (0.75 + Math.random() / 2);
      switch (await rowCopy!.step()) {
        case 'current':
          return audience.pollMs;
        case 'behind':
          return 0;
        case 'ended':
          return undefined;
        case 'fenced':
          await leave();
          return times.standbyMs;
        default:
          await leave();
          return 'while published';
      }
    }

    function startOver(): void {
      rowCopy = undefined;
    }

    return { step, leave, startOver };
  }

  return { follow: followBy(relay), copy };
}
