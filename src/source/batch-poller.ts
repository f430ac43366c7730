// Batch polling: one timer and one bulk query for all followed executions.

/** Executions per query. */
const MAX_BATCH = 1_000;

export interface BatchPoller<T> {
  /** Adds a follower of an execution; returns how to remove it again. */
  add(follower: T): () => void;
}

/**
 * Creates a poller; its timer runs only while it has followers.
 * @param poll receives the current followers, up to 1,000 per call
 */
export function createBatchPoller<T>(
  intervalMs: number,
  poll: (followers: readonly T[]) => Promise<void>,
): BatchPoller<T> {
  const current = new Set<T>();
  let timer: NodeJS.Timeout | undefined;

  async function pollAll(): Promise<void> {
    const followers = [...current];
    for (let i = 0; i < followers.length; i += MAX_BATCH) await poll(followers.slice(i, i + MAX_BATCH));
  }

  return {
    add(follower) {
      current.add(follower);
      // A poll that fails is repeated after the interval; `poll` itself reports failures to followers that need them.
      timer ??= setInterval(() => void pollAll().catch(() => {}), intervalMs).unref();
      return () => {
        current.delete(follower);
        if (current.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
  };
}
