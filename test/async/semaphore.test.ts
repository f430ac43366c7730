// A counting semaphore.
import { expect, test } from 'vitest';
import { Semaphore } from '../../src/async/semaphore.ts';

/** Notes the order in which permits are given. */
function taker(semaphore: Semaphore) {
  const taken: string[] = [];
  const take = (name: string) => void semaphore.acquire().then(() => taken.push(name));
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { taken, take, settled };
}

test('there are as many permits as it was made with; the others wait in order', async () => {
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

test('a permit that is given back too often does not add one', async () => {
  const semaphore = new Semaphore(1);
  for (let i = 0; i < 5; i += 1) semaphore.release();
  const { taken, take, settled } = taker(semaphore);
  for (const name of ['a', 'b']) take(name);
  await settled();
  expect(taken).toEqual(['a']);
});

test('once it is closed nobody waits', async () => {
  const semaphore = new Semaphore(1);
  const { taken, take, settled } = taker(semaphore);
  for (const name of ['a', 'b', 'c']) take(name);
  await settled();
  semaphore.close();
  take('d');
  await settled();
  expect(taken.toSorted()).toEqual(['a', 'b', 'c', 'd']);
});
