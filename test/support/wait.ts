// Waits for effects of real servers that no event announces.

// The real clock, also if a test uses fake timers.
const { setTimeout: realSetTimeout } = globalThis;
const realNow = performance.now.bind(performance);

export interface UntilOptions {
  /** A description for the error: "the row to be SUCCESS". */
  what?: string;
  /** @default 5_000 */
  timeoutMs?: number;
  /** The time between two polls. @default 10 */
  everyMs?: number;
}

/**
 * Polls until `poll` returns a truthy value, and returns that. An exception counts as "not yet". If there is an
 * event, await the event instead.
 * @throws Error after `timeoutMs`, with the description and the last result.
 */
export async function until<T>(
  poll: () => T | Promise<T>,
  { what = 'the condition', timeoutMs = 5_000, everyMs = 10 }: UntilOptions = {},
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const deadline = realNow() + timeoutMs;
  for (;;) {
    let last: string;
    try {
      const value = await poll();
      if (value) return value as Exclude<T, false | null | undefined | 0 | ''>;
      last = `the last poll returned ${JSON.stringify(value)}`;
    } catch (error) {
      last = `the last poll threw ${error}`;
    }
    if (realNow() >= deadline) throw new Error(`waited ${timeoutMs} ms for ${what}; ${last}`);
    await new Promise((resolve) => realSetTimeout(resolve, everyMs));
  }
}
