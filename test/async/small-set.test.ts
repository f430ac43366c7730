// The set that mostly has one member, beside the Set that it stands for.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SmallSet } from '../../src/async/small-set.ts';

const members = ['a', 'b', 'c'].map((name) => ({ name }));
const step = fc.record({
  member: fc.constantFrom(...members),
  does: fc.constantFrom('add', 'delete', 'clear'),
});

test('is a Set, whatever is added, deleted and cleared', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const few = new SmallSet<object>();
      const set = new Set<object>();
      for (const { does, member } of steps) {
        if (does === 'clear') {
          few.clear();
          set.clear();
        } else if (does === 'add') {
          few.add(member);
          set.add(member);
        } else {
          expect(few.delete(member)).toBe(set.delete(member));
        }
        const told: object[] = [];
        few.forEach((each) => void told.push(each));
        expect(told).toEqual([...set]);
        expect([...few]).toEqual([...set]);
        expect(few.size).toBe(set.size);
        expect(few.only).toBe(set.size === 1 ? [...set][0] : undefined);
      }
    }),
  );
});

test.each([
  ['one', ['b'], ['a', 'c']],
  ['all but one', ['a', 'b'], ['a', 'c']],
  ['all', ['a', 'b', 'c'], ['a']],
])('%s that leave while all are told are told no more, and the others are', (_, leaving, expected) => {
  const few = new SmallSet<string>();
  for (const member of ['a', 'b', 'c']) few.add(member);
  const told: string[] = [];
  few.forEach((member) => {
    told.push(member);
    for (const each of leaving) few.delete(each);
  });
  expect(told).toEqual(expected);
});
