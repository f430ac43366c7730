// Judges the samples of a soak test: no measure grows while connections come and go, and all return to the
// baseline.
import { MEASURES, type Measure, type Measured } from './sampling.ts';
import { type NoiseLimit, type Trend, trendOf } from './trend.ts';

export interface FindingOf {
  readonly measure: Measure;
  readonly begin: number;
  readonly trend: Trend;
  readonly end: number;
  /** The allowed difference between the end and the beginning. */
  readonly allowed: number;
  readonly isWrong: boolean;
}
export type Findings = readonly FindingOf[];

/**
 * Limits of noise; memory in MiB. Node keeps memory that it once allocated without leaking it, so RSS may grow by
 * more.
 */
const NOISE: Readonly<Record<Measure, NoiseLimit>> = {
  heap: { absolute: 10, relative: 0.15 },
  rss: { absolute: 60, relative: 0.3 },
  handles: { absolute: 20, relative: 0.1 },
  subscriptions: { absolute: 4, relative: 0.3 },
  leases: { absolute: 4, relative: 0.3 },
};

/** The share of samples, from the first, in which connections are still being opened. */
const RAMP_UP = 0.15;

export function findingsOf(
  begin: Measured,
  samples: readonly { readonly at: number; readonly measured: Measured }[],
  end: Measured,
): Findings {
  const steady = samples.slice(Math.ceil(samples.length * RAMP_UP));
  return MEASURES.map((measure) => {
    const limit = NOISE[measure];
    const values = steady.map(({ at, measured }) => ({ at, value: measured[measure] }));
    const trend = trendOf(values, limit);
    const isCount = measure === 'subscriptions' || measure === 'leases';
    // Without connections nothing may be held, except for a few sockets that are kept alive.
    const allowed = isCount
      ? 0
      : measure === 'handles'
        ? 10
        : Math.max(limit.absolute, limit.relative * begin[measure]);
    const isWrong = trend.climbs || end[measure] > begin[measure] + allowed;
    return { measure, begin: begin[measure], trend, end: end[measure], allowed, isWrong };
  });
}

export function tableOf(findings: Findings): string {
  const head = ['', 'begin', 'median', 'growth', 'end', ''];
  const rows = findings.map(({ measure, begin, trend, end, isWrong }) => {
    const unit = measure === 'heap' || measure === 'rss' ? ' MiB' : '';
    const [first, median, growth, last] = [begin, trend.median, trend.growth, end].map((n) => n.toFixed(1));
    const verdict = trend.climbs ? 'CLIMBS' : isWrong ? 'DOES NOT COME BACK' : 'ok';
    return [measure + unit, first!, median!, growth!, last!, verdict];
  });
  return [head, ...rows]
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(14) : cell.padStart(9))).join(' '))
    .join('\n');
}
