// What several announcements of one tick bring is done together, and rounds that take long leave room between them.
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Ticks } from '../../src/sse/ticks.ts';

test('the work of one tick is one round, after it', async () => {
  const done: number[] = [];
  const ticks = new Ticks<number>((item) => done.push(item));
  for (const item of [1, 2, 3]) ticks.add(item);
  expect(done).toEqual([]);
  await immediate();
  expect(done).toEqual([1, 2, 3]);
});

test('an item that is added during a round has the next one', async () => {
  const done: number[] = [];
  const ticks = new Ticks<number>((item) => {
    done.push(item);
    if (item < 3) ticks.add(item + 1);
  });
  ticks.add(1);
  await delay(20);
  expect(done).toEqual([1, 2, 3]);
});

test('after a round that took long, items wait as long for the next one', async () => {
  const began: number[] = [];
  const ended: number[] = [];
  const ticks = new Ticks<number>(() => {
    began.push(performance.now());
    const until = performance.now() + 10;
    while (performance.now() < until);
    ended.push(performance.now());
  });
  ticks.add(1);
  await immediate();
  ticks.add(2);
  await delay(50);
  expect(began[1]! - ended[0]!).toBeGreaterThan(8);
});
