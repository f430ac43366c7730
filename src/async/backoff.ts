// How long to wait before the next try.

/** Exponential backoff, in ms. */
export interface BackoffPolicy {
  /** The delay after the first failure. */
  readonly firstMs: number;
  /** The longest delay. */
  readonly maxMs: number;
}

/**
 * The delay after a number of consecutive failures (from 1), in ms: `firstMs` doubled with each failure up to `maxMs`,
 * of which a random 50 to 100 %, so that clients that failed together do not retry together.
 */
export function backoff({ firstMs, maxMs }: BackoffPolicy, failures: number): number {
  return Math.min(firstMs * 2 ** (failures - 1), maxMs) * (0.5 + Math.random() / 2);
}

/**
 * The delay after a number of consecutive failures (from 1), in ms, with full jitter: anything from 0 to `firstMs` doubled
 * with each failure up to `maxMs`. Many clients that fail together are spread further than with `backoff`.
 * @param random a number from 0 to 1
 */
export function fullJitter({ firstMs, maxMs }: BackoffPolicy, failures: number, random: number): number {
  return Math.min(firstMs * 2 ** (failures - 1), maxMs) * random;
}
