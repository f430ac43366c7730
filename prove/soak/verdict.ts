// Judges the samples of a soak: nothing climbs while connections come and go, and all ends where it began.
import { MEASURES, type Measure, type Measured } from './sampling.ts';
import { type Bound, type Trend, trendOf } from './trend.ts';

export interface FindingOf {
  readonly measure: Measure;
  readonly begin: number;
  readonly trend: Trend;
  readonly end: number;
  /** What may be left at the end beyond the beginning. */
  readonly allowed: number;
  readonly isWrong: boolean;
}
export type Findings = readonly FindingOf[];

/** What is noise: memory in MiB. What Node keeps of memory it once had is not a leak, so RSS may grow by more. */
const BOUNDS: Readonly<Record<Measure, Bound>> = {
  heap: { absolute: 10, relative: 0.15 },
  rss: { absolute: 60, relative: 0.3 },
  handles: { absolute: 20, relative: 0.1 },
  subscriptions: { absolute: 4, relative: 0.3 },
  leases: { absolute: 4, relative: 0.3 },
};

/** The part of the samples, from the first on, in which connections still gather. */
const GATHERING = 0.15;

export function findingsOf(
  begin: Measured,
  samples: readonly { readonly at: number; readonly measured: Measured }[],
  end: Measured,
): Findings {
  const steady = samples.slice(Math.ceil(samples.length * GATHERING));
  return MEASURES.map((measure) => {
    const bound = BOUNDS[measure];
    const values = steady.map(({ at, measured }) => ({ at, value: measured[measure] }));
    const trend = trendOf(values, bound);
    const isCount = measure === 'subscriptions' || measure === 'leases';
    // Nobody is there: nothing may be held. Sockets that are kept for a next request are a handful.
    const allowed = isCount
      ? 0
      : measure === 'handles'
        ? 10
        : Math.max(bound.absolute, bound.relative * begin[measure]);
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
