// What several announcements of one tick bring is done together, and rounds of many leave room between them while more comes.
import { setImmediate as immediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WriteScheduler } from '../../src/sse/write-scheduler.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets so many rounds have their turn; no time passes on the clock that `Ticks` looks at. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await immediate();
}

test('the work of one tick is one round, after it', async () => {
  const done: number[] = [];
  const ticks = new WriteScheduler<number>((item) => done.push(item));
  for (const item of [1, 2, 3]) ticks.add(item);
  expect(done).toEqual([]);
  await immediate();
  expect(done).toEqual([1, 2, 3]);
});

test('an item that is added during a round has the next one', async () => {
  const done: number[] = [];
  const ticks = new WriteScheduler<number>((item) => {
    done.push(item);
    if (item < 3) ticks.add(item + 1);
  });
  ticks.add(1);
  await turns(3);
  expect(done).toEqual([1, 2, 3]);
});

/** Work that takes so long by the clock that `Ticks` looks at. */
function workOf(ms: number, work: (item: number) => void) {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  return (item: number) => {
    now += ms;
    work(item);
  };
}

test('a round that takes long lets others have their turn, and keeps the order', async () => {
  const done: number[] = [];
  const others: number[] = [];
  const ticks = new WriteScheduler<number>(
    workOf(1, (item) => {
      done.push(item);
      if (item === 0) ticks.add(99);
      if (item === 0) setImmediate(() => others.push(done.length));
    }),
  );
  for (let item = 0; item < 40; item += 1) ticks.add(item);
  await turns(7);
  expect(others).toEqual([8]);
  vi.advanceTimersByTime(20);
  expect(done).toEqual([...Array.from({ length: 40 }, (_, i) => i), 99]);
});

/** A round of 2,000 items, each of which takes so long, and during which one more comes. */
function manyOf(ms: number): { ticks: WriteScheduler<number>; done: () => number } {
  let done = 0;
  const ticks = new WriteScheduler<number>(
    workOf(ms, (item) => {
      done += 1;
      if (item === 1) ticks.add(0);
    }),
  );
  for (let i = 0; i < 2_000; i += 1) ticks.add(i);
  return { ticks, done: () => done };
}

test.each([
  { each: 'takes 4 µs', ms: 0.0041, pauseMs: 8 },
  { each: 'takes 8 µs', ms: 0.0081, pauseMs: 16 },
  { each: 'takes 1 ms, the longest pause', ms: 1, pauseMs: 20 },
])(
  'what came during a round waits for as long as that took: of 2,000 of which each $each',
  async ({ ms, pauseMs }) => {
    const { ticks, done } = manyOf(ms);
    await turns(300);
    expect(done()).toBe(2_000);
    ticks.add(0);
    vi.advanceTimersByTime(pauseMs - 1);
    await turns(2);
    expect(done()).toBe(2_000);
    vi.advanceTimersByTime(1);
    await turns(2);
    expect(done()).toBe(2_002);
  },
);

test('what comes after a round of many, or during one of few, waits for nothing', async () => {
  let done = 0;
  const ticks = new WriteScheduler<number>(
    workOf(0.0041, (item) => {
      done += 1;
      if (item === 1) ticks.add(0);
    }),
  );
  for (let i = 2; i < 2_002; i += 1) ticks.add(i);
  await turns(300);
  expect(done).toBe(2_000);
  ticks.add(1);
  await turns(2);
  expect(done).toBe(2_002);
});

test('the pause is for the whole of a round that was parted, and takes all that came', async () => {
  const done: number[] = [];
  const ticks = new WriteScheduler<number>(workOf(0.0041, (item) => done.push(item)));
  for (let i = 0; i < 2_000; i += 1) ticks.add(i);
  await turns(2);
  expect(done.length).toBeLessThan(2_000);
  ticks.add(0);
  await turns(20);
  ticks.add(0);
  expect(done.length).toBe(2_000);
  vi.advanceTimersByTime(7);
  await turns(2);
  expect(done.length).toBe(2_000);
  vi.advanceTimersByTime(1);
  await turns(2);
  expect(done.length).toBe(2_002);
});
