// Looks that are taken at every followed execution now and then: at all of them together, by one question, and not by
// a timer and a question each.

/** Executions that are asked about at a time. */
const MOST_ASKED = 1_000;

export interface BatchPoller<T> {
  /** Takes a follower of an execution along, until the function that it answers is called. */
  add(follower: T): () => void;
}

/**
 * Makes the rounds of one look; there is no timer while nobody has joined.
 * @param look is given those that have joined, 1,000 at most at a time. A round that fails is left, and followed by the next one.
 */
export function createBatchPoller<T>(
  everyMs: number,
  look: (followers: readonly T[]) => Promise<void>,
): BatchPoller<T> {
  const joined = new Set<T>();
  let timer: NodeJS.Timeout | undefined;

  async function round(): Promise<void> {
    const all = [...joined];
    for (let from = 0; from < all.length; from += MOST_ASKED) await look(all.slice(from, from + MOST_ASKED));
  }

  return {
    add(follower) {
      joined.add(follower);
      timer ??= setInterval(() => void round().catch(() => {}), everyMs).unref();
      return () => {
        joined.delete(follower);
        if (joined.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
  };
}
