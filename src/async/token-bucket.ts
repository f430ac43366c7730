// Token buckets (https://en.wikipedia.org/wiki/Token_bucket), one per key, in bounded memory.
import { LruMap } from './lru-map.ts';

/** A sustained rate and a burst. */
export interface BucketLimits {
  /** Tokens added to a bucket per second; above 0. */
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
  /** A key without a bucket has a full one. */
  readonly #buckets: LruMap<string, Bucket>;

  /**
   * @param maxKeys buckets kept in memory. Above it, the least recently used one is evicted, which is a full one unless
   *   more keys than this are active at the same time.
   */
  constructor(limits: BucketLimits, maxKeys = 10_000) {
    this.#limits = limits;
    this.#buckets = new LruMap(maxKeys);
  }

  /** Number of buckets in memory. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Takes a token from a key's bucket.
   * @returns 0; or, if the bucket is empty, the time in ms until its next token, and nothing is taken
   */
  take(key: string): number {
    const bucket = this.#refilled(key);
    this.#buckets.set(key, bucket);
    // Fractional refills may add up to slightly less than one.
    if (bucket.tokens < 1 - 1e-9) return ((1 - bucket.tokens) / this.#limits.perSecond) * 1_000;
    bucket.tokens -= 1;
    return 0;
  }

  /** Returns a token that was not needed. */
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
