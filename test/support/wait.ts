// Waiting for something that a real server does and does not announce.

// The real clock, also where a test has put a false one in its place.
const { setTimeout: realSetTimeout } = globalThis;
const realNow = performance.now.bind(performance);

export interface UntilOptions {
  /** What is waited for, in the words of the error: "the row says SUCCESS". */
  what?: string;
  /** Default 5 s. */
  timeoutMs?: number;
  /** How long to wait between two looks; default 10 ms. */
  everyMs?: number;
}

/**
 * Looks again and again until `look` gives something true, and returns that. A `look` that throws is "not yet".
 * Where there is an event to await, await the event instead.
 * @throws Error after `timeoutMs`, with what was waited for and what the last look gave.
 */
export async function until<T>(
  look: () => T | Promise<T>,
  { what = 'the condition', timeoutMs = 5_000, everyMs = 10 }: UntilOptions = {},
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const deadline = realNow() + timeoutMs;
  for (;;) {
    let last: string;
    try {
      const value = await look();
      if (value) return value as Exclude<T, false | null | undefined | 0 | ''>;
      last = `the last look gave ${JSON.stringify(value)}`;
    } catch (error) {
      last = `the last look threw ${error}`;
    }
    if (realNow() >= deadline) throw new Error(`waited ${timeoutMs} ms for ${what}; ${last}`);
    await new Promise((resolve) => realSetTimeout(resolve, everyMs));
  }
}
