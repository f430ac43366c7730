// The soak's judgement: what climbs is found, what only trembles is not.
import { describe, expect, test } from 'vitest';
import type { Measured } from '../../prove/soak/sampling.ts';
import { medianOf, trendOf } from '../../prove/soak/trend.ts';
import { findingsOf } from '../../prove/soak/verdict.ts';

const BOUND = { absolute: 5, relative: 0.1 };
/** Trembles, the same each time. */
const noise = (i: number) => ((i * 7919) % 13) - 6;
const series = (valueAt: (i: number) => number, count = 60) =>
  Array.from({ length: count }, (_, i) => ({ at: i * 1_000, value: valueAt(i) }));

describe('a trend', () => {
  test('that climbs under noise is found', () => {
    expect(
      trendOf(
        series((i) => 100 + i / 2 + noise(i)),
        BOUND,
      ).climbs,
    ).toBe(true);
  });

  test('noise does not climb', () => {
    expect(
      trendOf(
        series((i) => 100 + noise(i)),
        BOUND,
      ).climbs,
    ).toBe(false);
  });

  test('one peak, also at the end, does not climb', () => {
    expect(
      trendOf(
        series((i) => (i === 59 ? 1_000 : 100 + noise(i))),
        BOUND,
      ).climbs,
    ).toBe(false);
  });

  test('a little growth within the bound does not climb', () => {
    expect(
      trendOf(
        series((i) => 100 + i / 20 + noise(i)),
        BOUND,
      ).climbs,
    ).toBe(false);
  });

  test('nothing and one sample have no trend', () => {
    expect(trendOf([], BOUND)).toMatchObject({ growth: 0, climbs: false });
    expect(
      trendOf(
        series(() => 5, 1),
        BOUND,
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

  test('all that comes back is well', () => {
    expect(wrong(findingsOf(calm, samples, calm))).toEqual([]);
  });

  test('a subscription that is left over is found', () => {
    expect(wrong(findingsOf(calm, samples, { ...calm, subscriptions: 1 }))).toEqual(['subscriptions']);
  });

  test('handles that are left over are found', () => {
    expect(wrong(findingsOf(calm, samples, { ...calm, handles: 60 }))).toEqual(['handles']);
  });

  test('a heap that climbs is found though it came back', () => {
    const climbing = samples.map(({ at, measured }, i) => ({ at, measured: { ...measured, heap: 80 + i } }));
    expect(wrong(findingsOf(calm, climbing, calm))).toEqual(['heap']);
  });
});
