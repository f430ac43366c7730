import { expect, test } from 'vitest';
import { LruMap } from '../../src/async/lru-map.ts';

test('the least recently used entry is evicted, where reading and writing both count as use', () => {
  const map = new LruMap<string, number>(3);
  for (const [i, key] of ['a', 'b', 'c'].entries()) map.set(key, i);
  expect(map.get('a')).toBe(0);
  map.set('b', 10);
  map.set('d', 3);
  expect(['a', 'b', 'c', 'd'].filter((key) => map.has(key))).toEqual(['a', 'b', 'd']);
  expect(map.size).toBe(3);
});

test('has() is not a use, and an undefined value is an entry like any other', () => {
  const map = new LruMap<string, number | undefined>(2);
  map.set('a', undefined);
  map.set('b', 1);
  expect(map.has('a')).toBe(true);
  map.set('c', 2);
  expect(map.has('a')).toBe(false);
  map.set('a', undefined);
  expect(map.get('a')).toBeUndefined();
  map.set('d', 3);
  expect(map.has('a')).toBe(true);
});

test('a deleted entry is gone, and a missing key adds none', () => {
  const map = new LruMap<string, number>(2);
  map.set('a', 1);
  expect(map.delete('a')).toBe(true);
  expect(map.delete('a')).toBe(false);
  expect(map.get('a')).toBeUndefined();
  expect(map.size).toBe(0);
});
