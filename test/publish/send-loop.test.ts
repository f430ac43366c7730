// The loop of an outbox: one step at a time, each after its delay.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSendLoop } from '../../src/publish/send-loop.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A loop whose steps finish when the test says so. */
function setUp(ms: number | undefined) {
  const options = { ms };
  const finish: (() => void)[] = [];
  let steps = 0;
  const loop = createSendLoop({
    delayMs: () => options.ms,
    step() {
      steps += 1;
      return new Promise((resolve) => finish.push(resolve));
    },
  });
  return {
    loop,
    options,
    get steps() {
      return steps;
    },
    async finish() {
      finish.shift()!();
      await vi.advanceTimersByTimeAsync(0);
    },
  };
}

test('a step starts after its delay, once, however often it is scheduled', async () => {
  const rig = setUp(10);
  rig.loop.schedule();
  rig.loop.schedule();
  await vi.advanceTimersByTimeAsync(9);
  expect(rig.steps).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(rig.steps).toBe(1);
});

test('steps do not overlap: the next one is scheduled when the previous one has finished', async () => {
  const rig = setUp(0);
  rig.loop.schedule();
  await vi.advanceTimersByTimeAsync(0);
  rig.loop.schedule();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(rig.steps).toBe(1);
  await rig.finish();
  expect(rig.steps).toBe(2);
});

test('without work no timer is left, and new work starts the loop again', async () => {
  const rig = setUp(undefined);
  rig.loop.schedule();
  expect(vi.getTimerCount()).toBe(0);
  rig.options.ms = 0;
  rig.loop.schedule();
  await vi.advanceTimersByTimeAsync(0);
  expect(rig.steps).toBe(1);
});

test('rescheduling applies a shorter delay to a step that is scheduled, and starts no second one', async () => {
  const rig = setUp(1_000);
  rig.loop.schedule();
  rig.options.ms = 0;
  rig.loop.reschedule();
  await vi.advanceTimersByTimeAsync(0);
  expect(rig.steps).toBe(1);
  rig.loop.reschedule();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(rig.steps).toBe(1);
});

test('a stopped loop runs no further step, also if it is stopped during one', async () => {
  const scheduled = setUp(5);
  scheduled.loop.schedule();
  scheduled.loop.stop();
  scheduled.loop.schedule();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(scheduled.steps).toBe(0);

  const running = setUp(0);
  running.loop.schedule();
  await vi.advanceTimersByTimeAsync(0);
  running.loop.stop();
  await running.finish();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(running.steps).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});
