// A run's signs of life: without them servers take its publisher for lost, warn viewers, and in the end fail the
// execution (source/liveness-monitor.ts).
import type { LogWriter } from '../log/log.ts';

/** Servers count 30 s without a sign as a silence. */
const BEAT_MS = 10_000;

export interface Heartbeat {
  /** Gives a sign now and every 10 s from now on. */
  start(): void;
  /**
   * Gives none any more.
   * @param isDone nothing is to be expected of this run, so that its silence says nothing; one that others have taken
   *   over, or that is left open, is not.
   */
  stop(isDone: boolean): void;
}

export function createHeartbeat(log: LogWriter, executionId: string): Heartbeat {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  // A sign that does not get through is followed by the next one.
  const beat = () => void log.recordHeartbeat(executionId).catch(() => {});
  return {
    start() {
      if (isStopped || timer) return;
      beat();
      timer = setInterval(beat, BEAT_MS);
      timer.unref();
    },
    stop(isDone) {
      const isBeating = timer !== undefined;
      isStopped = true;
      clearInterval(timer);
      timer = undefined;
      if (isDone && isBeating) void log.removeHeartbeat(executionId).catch(() => {});
    },
  };
}
