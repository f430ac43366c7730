// Who comes at once is let in a few at a time, in order; who comes alone, at once.
import { setImmediate as immediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { BurstGate } from '../../src/async/burst-gate.ts';
import { range } from '../tail/harness.ts';

test('few a turn, in the order in which they came', async () => {
  const entrance = new BurstGate();
  const entered: number[] = [];
  for (const i of range(1, 20)) void entrance.pass().then(() => entered.push(i));
  const counts: number[] = [];
  for (let turn = 0; turn < 15; turn += 1) {
    await immediate();
    counts.push(entered.length);
  }
  expect(entered).toEqual(range(1, 20));
  expect(counts.slice(0, 9)).toEqual([4, 6, 8, 10, 12, 14, 16, 18, 20]);
});

test('one that comes when the others are in does not wait', async () => {
  const entrance = new BurstGate();
  for (let i = 0; i < 3; i += 1) {
    let isIn = false;
    void entrance.pass().then(() => {
      isIn = true;
    });
    await Promise.resolve();
    expect(isIn).toBe(true);
    await immediate();
  }
});

test('one that comes while others wait is let in behind them', async () => {
  const entrance = new BurstGate();
  const entered: number[] = [];
  for (const i of range(1, 6)) void entrance.pass().then(() => entered.push(i));
  await immediate();
  void entrance.pass().then(() => entered.push(7));
  for (let turn = 0; turn < 5; turn += 1) await immediate();
  expect(entered).toEqual(range(1, 7));
});
