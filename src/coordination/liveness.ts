// Publisher liveness: the last heartbeat of each open execution, by the clock of the store, as the clocks of workers
// differ. Heartbeats are kept apart from the logs, because they are queried for all executions together.

/** The publishers' side. */
export interface LivenessWriter {
  /** Records that the execution's publisher is alive; to be called about every 10 s while its run is open. */
  recordHeartbeat(executionId: string): Promise<void>;
  /** Removes the heartbeat: the execution has ended, or this attempt was abandoned. */
  removeHeartbeat(executionId: string): Promise<void>;
}

/** The servers' side. */
export interface LivenessReader {
  /** Milliseconds since the last heartbeat; undefined if there is none. */
  silenceMs(executionId: string): Promise<number | undefined>;
  /** `silenceMs` of many executions in one call, in the same order. */
  silencesMs(executionIds: readonly string[]): Promise<readonly (number | undefined)[]>;
  /** Returns up to `limit` executions without a heartbeat for longer than `ms`, the longest silent first. */
  findSilent(ms: number, limit: number): Promise<readonly string[]>;
  /**
   * Records a heartbeat as of now for each of up to 1,000 executions that has none, or one in the future: a clock that
   * was set back leaves those, and they would hide a silence.
   */
  recordMissingHeartbeats(executionIds: readonly string[]): Promise<void>;
}

/** Creates the liveness of publishers in the memory of this process. */
export function createMemoryLiveness(): LivenessWriter & LivenessReader {
  // A heartbeat moves its execution to the end, so that the longest silent come first.
  const heartbeats = new Map<string, number>();
  const silenceMs = (executionId: string): number | undefined => {
    const at = heartbeats.get(executionId);
    return at === undefined ? undefined : Math.max(0, Date.now() - at);
  };
  return {
    recordHeartbeat: async (executionId) => {
      heartbeats.delete(executionId);
      heartbeats.set(executionId, Date.now());
    },
    removeHeartbeat: async (executionId) => void heartbeats.delete(executionId),
    silenceMs: async (executionId) => silenceMs(executionId),
    silencesMs: async (executionIds) => executionIds.map(silenceMs),
    findSilent: async (ms, limit) => {
      const before = Date.now() - ms;
      const silent = [...heartbeats].filter(([, at]) => at < before);
      return silent.slice(0, limit).map(([executionId]) => executionId);
    },
    recordMissingHeartbeats: async (executionIds) => {
      const now = Date.now();
      for (const id of executionIds) {
        if (heartbeats.get(id)! <= now) continue;
        heartbeats.delete(id);
        heartbeats.set(id, now);
      }
    },
  };
}
