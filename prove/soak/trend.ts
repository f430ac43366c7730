// Whether something climbs: by the median of the slopes between all pairs of samples (Theil and Sen), which single
// peaks do not sway, and by how many of the pairs agree (Mann and Kendall).

export interface Sample {
  /** In ms. */
  readonly at: number;
  readonly value: number;
}

export interface Trend {
  readonly median: number;
  /** How much is added in the whole time, by the slope. */
  readonly growth: number;
  /** From -1 to 1: how far the samples are in rising order. Chance alone stays near 0. */
  readonly agreement: number;
  readonly climbs: boolean;
}

export interface Bound {
  /** Growth up to here is noise. */
  readonly absolute: number;
  /** As a part of the median; the larger one counts. */
  readonly relative: number;
}

/** From how far in rising order samples count as climbing. */
const AGREEMENT = 0.3;

export function trendOf(samples: readonly Sample[], { absolute, relative }: Bound): Trend {
  const slopes: number[] = [];
  let rising = 0;
  for (const [i, a] of samples.entries()) {
    for (const b of samples.slice(i + 1)) {
      slopes.push((b.value - a.value) / (b.at - a.at));
      rising += Math.sign(b.value - a.value);
    }
  }
  const took = samples.length > 1 ? samples.at(-1)!.at - samples[0]!.at : 0;
  const median = medianOf(samples.map(({ value }) => value));
  const growth = medianOf(slopes) * took;
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
