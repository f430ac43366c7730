// How long publishing calls wait for room in the outbox.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createCondition } from '../../src/async/condition.ts';
import { createBackpressure } from '../../src/publish/backpressure.ts';

const BLOCK_MS = 100;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const outbox = { hasRoom: false };
  const condition = createCondition();
  const backpressure = createBackpressure({ condition, blockMs: BLOCK_MS, hasRoom: () => outbox.hasRoom });
  /** How long a call waits, in ms. */
  async function waitMs(): Promise<number> {
    const from = Date.now();
    let waited: number | undefined;
    void backpressure.room().then(() => {
      waited = Date.now() - from;
    });
    for (let ms = 0; ms <= 2 * BLOCK_MS && waited === undefined; ms += 10)
      await vi.advanceTimersByTimeAsync(10);
    return waited!;
  }
  return { outbox, condition, backpressure, waitMs };
}

test('a call does not wait while there is room', async () => {
  const { outbox, backpressure } = setUp();
  outbox.hasRoom = true;
  await backpressure.room();
  expect(vi.getTimerCount()).toBe(0);
});

test('a call waits until there is room', async () => {
  const { outbox, condition, waitMs } = setUp();
  setTimeout(() => {
    outbox.hasRoom = true;
    condition.notify();
  }, 40);
  expect(await waitMs()).toBe(40);
});

test('calls of one outage share one wait, and later ones do not wait until the log accepts a batch', async () => {
  const { backpressure, waitMs } = setUp();
  const first = backpressure.room();
  expect(backpressure.room()).toBe(first);
  await vi.advanceTimersByTimeAsync(BLOCK_MS);
  await first;
  await backpressure.room();
  expect(vi.getTimerCount()).toBe(0);
  backpressure.progress();
  expect(await waitMs()).toBe(BLOCK_MS);
});

test('a batch that is accepted during a wait does not end it without room', async () => {
  const { backpressure } = setUp();
  const first = backpressure.room();
  backpressure.progress();
  expect(backpressure.room()).toBe(first);
  await vi.advanceTimersByTimeAsync(BLOCK_MS);
  await first;
});

test('closing the condition ends every wait', async () => {
  const { backpressure, condition } = setUp();
  const waiting = backpressure.room();
  condition.close();
  await waiting;
  expect(vi.getTimerCount()).toBe(0);
});
