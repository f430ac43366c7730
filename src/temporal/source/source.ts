// Temporal as the source of workflows' events: while an execution has viewers, one watcher in the cluster brings what
// its workflow tells into the log, and its end.
//
// Invariants
// 1. A workflow is watched by whoever holds the execution's lease. The lease is renewed beside the work, which may
//    wait for long; a watcher that has lost it stops, and the log refuses what it has on its way.
// 2. Whatever fails, the loop goes on, with a new token, for as long as the execution is followed.
// 3. An execution that is no workflow of Temporal's is left to the source that is given for it.
import { randomUUID } from 'node:crypto';
import { backoff } from '../../async/backoff.ts';
import { delay } from '../../async/delay.ts';
import { messageOf } from '../../event/errors.ts';
import type { Execution, ExecutionStore, OpenExecution } from '../../execution/store.ts';
import type { EventLog } from '../../log/log.ts';
import { type Audience, type Follow, followBy } from '../../source/source.ts';
import type { PayloadDecoder } from '../shared/payloads.ts';
import { isTemporalError } from './errors.ts';
import { watchExternalPublisher } from './external-publisher.ts';
import { createFixedCopy } from './fixed-copy.ts';
import { createResolution, type ResolveWorkflow } from './resolve.ts';
import type { TemporalClient } from './temporal-client.ts';
import {
  createActiveWarnings,
  DEFAULT_WATCH_TIMES,
  type WatchOutcome,
  type WatchTimes,
} from './watch-context.ts';
import { watchWorkflow } from './watch-workflow.ts';

export interface TemporalTimes extends WatchTimes {
  /** How long a lease holds where its holder is heard of no more. It is renewed three times as often. */
  readonly leaseMs: number;
  /** How often it is looked whether another watcher has given up, or died. */
  readonly standbyMs: number;
}

const DEFAULT_TIMES: TemporalTimes = { ...DEFAULT_WATCH_TIMES, leaseMs: 5_000, standbyMs: 1_000 };

export interface TemporalSourceOptions extends Partial<TemporalTimes> {
  readonly temporal: TemporalClient;
  readonly log: EventLog;
  readonly store: ExecutionStore;
  /** Which workflow an id that has no row names. By default the one of that id, in the configured namespace. */
  readonly resolve?: ResolveWorkflow | undefined;
  /** Whose those workflows are, where there is no hook to say it. Absent: of callers without a tenant. */
  readonly tenant?: string | undefined;
  /** Shows inputs and results of workflows that know nothing of us, to whoever may read them. By default none. */
  readonly decodePayload?: PayloadDecoder | undefined;
  /** Follows all other executions. */
  readonly otherwise: { readonly follow: Follow; copy(executionId: string): Promise<void> };
}

export interface TemporalSource {
  readonly follow: Follow;
  /** Sees to the events of an ended row without a log; a watcher that follows it does so by itself. */
  copy(executionId: string): Promise<void>;
  /** Whether Temporal knows how this execution ends. */
  isTruth(row: OpenExecution): boolean;
  /**
   * Makes the row of a workflow that nobody has begun here; undefined where there is no such workflow for a viewer of
   * this tenant.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` where Temporal or the store does not answer.
   */
  find(executionId: string, tenant: string | undefined): Promise<Execution | undefined>;
}

export function createTemporalSource(options: TemporalSourceOptions): TemporalSource {
  const { temporal, log, store, otherwise } = options;
  const times: TemporalTimes = { ...DEFAULT_TIMES, ...options };
  const { find, refOf } = createResolution(options);

  async function followOn(executionId: string, audience: Audience, signal: AbortSignal): Promise<void> {
    const troubles = createActiveWarnings(audience);
    const holder = randomUUID();
    let failures = 0;
    let isDone = false;
    while (!isDone && !signal.aborted) {
      let waitMs = times.standbyMs * (0.75 + Math.random() / 2);
      try {
        const row = await store.get(executionId);
        if (row && !isTruth(row)) return handOver(executionId, audience, signal);
        const outcome = row ? await watchHeld(row) : 'left';
        failures = 0;
        isDone = outcome === 'ended';
        if (outcome === 'left' && row) waitMs = times.retryMs.firstMs;
      } catch (error) {
        failures += 1;
        waitMs = backoff(times.retryMs, failures);
        if (isTemporalError(error)) {
          troubles.add('read', error);
          isDone = isTemporalError(error, 'unknown-workflow') && (await isToldByRow(executionId));
        } else if (failures === 2 && !signal.aborted) {
          audience.warn('SOURCE_UNAVAILABLE', messageOf(error));
        }
      }
      if (!isDone) await delay(waitMs, signal);
    }
    if (!signal.aborted) troubles.clear();

    /** Watches under a lease of this process; answers at once where another one has it. */
    async function watchHeld(row: Execution): Promise<WatchOutcome> {
      if (row.finishedAt && row.end) return 'ended';
      const fence = await log.takeLease(executionId, holder, times.leaseMs);
      if (fence === undefined) {
        troubles.hear(await log.readLeaseNote(executionId));
        return 'fenced';
      }
      const lost = new AbortController();
      const timer = setInterval(() => {
        // One that cannot be renewed for now may still be this one's: the log decides, by the token.
        const renewed = log.renewLease(executionId, fence, times.leaseMs, troubles.note).catch(() => true);
        void renewed.then((isHeld) => isHeld || lost.abort());
      }, times.leaseMs / 3);
      timer.unref();
      const watched = {
        ...{ temporal, log, store, executionId, audience, warnings: troubles, times },
        copy: createFixedCopy({ log, executionId, fence }),
        decodePayload: options.decodePayload,
        signal: AbortSignal.any([signal, lost.signal]),
      };
      try {
        const ref = await refOf(row);
        const outcome = await watchWorkflow(watched, row, ref);
        if (outcome === 'ended') await markEnd(executionId);
        return outcome === 'published' ? await watchExternalPublisher(watched, row, ref) : outcome;
      } finally {
        clearInterval(timer);
        if (!lost.signal.aborted) await log.dropLease(executionId, fence).catch(() => {});
      }
    }
  }

  /** An end that another one told, and noted or not. */
  async function markEnd(executionId: string): Promise<void> {
    const row = await store.get(executionId);
    const head = row?.finishedAt && !row.end ? await log.head(executionId) : undefined;
    if (head && head.end > 0) await store.markEnd(executionId, { seq: head.end, epoch: head.epoch });
  }

  /** After Temporal's retention, the row may still know the end. */
  async function isToldByRow(executionId: string): Promise<boolean> {
    const row = await store.get(executionId).catch(() => undefined);
    if (!row?.finishedAt) return false;
    await otherwise.copy(executionId).catch(() => {});
    return true;
  }

  /** Resolves once that source has been stopped, too. */
  function handOver(executionId: string, audience: Audience, signal: AbortSignal): Promise<void> {
    const stop = otherwise.follow(executionId, audience);
    return new Promise((resolve) => {
      const end = async () => resolve(await stop());
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted) void end();
    });
  }

  function isTruth({ kind, workflowId }: OpenExecution): boolean {
    return kind === 'workflow' && workflowId !== undefined;
  }

  return {
    follow: followBy(followOn),
    async copy(executionId) {
      const row = await store.get(executionId);
      if (row && !isTruth(row)) await otherwise.copy(executionId);
    },
    isTruth,
    find,
  };
}
