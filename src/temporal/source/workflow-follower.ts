// Follows one workflow for its viewers: takes the lease, watches, and starts over after a failure.
//
// Invariants
// 1. The holder of the execution's lease watches a workflow. The lease is renewed beside the work, which may wait for
//    long; a watcher that has lost it stops, and the log rejects what it still sends.
// 2. After any failure the loop continues, with a new token, while the execution is followed.

import { randomUUID } from 'node:crypto';
import { backoff } from '../../async/backoff.ts';
import { delay } from '../../async/delay.ts';
import type { Leases } from '../../coordination/lease.ts';
import { messageOf } from '../../event/error-message.ts';
import type { SizeLimits } from '../../event/size-limits.ts';
import type { Execution, ExecutionEnd, ExecutionStore } from '../../execution/store.ts';
import type { LogReader, LogWriter } from '../../log/log.ts';
import { replaceLog } from '../../source/row-watch.ts';
import type { Audience } from '../../source/source.ts';
import type { ErrorLogger } from '../../telemetry/logger.ts';
import type { PayloadDecoder } from '../shared/payloads.ts';
import type { BeginChildren } from './child-rows.ts';
import { isTemporalError } from './errors.ts';
import { watchExternalPublisher } from './external-publisher.ts';
import { createFixedCopy } from './fixed-copy.ts';
import { withLease } from './leased-work.ts';
import { isTemporalWorkflow, type Resolution } from './resolve.ts';
import type { TemporalClient } from './temporal-client.ts';
import { createActiveWarnings, type WatchOutcome, type WatchTimes } from './watch-context.ts';
import { watchWorkflow } from './watch-workflow.ts';
import { createStreamUse } from './workflow-streams/stream-use.ts';

/** Intervals and timeouts in ms. */
export interface TemporalTimes extends WatchTimes {
  /**
   * How long a lease is valid without a renewal.
   * @default 5000
   */
  readonly leaseMs: number;
  /**
   * How often to check whether the watcher on another server has stopped.
   * @default 1000
   */
  readonly standbyMs: number;
  /**
   * How long Temporal does not know a workflow before its execution ends.
   * @default 3000
   */
  readonly deletedMs: number;
}

/** The end of a workflow that Temporal no longer knows. */
const WORKFLOW_GONE: ExecutionEnd = {
  status: 'TERMINATED',
  error: {
    code: 'WORKFLOW_GONE',
    message: 'Temporal no longer knows the workflow: it was deleted, or its retention period is over',
  },
};

export interface FollowerOptions {
  readonly temporal: TemporalClient;
  readonly log: LogWriter & LogReader & Leases;
  readonly store: ExecutionStore;
  readonly times: TemporalTimes;
  /** Limits of the events. */
  readonly sizes: SizeLimits;
  readonly decodePayload: PayloadDecoder | undefined;
  /** Whether Workflow Streams are polled for the items that workflows publish themselves. */
  readonly pollsStreams: boolean;
  readonly refOf: Resolution['refOf'];
  readonly idsFrom: Resolution['idsFrom'];
  readonly beginChildren: BeginChildren;
  readonly logger: ErrorLogger | undefined;
  /**
   * Whether the log of a workflow that has ended is copied again if it is not complete.
   * @default false
   */
  readonly restores?: boolean;
  /** Appends the end that the row knows to the log. */
  reconcileEnd(row: Execution): Promise<void>;
}

/**
 * Follows a workflow until it has ended or the signal aborts.
 * @returns `other` if the execution is not a Temporal workflow.
 */
export async function followWorkflow(
  options: FollowerOptions,
  executionId: string,
  audience: Audience,
  signal: AbortSignal,
): Promise<'over' | 'other'> {
  const { temporal, log, store, times, sizes, refOf, reconcileEnd, logger } = options;
  const { decodePayload, pollsStreams, beginChildren, idsFrom, restores = false } = options;
  const warnings = createActiveWarnings(audience, (code, { message: reported }) =>
    logger?.warn?.({ executionId, code, reported }, 'a call to Temporal failed; viewers receive a warning'),
  );
  const holder = randomUUID();
  let failures = 0;
  /** When Temporal first reported that it does not know the workflow; undefined if it knows it. */
  let unknownSince: number | undefined;

  /** Watches under a lease, or shows the warning of the watcher that has it. */
  async function watch(row: Execution): Promise<WatchOutcome> {
    if (row.finishedAt && row.end && !(restores && (await isIncomplete()))) return 'ended';
    const lease = { log, executionId, holder, leaseMs: times.leaseMs, note: () => warnings.note, signal };
    const outcome = await withLease(lease, async (fence, leaseSignal) => {
      // The row was read a moment ago: a log of another one is that of a former row.
      await replaceLog(log, row);
      const { incarnation } = row;
      const copy = createFixedCopy({ log, executionId, fence, incarnation });
      const context = {
        ...{ temporal, log, store, executionId, audience, warnings, times, sizes, copy, decodePayload },
        ...{ beginChildren, idsFrom, restores },
        streamUse: createStreamUse(pollsStreams),
        signal: leaseSignal,
      };
      const ref = await refOf(row);
      const watched = await watchWorkflow(context, row, ref);
      if (watched === 'ended') await markEnd(log, store, executionId);
      return watched === 'published' ? await watchExternalPublisher(context, row, ref) : watched;
    });
    if (outcome !== 'not-held') return outcome;
    warnings.adopt(await log.readLeaseNote(executionId));
    return 'fenced';
  }

  const isIncomplete = async (): Promise<boolean> => !(await log.head(executionId))?.end;

  /**
   * Temporal does not know the workflow: it was deleted, or its retention period is over. The row may still know the end.
   * Otherwise it ends, once Temporal has reported the same for a while.
   */
  async function isGone(): Promise<boolean> {
    const row = await store.get(executionId);
    unknownSince ??= Date.now();
    // A row without a run may have been inserted before its workflow starts.
    const isLost = row?.runId !== undefined && Date.now() - unknownSince >= times.deletedMs;
    if (!row || (!row.finishedAt && !(isLost && !(await hasPublisher(row))))) return false;
    const ended = row.finishedAt ? row : await store.finish(executionId, row.attempt, WORKFLOW_GONE);
    if (!ended?.finishedAt) return false;
    await reconcileEnd(ended);
    return true;
  }

  /** Whether the work may continue although Temporal does not know it, in a namespace of another server for example. */
  async function hasPublisher(row: Execution): Promise<boolean> {
    return row.expectsHeartbeats === true || (await log.head(executionId))?.numbering === 'auto';
  }

  /** Watches once; returns how long to wait before the next time, in ms. */
  async function watchOnce(): Promise<number | 'over' | 'other'> {
    try {
      const row = await store.get(executionId);
      if (row && !isTemporalWorkflow(row)) return 'other';
      const outcome = row && (await watch(row));
      failures = 0;
      unknownSince = undefined;
      if (outcome === 'ended') return 'over';
      if (outcome === 'interrupted' || outcome === 'streams') return times.retryMs.firstMs;
      // Jitter, so that servers that stand by do not all check at the same time.
      return times.standbyMs * (0.75 + Math.random() / 2);
    } catch (error) {
      failures += 1;
      if (isTemporalError(error)) {
        warnings.add('read', error);
        if (!isTemporalError(error, 'unknown-workflow')) unknownSince = undefined;
        else if (await isGone().catch(() => false)) return 'over';
      } else if (failures === 2 && !signal.aborted) {
        audience.warn('SOURCE_UNAVAILABLE', messageOf(error));
      }
      return backoff(times.retryMs, failures);
    }
  }

  while (!signal.aborted) {
    const next = await watchOnce();
    if (next === 'other') return next;
    if (next === 'over') break;
    await delay(next, signal);
  }
  if (!signal.aborted) warnings.clearAll();
  return 'over';
}

/** Stores the cursor of an end that another process appended and perhaps did not store. */
export async function markEnd(
  log: Pick<LogReader, 'head'>,
  store: ExecutionStore,
  executionId: string,
): Promise<void> {
  const row = await store.get(executionId);
  const head = row?.finishedAt ? await log.head(executionId) : undefined;
  if (!head || head.end === 0 || head.epoch === row?.end?.epoch) return;
  await store.markEnd(executionId, { seq: head.end, epoch: head.epoch });
}
