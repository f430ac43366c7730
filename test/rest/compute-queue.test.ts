// The queue of work that blocks the event loop alternates between callers.
import { expect, test } from 'vitest';
import { createComputeQueue } from '../../src/rest/publish-api/compute-queue.ts';

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test("a caller's batch waits for one batch of another caller, regardless of how many are queued", async () => {
  const compute = createComputeQueue();
  const order: string[] = [];
  const run = (id: string) =>
    compute({ id }, () => {
      block(3);
      order.push(id);
    });
  const flood = Array.from({ length: 20 }, () => run('flood'));
  await Promise.all([...flood, run('other')]);
  expect(order.indexOf('other')).toBeLessThanOrEqual(2);
});

test('the event loop runs between two long pieces of work', async () => {
  const compute = createComputeQueue();
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await Promise.all(Array.from({ length: 10 }, () => compute({ id: 'a' }, () => block(3))));
  isDone = true;
  expect(turns).toBeGreaterThanOrEqual(9);
});

test('an error of the work rejects its own call, and the next work runs', async () => {
  const compute = createComputeQueue();
  const failing = compute({ id: 'a' }, () => {
    throw new Error('not a patch');
  });
  await expect(failing).rejects.toThrow('not a patch');
  expect(await compute({ id: 'a' }, () => 7)).toBe(7);
});
