// A histogram of millions of latencies in constant space; buckets are 1.6 % wide.

const BITS = 6;
const STEPS = 1 << BITS;

export class Latencies {
  readonly #counts = new Uint32Array(STEPS * 32);
  #total = 0;

  /** @param us an integer in microseconds; negative values count as 0 */
  add(us: number): void {
    this.#counts[bucketOf(Math.max(0, Math.min(us, 2 ** 31 - 1)) | 0)]! += 1;
    this.#total += 1;
  }

  /** @returns the value in µs that this share of the latencies does not exceed; 0 if there are none */
  percentile(share: number): number {
    let remaining = Math.ceil(this.#total * share);
    if (remaining === 0) return 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      remaining -= this.#counts[bucket]!;
      if (remaining <= 0) return upperEnd(bucket);
    }
    return upperEnd(this.#counts.length - 1);
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }
}

/** Values below 64 have their own buckets; above, each power of two has 64. */
function bucketOf(us: number): number {
  const shift = Math.max(0, 31 - Math.clz32(us | 1) - BITS);
  return shift * STEPS + (us >>> shift);
}

function upperEnd(bucket: number): number {
  const shift = Math.max(0, Math.floor(bucket / STEPS) - 1);
  return ((bucket - shift * STEPS + 1) << shift) - 1;
}
