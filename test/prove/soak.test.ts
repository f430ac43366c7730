// The verdict of a soak test: growth is detected, noise is not.
import { describe, expect, test } from 'vitest';
import type { Measured } from '../../prove/soak/sampling.ts';
import { medianOf, trendOf } from '../../prove/soak/trend.ts';
import { findingsOf } from '../../prove/soak/verdict.ts';

const LIMIT = { absolute: 5, relative: 0.1 };
/** Deterministic noise. */
const noise = (i: number) => ((i * 7919) % 13) - 6;
const series = (valueAt: (i: number) => number, count = 60) =>
  Array.from({ length: count }, (_, i) => ({ at: i * 1_000, value: valueAt(i) }));

describe('a trend', () => {
  test('growth is detected under noise', () => {
    expect(
      trendOf(
        series((i) => 100 + i / 2 + noise(i)),
        LIMIT,
      ).climbs,
    ).toBe(true);
  });

  test('noise does not count as growth', () => {
    expect(
      trendOf(
        series((i) => 100 + noise(i)),
        LIMIT,
      ).climbs,
    ).toBe(false);
  });

  test('a single peak, even at the end, does not count as growth', () => {
    expect(
      trendOf(
        series((i) => (i === 59 ? 1_000 : 100 + noise(i))),
        LIMIT,
      ).climbs,
    ).toBe(false);
  });

  test('growth within the limit does not count', () => {
    expect(
      trendOf(
        series((i) => 100 + i / 20 + noise(i)),
        LIMIT,
      ).climbs,
    ).toBe(false);
  });

  test('no samples or a single one have no trend', () => {
    expect(trendOf([], LIMIT)).toMatchObject({ growth: 0, climbs: false });
    expect(
      trendOf(
        series(() => 5, 1),
        LIMIT,
      ),
    ).toMatchObject({ growth: 0, climbs: false });
    expect(medianOf([3, 1, 2, 10])).toBe(2.5);
  });
});

describe('the verdict', () => {
  const calm: Measured = { heap: 80, rss: 200, handles: 30, subscriptions: 0, leases: 0 };
  const busy: Measured = { heap: 90, rss: 220, handles: 530, subscriptions: 10, leases: 2 };
  const samples = series(() => 0).map(({ at }) => ({ at, measured: busy }));
  const wrong = (findings: ReturnType<typeof findingsOf>) =>
    findings.filter(({ isWrong }) => isWrong).map(({ measure }) => measure);

  test('a server whose values return to the baseline passes', () => {
    expect(wrong(findingsOf(calm, samples, calm))).toEqual([]);
  });

  test('a subscription that is left over is reported', () => {
    expect(wrong(findingsOf(calm, samples, { ...calm, subscriptions: 1 }))).toEqual(['subscriptions']);
  });

  test('handles that are left over are reported', () => {
    expect(wrong(findingsOf(calm, samples, { ...calm, handles: 60 }))).toEqual(['handles']);
  });

  test('a growing heap is reported even if it returns to the baseline', () => {
    const climbing = samples.map(({ at, measured }, i) => ({ at, measured: { ...measured, heap: 80 + i } }));
    expect(wrong(findingsOf(calm, climbing, calm))).toEqual(['heap']);
  });
});
