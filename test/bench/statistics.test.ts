// The arithmetic of the rows: medians, ratios, latencies, and fallen ratios.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Latencies } from '../../bench/generator/latencies.ts';
import { checkRecorded, PROCESSOR, type Recorded, recordedOf } from '../../bench/recorded.ts';
import { Results } from '../../bench/results.ts';
import { fallenRows, isMissed, type Row, rowsOf } from '../../bench/rows.ts';
import { median, timesCheaper } from '../../bench/statistics.ts';

it('a median is the middle value, or the mean of the two middle values', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 2, 100])).toBe(3);
  expect(() => median([])).toThrow();
});

it('a ratio is above 1 if our value is lower', () => {
  expect(timesCheaper(2, 10)).toBe(5);
  expect(timesCheaper(0, 10)).toBe(0);
});

it('there are rows only for measures that exist', () => {
  const results = new Results();
  results.add('A, one in flight', 'execstream', { cpuUsPerFrame: 10 });
  results.add('A, one in flight', 'yoga', { cpuUsPerFrame: 40 });
  const rows = rowsOf(results);
  expect(rows).toEqual([{ scenario: 'A, one in flight', against: 'yoga', value: 4, atLeast: 5 }]);
  expect(rows.map(isMissed)).toEqual([true]);
});

it('a row compares within a repetition, so that a temporarily slow machine does not change the ratio', () => {
  const results = new Results();
  for (const slowness of [1, 2, 9]) {
    results.add('A, one in flight', 'execstream', { cpuUsPerFrame: 8 * slowness });
    results.add('A, one in flight', 'yoga', { cpuUsPerFrame: 40 * slowness });
  }
  // Separate medians would give 10 over 1.
  for (const [ours, theirs] of [
    [10, 10],
    [1, 16],
    [1, 2],
  ]) {
    results.add('B', 'execstream', { cpuUsPerFrame: ours! });
    results.add('B', 'yoga', { cpuUsPerFrame: theirs! });
  }
  expect(rowsOf(results).map(({ scenario, value }) => [scenario, value])).toEqual([
    ['A, one in flight', 5],
    ['B', 2],
  ]);
});

it('a row has fallen if it has lost more than a third', () => {
  const row = { scenario: 'B', against: 'yoga', atLeast: 3.5 };
  const recorded = [{ ...row, value: 3 }];
  expect(fallenRows([{ ...row, value: 2 }], recorded)).toEqual([]);
  expect(fallenRows([{ ...row, value: 1.9 }], recorded)).toHaveLength(1);
  // A row that was not measured does not pass either.
  expect(fallenRows([], recorded)).toEqual([{ row: undefined, was: recorded[0] }]);
});

describe('check against the recorded ratios', () => {
  const { machines } = JSON.parse(readFileSync('bench/recorded.json', 'utf8')) as { machines: Recorded[] };
  const rows = recordedOf(PROCESSOR, machines);
  const fallen = rows.map((row, i) => (i === 0 ? { ...row, value: row.value / 2 } : row));
  const logged: string[] = [];
  const check = (first: readonly Row[], again: () => Promise<readonly Row[]>) =>
    checkRecorded(first, again, (line) => logged.push(line));
  const mustNotMeasure = () => Promise.reject(new Error('unnecessary second measurement'));

  it('passes immediately if no ratio has fallen', async () => {
    expect(await check(rows, mustNotMeasure)).toBe(true);
  });

  it('passes if the second measurement does not confirm the fall', async () => {
    expect(await check(fallen, async () => rows)).toBe(true);
  });

  it('fails if a ratio has fallen twice, and reports it', async () => {
    expect(await check(fallen, async () => fallen)).toBe(false);
    const { scenario, against, value } = rows[0]!;
    expect(logged.at(-1)).toBe(`${scenario} against ${against} has fallen from ${value} to ${value / 2}`);
  });
});

it('ratios are recorded per kind of machine; an unknown kind gets the lowest of all', () => {
  const b = { scenario: 'B', against: 'yoga', atLeast: 3.5 };
  const a = { scenario: 'A', against: 'yoga', atLeast: 5 };
  const machines = [
    {
      processor: 'one',
      rows: [
        { ...b, value: 3 },
        { ...a, value: 9 },
      ],
    },
    {
      processor: 'two',
      rows: [
        { ...b, value: 4 },
        { ...a, value: 6 },
      ],
    },
  ];
  expect(recordedOf('two', machines)).toEqual(machines[1]!.rows);
  expect(recordedOf('three', machines)).toEqual([
    { ...b, value: 3 },
    { ...a, value: 6 },
  ]);
});

it('percentiles of latencies are accurate to 2 %', () => {
  const latencies = new Latencies();
  for (let us = 1; us <= 100_000; us++) latencies.add(us);
  for (const share of [0.001, 0.5, 0.99, 1]) {
    expect(Math.abs(latencies.percentile(share) / (share * 100_000) - 1)).toBeLessThan(0.02);
  }
  latencies.clear();
  expect(latencies.percentile(0.5)).toBe(0);
});
