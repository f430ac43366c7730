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
