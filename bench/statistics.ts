// Medians of repetitions, and ratios with one direction: higher is better for us.

/** @throws Error without values */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('median of no values');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * How many times cheaper we are, for measures in which lower is better: CPU time, memory, latency.
 * @returns above 1 if ours is lower; 0 if there is nothing to compare
 */
export function timesCheaper(ours: number, theirs: number): number {
  return ours > 0 ? theirs / ours : 0;
}

/** Rounds to three digits, which is more than the noise permits. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
