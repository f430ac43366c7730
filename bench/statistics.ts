// Medians of repetitions, and ratios that are read alike: more is better for us.

/** @throws Error without values */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('there is no median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * How many times cheaper we are, where less is better: CPU time, memory, latency.
 * @returns above 1 where ours is the smaller; 0 where there is nothing to compare
 */
export function timesCheaper(ours: number, theirs: number): number {
  return ours > 0 ? theirs / ours : 0;
}

/** Three digits, which is more than the noise leaves. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
