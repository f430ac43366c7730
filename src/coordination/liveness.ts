// Signs of life: when the publisher of each open execution was last heard of, by the log's own clock (workers'
// clocks differ). They stand apart from the logs, for they are of all executions at once.

/** What a publisher says of itself. */
export interface LivenessWriter {
  /** The execution's publisher lives: to be said every 10 s or so while its run is open. */
  recordHeartbeat(executionId: string): Promise<void>;
  /** Nothing more is to be heard of this publisher: the execution has ended, or this attempt was given up. */
  removeHeartbeat(executionId: string): Promise<void>;
}

/** What a server asks. */
export interface LivenessReader {
  /** Milliseconds since the last sign; undefined where none is known, such as where nobody keeps anything alive. */
  silenceMs(executionId: string): Promise<number | undefined>;
  /** The same of many executions, by one question. */
  silencesMs(executionIds: readonly string[]): Promise<readonly (number | undefined)[]>;
  /** Up to `limit` executions without a sign for longer than this, the longest silent first. */
  findSilent(ms: number, limit: number): Promise<readonly string[]>;
  /**
   * Records a heartbeat as of now for each of these, up to 1,000, that has none, or one of the future, which a clock
   * that was set back leaves behind and which would hide a silence.
   */
  recordMissingHeartbeats(executionIds: readonly string[]): Promise<void>;
}

/** Keeps signs of life in this process. */
export function createMemoryLiveness(): LivenessWriter & LivenessReader {
  // A sign moves its execution to the end, so that the longest silent come first.
  const lastSigns = new Map<string, number>();
  const silence = (executionId: string): number | undefined => {
    const at = lastSigns.get(executionId);
    return at === undefined ? undefined : Math.max(0, Date.now() - at);
  };
  return {
    recordHeartbeat: async (executionId) => {
      lastSigns.delete(executionId);
      lastSigns.set(executionId, Date.now());
    },
    removeHeartbeat: async (executionId) => void lastSigns.delete(executionId),
    silenceMs: async (executionId) => silence(executionId),
    silencesMs: async (executionIds) => executionIds.map(silence),
    findSilent: async (ms, limit) => {
      const before = Date.now() - ms;
      const silent = [...lastSigns].filter(([, at]) => at < before);
      return silent.slice(0, limit).map(([executionId]) => executionId);
    },
    recordMissingHeartbeats: async (executionIds) => {
      const now = Date.now();
      for (const id of executionIds) {
        if (lastSigns.get(id)! <= now) continue;
        lastSigns.delete(id);
        lastSigns.set(id, now);
      }
    },
  };
}
