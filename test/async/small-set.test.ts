// SmallSet compared with Set.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SmallSet } from '../../src/async/small-set.ts';

const elements = ['a', 'b', 'c'].map((name) => ({ name }));
const step = fc.record({
  element: fc.constantFrom(...elements),
  operation: fc.constantFrom('add', 'delete', 'clear'),
});

test('SmallSet behaves as Set operation under any sequence of add, delete and clear', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const small = new SmallSet<object>();
      const set = new Set<object>();
      for (const { operation, element } of steps) {
        if (operation === 'clear') {
          small.clear();
          set.clear();
        } else if (operation === 'add') {
          small.add(element);
          set.add(element);
        } else {
          expect(small.delete(element)).toBe(set.delete(element));
        }
        const visited: object[] = [];
        small.forEach((each) => void visited.push(each));
        expect(visited).toEqual([...set]);
        expect([...small]).toEqual([...set]);
        expect(small.size).toBe(set.size);
        expect(small.only).toBe(set.size === 1 ? [...set][0] : undefined);
      }
    }),
  );
});

test.each([
  ['one', ['b'], ['a', 'c']],
  ['all but one', ['a', 'b'], ['a', 'c']],
  ['all', ['a', 'b', 'c'], ['a']],
])(
  'removing %s of the elements during forEach skips exactly those not visited yet',
  (_, removed, expected) => {
    const small = new SmallSet<string>();
    for (const element of ['a', 'b', 'c']) small.add(element);
    const visited: string[] = [];
    small.forEach((element) => {
      visited.push(element);
      for (const each of removed) small.delete(each);
    });
    expect(visited).toEqual(expected);
  },
);
