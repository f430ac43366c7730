// Latencies of millions of frames in constant space: counted in buckets that are 1.6 % wide.

const BITS = 6;
const STEPS = 1 << BITS;

export class Latencies {
  readonly #counts = new Uint32Array(STEPS * 32);
  #total = 0;

  /** @param us whole microseconds; below 0 counts as 0 */
  add(us: number): void {
    this.#counts[bucketOf(Math.max(0, Math.min(us, 2 ** 31 - 1)) | 0)]! += 1;
    this.#total += 1;
  }

  /** @returns the value in µs that this share of the latencies does not exceed; 0 where there are none */
  percentile(share: number): number {
    let left = Math.ceil(this.#total * share);
    if (left === 0) return 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      left -= this.#counts[bucket]!;
      if (left <= 0) return upperEnd(bucket);
    }
    return upperEnd(this.#counts.length - 1);
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }
}

/** Values below 64 have buckets of their own; above, each power of two has 64. */
function bucketOf(us: number): number {
  const shift = Math.max(0, 31 - Math.clz32(us | 1) - BITS);
  return shift * STEPS + (us >>> shift);
}

function upperEnd(bucket: number): number {
  const shift = Math.max(0, Math.floor(bucket / STEPS) - 1);
  return ((bucket - shift * STEPS + 1) << shift) - 1;
}
