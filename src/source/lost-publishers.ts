// Ends executions whose publisher is lost, as FAILED with PUBLISHER_LOST.
//
// Invariants
// 1. Only this sweep ends such an execution, whether it is watched or not, and once in the cluster: store.finish and
//    the append of the terminal event each accept one end.
// 2. A silence ends an execution only if two consecutive sweeps have seen it. After an outage of Redis every heartbeat
//    is old, and live publishers need a moment to send another one. A sweep that fails starts the count again.
// 3. A heartbeat that was never stored, or was lost with the log, hides no execution (missing-heartbeats.ts).
import { delay } from '../async/delay.ts';
import type { LivenessReader, LivenessWriter } from '../coordination/liveness.ts';
import type { Execution, ExecutionStore, OpenExecution } from '../execution/store.ts';
import { createMissingHeartbeats } from './missing-heartbeats.ts';
import { silenceMessage } from './silence-warnings.ts';

export interface LostPublisherOptions {
  readonly log: Pick<LivenessReader, 'silenceMs' | 'findSilent' | 'recordMissingHeartbeats'> &
    Pick<LivenessWriter, 'removeHeartbeat'>;
  readonly store: ExecutionStore;
  readonly reconcileEnd: (row: Execution) => Promise<void>;
  readonly isEndedElsewhere: (row: OpenExecution) => boolean;
  readonly lostAfterMs: number;
  readonly sweepMs: number;
}

/** Starts the sweeps; returns how to stop them. */
export type StartSweeping = () => () => void;

/** Executions that one sweep ends, the longest silence first. It notes as many more for the next sweep. */
const MAX_ENDED = 5_000;
/** Executions that a sweep ends concurrently: few, because requests share the store's connections. */
const MAX_ENDING = 4;

export function createLostPublisherSweep(options: LostPublisherOptions): StartSweeping {
  const { log, lostAfterMs, sweepMs } = options;

  /** Ends those of `suspects`, which the previous sweep returned, that are still silent; returns its own suspects. */
  async function sweep(suspects: ReadonlySet<string>, signal: AbortSignal): Promise<ReadonlySet<string>> {
    // Seen long before it counts, so that the first sweep after `lostAfterMs` is not the first to see the silence.
    const silent = await log.findSilent(lostAfterMs / 2, 2 * MAX_ENDED);
    const lost = silent.filter((executionId) => suspects.has(executionId));
    await endAll(lost.slice(0, MAX_ENDED), signal);
    return new Set(silent);
  }

  async function endAll(executionIds: readonly string[], signal: AbortSignal): Promise<void> {
    const queue = executionIds.values();
    const endQueued = async () => {
      for (const executionId of queue) {
        if (signal.aborted) return;
        // An execution that cannot be ended yet keeps its heartbeat, so the next sweep sees it again.
        await endIfLost(options, executionId).catch(() => {});
      }
    };
    await Promise.all(Array.from({ length: MAX_ENDING }, endQueued));
  }

  async function sweepUntil(signal: AbortSignal): Promise<void> {
    const recordMissing = createMissingHeartbeats(options);
    let suspects: ReadonlySet<string> = new Set();
    for (;;) {
      await delay(sweepMs * (5 / 6 + Math.random() / 3), signal);
      if (signal.aborted) return;
      // A failure must not delay the executions that have a heartbeat; the next sweep repeats this step.
      await recordMissing(signal).catch(() => {});
      // The log is unavailable: see invariant 2.
      suspects = await sweep(suspects, signal).catch(() => new Set<string>());
    }
  }

  return () => {
    const stopping = new AbortController();
    void sweepUntil(stopping.signal);
    return () => stopping.abort();
  };
}

/** Ends an execution whose publisher is still silent, and removes its heartbeat unless a newer attempt has begun. */
async function endIfLost(options: LostPublisherOptions, executionId: string): Promise<void> {
  const { log, store, reconcileEnd, isEndedElsewhere, lostAfterMs } = options;
  const silenceMs = await log.silenceMs(executionId);
  if (silenceMs === undefined || silenceMs <= lostAfterMs) return;
  const row = await store.get(executionId);
  if (row && isOpen(row)) {
    // Removed, so that executions that must not be ended here do not fill the next sweep. An abandoned execution has a
    // heartbeat only if that was recorded, or not removed, concurrently with the abandon.
    if (isEndedElsewhere(row) || row.expectsHeartbeats === false) return log.removeHeartbeat(executionId);
    const error = { code: 'PUBLISHER_LOST', message: silenceMessage(silenceMs) };
    const ended = await store.finish(executionId, row.attempt, { status: 'FAILED', error });
    // A newer attempt has begun, and its publisher is alive.
    if (ended && isOpen(ended)) return;
    if (ended) await reconcileEnd(ended);
  } else if (row) {
    await reconcileEnd(row);
  }
  await log.removeHeartbeat(executionId);
}

function isOpen(row: Execution): boolean {
  return row.finishedAt === undefined;
}
