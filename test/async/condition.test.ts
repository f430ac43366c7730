import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createCondition } from '../../src/async/condition.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a wait is true once its predicate holds at a notification', async () => {
  const condition = createCondition();
  let value = 0;
  const reachesTwo = condition.wait(() => value === 2, 1_000);
  value = 1;
  condition.notify();
  value = 2;
  expect(vi.getTimerCount()).toBe(1);
  condition.notify();
  expect(await reachesTwo).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('a predicate that holds already does not wait', async () => {
  expect(await createCondition().wait(() => true, 1_000)).toBe(true);
});

test('a wait is false after its timeout', async () => {
  const wait = createCondition().wait(() => false, 1_000);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await wait).toBe(false);
});

test('closing ends waits with false, now and later', async () => {
  const condition = createCondition();
  const wait = condition.wait(() => false, 1_000);
  condition.close();
  expect(await wait).toBe(false);
  expect(await condition.wait(() => false, 1_000)).toBe(false);
});
