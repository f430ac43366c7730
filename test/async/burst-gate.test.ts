// A burst passes two callers per turn of the event loop, in order; a single caller does not wait.
import { setImmediate as immediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { BurstGate } from '../../src/async/burst-gate.ts';
import { range } from '../tail/harness.ts';

test('a burst passes two callers per turn, in the order of their calls', async () => {
  const gate = new BurstGate();
  const passed: number[] = [];
  for (const i of range(1, 20)) void gate.pass().then(() => passed.push(i));
  const counts: number[] = [];
  for (let turn = 0; turn < 15; turn += 1) {
    await immediate();
    counts.push(passed.length);
  }
  expect(passed).toEqual(range(1, 20));
  expect(counts.slice(0, 9)).toEqual([4, 6, 8, 10, 12, 14, 16, 18, 20]);
});

test('a caller does not wait when the earlier ones have passed', async () => {
  const gate = new BurstGate();
  for (let i = 0; i < 3; i += 1) {
    let hasPassed = false;
    void gate.pass().then(() => {
      hasPassed = true;
    });
    await Promise.resolve();
    expect(hasPassed).toBe(true);
    await immediate();
  }
});

test('a caller that comes while others wait passes after them', async () => {
  const gate = new BurstGate();
  const passed: number[] = [];
  for (const i of range(1, 6)) void gate.pass().then(() => passed.push(i));
  await immediate();
  void gate.pass().then(() => passed.push(7));
  for (let turn = 0; turn < 5; turn += 1) await immediate();
  expect(passed).toEqual(range(1, 7));
});
