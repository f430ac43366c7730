// The run's heartbeat. Servers treat a publisher without one as lost: they warn viewers, and finally fail the execution
// (source/liveness-monitor.ts).
import { type Timer, unref } from '../async/timer.ts';
import type { LivenessWriter } from '../coordination/liveness.ts';

/** Servers report a publisher as silent after 30 s without a heartbeat. */
const HEARTBEAT_INTERVAL_MS = 10_000;

export interface Heartbeat {
  /** Sends a heartbeat now and every 10 s. */
  start(): void;
  /**
   * Stops.
   * @param isFinished whether no heartbeat is expected of this run from now on, so that its entry is removed. False for
   *   a run that another one has superseded, and for one that is left open: its silence must be noticed.
   */
  stop(isFinished: boolean): void;
}

export function createHeartbeat(liveness: LivenessWriter, executionId: string): Heartbeat {
  let state: 'new' | 'beating' | 'stopped' = 'new';
  let timer: Timer | undefined;
  // An error needs no log line: the next heartbeat makes up for a lost one, and the outbox reports an unavailable log.
  const beat = () => void liveness.recordHeartbeat(executionId).catch(() => {});
  return {
    start() {
      if (state !== 'new') return;
      state = 'beating';
      beat();
      timer = unref(setInterval(beat, HEARTBEAT_INTERVAL_MS));
    },
    stop(isFinished) {
      const wasBeating = state === 'beating';
      state = 'stopped';
      clearInterval(timer);
      // An error needs no log line: the liveness monitor removes an entry that remains.
      if (isFinished && wasBeating) void liveness.removeHeartbeat(executionId).catch(() => {});
    },
  };
}
