// Publishers that vanish: viewers are warned of a silence, and one that lasts ends the execution as FAILED.
//
// Invariants
// 1. A silence is told once to each viewer of this process, whenever it joins, until there is a sign of life.
// 2. An execution is ended by the sweep alone, watched or not, and once in the cluster: store.finish and the append
//    of the terminal event each take one end.
// 3. A silence ends nothing unless two sweeps in a row have met it. After Redis was away, every sign of life in it is
//    old, and those who live need a moment to say so. A sweep that fails begins the count again.
// 4. A heartbeat that was never stored, or was lost with the log, hides nothing (missing-heartbeats.ts).

import { delay } from '../async/delay.ts';
import type { LivenessReader, LivenessWriter } from '../coordination/liveness.ts';
import type { Execution, ExecutionStore, OpenExecution } from '../execution/store.ts';
import { createBatchPoller } from './batch-poller.ts';
import { createMissingHeartbeats } from './missing-heartbeats.ts';
import type { Follow } from './source.ts';

export interface LivenessTimes {
  /** From this silence on viewers are warned. */
  readonly silentAfterMs: number;
  /** From this silence on the execution is lost. */
  readonly lostAfterMs: number;
  /** How often the silences of followed executions are looked at. */
  readonly checkMs: number;
  /** How often all executions are checked for lost ones, give or take a sixth. Default 30 s, or a third of `lostAfterMs`. */
  readonly sweepMs: number;
}

const DEFAULT_LIVENESS: Omit<LivenessTimes, 'sweepMs'> = {
  silentAfterMs: 30_000,
  lostAfterMs: 5 * 60_000,
  checkMs: 5_000,
};

const MAX_SWEEP_MS = 30_000;

export interface LivenessMonitorOptions extends Partial<LivenessTimes> {
  readonly log: LivenessReader & Pick<LivenessWriter, 'removeHeartbeat'>;
  readonly store: ExecutionStore;
  /** Tells the end of a row at once, without leaving it to a publisher for a while. */
  readonly reconcileEnd: (row: Execution) => Promise<void>;
  /** Whether another source knows how the execution ends, so that a silent publisher says nothing. By default none. */
  readonly isEndedElsewhere?: (row: OpenExecution) => boolean;
}

export interface LivenessMonitor {
  readonly follow: Follow;
  /** Sweeps from now on, until the function that it answers is called. */
  startSweeping(): () => void;
}

interface Followed {
  readonly executionId: string;
  readonly tell: (silentMs: number | undefined) => void;
}

/** Executions that one sweep ends, those silent for longest first. It notes as many more for the next one. */
const MAX_ENDED = 5_000;
/** Executions that a sweep ends concurrently: few, for requests share the store's connections. */
const MAX_ENDING = 4;

export function createLivenessMonitor(options: LivenessMonitorOptions): LivenessMonitor {
  const { log, store, reconcileEnd, isEndedElsewhere: isTruthElsewhere = () => false } = options;
  const { silentAfterMs, lostAfterMs, checkMs } = { ...DEFAULT_LIVENESS, ...options };
  // Two sweeps must fit into the second half of `lostAfterMs`; see `startSweeping`.
  const { sweepMs = Math.min(MAX_SWEEP_MS, lostAfterMs / 3) } = options;

  const rounds = createBatchPoller<Followed>(checkMs, async (followers) => {
    const silences = await log.silencesMs(followers.map(({ executionId }) => executionId));
    followers.forEach(({ tell }, i) => {
      tell(silences[i]);
    });
  });

  const follow: Follow = (executionId, audience) => {
    let isStopped = false;
    let isSilent = false;
    const tell = (silentMs: number | undefined) => {
      const wasSilent = isSilent;
      isSilent = silentMs !== undefined && silentMs > silentAfterMs;
      if (isStopped || isSilent === wasSilent) return;
      const message = `the publisher has given no sign of life for ${Math.floor((silentMs ?? 0) / 1_000)} s`;
      audience.setActiveWarning(isSilent ? { code: 'PUBLISHER_SILENT', message } : undefined);
    };
    const leave = rounds.add({ executionId, tell });
    // One that fails is followed by the rounds; that the log is away is the tail's to tell.
    log.silenceMs(executionId).then(tell, () => {});
    return () => {
      isStopped = true;
      leave();
    };
  };

  /** Ends one execution whose publisher is lost, or finds out why it is not. */
  async function endLost(executionId: string): Promise<void> {
    const silentMs = await log.silenceMs(executionId);
    if (silentMs === undefined || silentMs <= lostAfterMs) return;
    const row = await store.get(executionId);
    if (row && isOpen(row)) {
      // Removed, so that executions that may not be ended here do not fill up the next sweep. An abandoned one has a
      // heartbeat only if it was recorded, or not removed, in a race with the abandon.
      if (isTruthElsewhere(row) || row.expectsHeartbeats === false) return log.removeHeartbeat(executionId);
      const message = `the publisher has given no sign of life for ${Math.floor(silentMs / 1_000)} s`;
      const error = { code: 'PUBLISHER_LOST', message };
      const ended = await store.finish(executionId, row.attempt, { status: 'FAILED', error });
      // A newer attempt has begun: it lives.
      if (ended && isOpen(ended)) return;
      if (ended) await reconcileEnd(ended);
    } else if (row) {
      await reconcileEnd(row);
    }
    await log.removeHeartbeat(executionId);
  }

  function startSweeping(): () => void {
    const stopping = new AbortController();
    const { signal } = stopping;
    const recordMissing = createMissingHeartbeats({ log, store, isTruthElsewhere });
    let suspects: ReadonlySet<string> = new Set();

    const sweep = async () => {
      // If this fails, executions that have a heartbeat must not wait for it.
      await recordMissing(signal).catch(() => {});
      // Met well before it counts, so that the sweep that finds it lost is not the first to meet it.
      const silent = await log.findSilent(lostAfterMs / 2, 2 * MAX_ENDED);
      const known = suspects;
      suspects = new Set(silent);
      const lost = silent.filter((executionId) => known.has(executionId));
      const queue = lost.slice(0, MAX_ENDED).values();
      const endQueued = async () => {
        for (const executionId of queue) {
          if (signal.aborted) return;
          // One that cannot be ended for now is met by the next sweep.
          await endLost(executionId).catch(() => {});
        }
      };
      await Promise.all(Array.from({ length: MAX_ENDING }, endQueued));
    };
    const sweepOn = async () => {
      while (!signal.aborted) {
        await delay(sweepMs * (5 / 6 + Math.random() / 3), signal);
        if (signal.aborted) return;
        await sweep().catch(() => {
          suspects = new Set();
        });
      }
    };
    void sweepOn();
    return () => stopping.abort();
  }

  return { follow, startSweeping };
}

function isOpen(row: Execution): boolean {
  return row.finishedAt === undefined;
}
