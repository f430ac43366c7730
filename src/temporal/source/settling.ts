// Records the ends of executions that nobody views. Concurrent requests for one execution share the work.

/** How long one attempt to record an end may take. */
const LIMIT_MS = 30_000;

export interface Settling {
  /** Resolves when the end is recorded, or could not be in time. */
  settle(executionId: string): Promise<void>;
  /** Stops everything in progress. */
  stop(): void;
}

/** @param follow follows an execution until it has ended or the signal aborts */
export function createSettling(
  follow: (executionId: string, signal: AbortSignal) => Promise<unknown>,
): Settling {
  const stopping = new AbortController();
  const settling = new Map<string, Promise<void>>();

  async function run(executionId: string): Promise<void> {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(LIMIT_MS)]);
    try {
      await follow(executionId, signal);
    } finally {
      settling.delete(executionId);
    }
  }

  return {
    settle(executionId) {
      const known = settling.get(executionId);
      if (known) return known;
      const settled = run(executionId);
      settling.set(executionId, settled);
      return settled;
    },
    stop: () => stopping.abort(),
  };
}
