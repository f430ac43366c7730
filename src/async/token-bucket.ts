// Token buckets (https://en.wikipedia.org/wiki/Token_bucket), one per key, in bounded memory.

/** A sustained rate, and how far above it a key may go at once. */
export interface BucketLimits {
  /** Tokens that a bucket regains per second; above 0. */
  readonly perSecond: number;
  /** Tokens of a full bucket; at least 1. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  /** When `tokens` was computed, in ms of `performance.now()`. */
  at: number;
}

export class TokenBuckets {
  readonly #limits: BucketLimits;
  readonly #maxKeys: number;
  /** Least recently used first. A key without a bucket has a full one. */
  readonly #buckets = new Map<string, Bucket>();

  /**
   * @param maxKeys buckets kept in memory. Above it, the least recently used one is evicted, which is a full one unless
   *   more keys than this are active at the same time.
   */
  constructor(limits: BucketLimits, maxKeys = 10_000) {
    this.#limits = limits;
    this.#maxKeys = maxKeys;
  }

  /** How many buckets are kept. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Takes a token of a key's bucket.
   * @returns 0; or, where the bucket is empty, the ms until it has a token again: nothing is taken then
   */
  take(key: string): number {
    const bucket = this.#refilled(key);
    // The last key of the map is the most recently used one.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#maxKeys) this.#buckets.delete(this.#buckets.keys().next().value!);
    // Refills of a fraction each may add up to a little less than one.
    if (bucket.tokens < 1 - 1e-9) return ((1 - bucket.tokens) / this.#limits.perSecond) * 1_000;
    bucket.tokens -= 1;
    return 0;
  }

  /** Puts a token back that turned out not to be needed. */
  giveBack(key: string): void {
    const bucket = this.#refilled(key);
    bucket.tokens = Math.min(this.#limits.burst, bucket.tokens + 1);
  }

  #refilled(key: string): Bucket {
    const { perSecond, burst } = this.#limits;
    const now = performance.now();
    const bucket = this.#buckets.get(key);
    if (!bucket) return { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond);
    bucket.at = now;
    return bucket;
  }
}
