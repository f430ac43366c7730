// What several announcements of one tick bring is done together, and rounds of many leave room between them.
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

test('after a round of many, items wait for about as long as it took; after one of few, not at all', async () => {
  const done: number[] = [];
  const ticks = new Ticks<number>(() => done.push(performance.now()));
  for (let i = 0; i < 2_000; i += 1) ticks.add(i);
  await immediate();
  expect(done.length).toBe(2_000);
  ticks.add(0);
  await immediate();
  expect(done.length).toBe(2_000);
  await delay(30);
  expect(done[2_000]! - done[1_999]!).toBeGreaterThan(7);
  ticks.add(0);
  await immediate();
  expect(done.length).toBe(2_002);
});

test('a round that takes long lets others have their turn, and keeps the order', async () => {
  const done: number[] = [];
  const ticks = new Ticks<number>((item) => {
    const until = performance.now() + 1;
    while (performance.now() < until);
    done.push(item);
    if (item === 0) ticks.add(99);
  });
  for (let item = 0; item < 40; item += 1) ticks.add(item);
  await immediate();
  // 8 ms or so, and not 40.
  expect(done.length).toBeLessThan(20);
  await delay(100);
  expect(done).toEqual([...Array.from({ length: 40 }, (_, i) => i), 99]);
});
