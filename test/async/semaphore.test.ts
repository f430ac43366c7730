// A counting semaphore.
import { expect, test } from 'vitest';
import { Semaphore } from '../../src/async/semaphore.ts';

/** Records the order in which permits are acquired. */
function taker(semaphore: Semaphore) {
  const taken: string[] = [];
  const take = (name: string) => void semaphore.acquire().then(() => taken.push(name));
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { taken, take, settled };
}

test('callers above the number of permits wait, first come, first served', async () => {
  const semaphore = new Semaphore(2);
  const { taken, take, settled } = taker(semaphore);
  for (const name of ['a', 'b', 'c', 'd']) take(name);
  await settled();
  expect(taken).toEqual(['a', 'b']);
  semaphore.release();
  await settled();
  expect(taken).toEqual(['a', 'b', 'c']);
  semaphore.release();
  await settled();
  expect(taken).toEqual(['a', 'b', 'c', 'd']);
});

test('releasing more often than acquiring adds no permit', async () => {
  const semaphore = new Semaphore(1);
  for (let i = 0; i < 5; i += 1) semaphore.release();
  const { taken, take, settled } = taker(semaphore);
  for (const name of ['a', 'b']) take(name);
  await settled();
  expect(taken).toEqual(['a']);
});

test('closing admits all waiting callers, and later ones immediately', async () => {
  const semaphore = new Semaphore(1);
  const { taken, take, settled } = taker(semaphore);
  for (const name of ['a', 'b', 'c']) take(name);
  await settled();
  semaphore.close();
  take('d');
  await settled();
  expect(taken.toSorted()).toEqual(['a', 'b', 'c', 'd']);
});
