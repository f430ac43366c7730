// Publishers that vanish: viewers are warned of a publisher without heartbeats (silence-warnings.ts), and its execution
// ends as FAILED if there is none for longer (lost-publishers.ts).
import type { LivenessReader, LivenessWriter } from '../coordination/liveness.ts';
import type { Execution, ExecutionStore, OpenExecution } from '../execution/store.ts';
import { createLostPublisherSweep, type StartSweeping } from './lost-publishers.ts';
import { createSilenceWarnings } from './silence-warnings.ts';
import type { Follow } from './source.ts';

export interface LivenessTimes {
  /**
   * Viewers are warned after this time without a heartbeat.
   * @default 30 s
   */
  readonly silentAfterMs: number;
  /**
   * A publisher is lost, and its execution ends, after this time without a heartbeat.
   * @default 5 min
   */
  readonly lostAfterMs: number;
  /**
   * How often the publishers of followed executions are checked.
   * @default 5 s
   */
  readonly checkMs: number;
  /**
   * How often all executions are checked for lost publishers; each interval varies by up to a sixth.
   * @default 30 s, or a third of `lostAfterMs` if that is less
   */
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
  /** Appends the terminal event of an ended row immediately, without leaving time for a publisher to do so. */
  readonly reconcileEnd: (row: Execution) => Promise<void>;
  /**
   * Whether another source decides how the execution ends, so that its publisher's silence has no consequence.
   * @default no execution
   */
  readonly isEndedElsewhere?: (row: OpenExecution) => boolean;
}

export interface LivenessMonitor {
  /** Warns the viewers of an execution while its publisher is silent. */
  readonly follow: Follow;
  /** Starts to end executions of lost publishers. */
  readonly startSweeping: StartSweeping;
}

export function createLivenessMonitor(options: LivenessMonitorOptions): LivenessMonitor {
  const { log, store, reconcileEnd, isEndedElsewhere = () => false } = options;
  const { silentAfterMs, lostAfterMs, checkMs } = { ...DEFAULT_LIVENESS, ...options };
  // Two sweeps must fit into the second half of `lostAfterMs` (lost-publishers.ts).
  const { sweepMs = Math.min(MAX_SWEEP_MS, lostAfterMs / 3) } = options;
  return {
    follow: createSilenceWarnings({ log, silentAfterMs, checkMs }),
    startSweeping: createLostPublisherSweep({
      ...{ log, store, reconcileEnd, isEndedElsewhere },
      ...{ lostAfterMs, sweepMs },
    }),
  };
}
