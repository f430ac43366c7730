// Detects growth: the median slope between all pairs of samples (Theil–Sen), which outliers do not distort, and the
// share of pairs in rising order (Mann–Kendall).

export interface Sample {
  /** In ms since the start. */
  readonly at: number;
  readonly value: number;
}

export interface Trend {
  readonly median: number;
  /** The growth over the full period, by the slope. */
  readonly growth: number;
  /** From -1 to 1: how far the samples are in rising order. Chance stays near 0. */
  readonly agreement: number;
  readonly climbs: boolean;
}

export interface NoiseLimit {
  /** Growth up to this value is noise. */
  readonly absolute: number;
  /** As a share of the median; the larger limit applies. */
  readonly relative: number;
}

/** The agreement from which samples count as growing. */
const AGREEMENT = 0.3;

export function trendOf(samples: readonly Sample[], { absolute, relative }: NoiseLimit): Trend {
  const slopes: number[] = [];
  let rising = 0;
  for (const [i, a] of samples.entries()) {
    for (const b of samples.slice(i + 1)) {
      slopes.push((b.value - a.value) / (b.at - a.at));
      rising += Math.sign(b.value - a.value);
    }
  }
  const durationMs = samples.length > 1 ? samples.at(-1)!.at - samples[0]!.at : 0;
  const median = medianOf(samples.map(({ value }) => value));
  const growth = medianOf(slopes) * durationMs;
  const agreement = slopes.length > 0 ? rising / slopes.length : 0;
  const climbs = growth > Math.max(absolute, relative * median) && agreement > AGREEMENT;
  return { median, growth, agreement, climbs };
}

export function medianOf(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
