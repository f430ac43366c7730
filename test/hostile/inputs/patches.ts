// Malicious JSON Patches: results far larger than the patch, moves into themselves, paths through prototypes, indices
// that no array has, thousands of operations.
import fc from 'fast-check';
import type { World } from '../world.ts';
import { type HostileInput, requestBytes } from './input.ts';
import { hostileText, hostileValue } from './text.ts';

const START = { op: 'add', path: '', value: { items: [1, 2, 3], a: { b: { c: [] } }, '~/': 0 } };

/** Doubles the value `count` times. */
const doubling = (count: number, name: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => ({ op: 'copy', from: '', path: name(i) }));

const bomb = fc
  .tuple(
    fc.constantFrom(4, 8, 12, 16, 20, 26, 40),
    fc.constantFrom<(count: number) => object[]>(
      (count) => doubling(count, (i) => `/d${i}`),
      (count) => doubling(count, () => '/items/-'),
      (count) => doubling(count, () => '/items/0'),
      (count) => doubling(count, () => '/a/b/c/-'),
      // Deeper but not larger: each copy contains the previous one.
      (count) => doubling(count * 20, () => '/deeper'),
      (count) =>
        Array.from({ length: count * 10 }, () => [
          { op: 'move', from: '/a', path: '/moved' },
          { op: 'add', path: '/a', value: {} },
          { op: 'move', from: '/moved', path: '/a/b' },
        ]).flat(),
      (count) =>
        Array.from({ length: count }, () => [
          { op: 'copy', from: '/items', path: '/more' },
          { op: 'copy', from: '/more', path: '/items/-' },
          { op: 'copy', from: '/more', path: '/items/-' },
        ]).flat(),
    ),
  )
  .map(([count, make]) => [START, ...make(count)]);

const path = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      ...[
        '',
        '/',
        '//',
        '/items',
        '/items/0',
        '/items/3',
        '/items/-',
        '/items/-/x',
        '/items/-1',
        '/items/01',
      ],
      ...['/items/1e3', '/items/4294967295', '/items/4294967296', '/items/9007199254740993', '/items/1.0'],
      ...[
        `/items/${'9'.repeat(400)}`,
        '/items/length',
        '/items/constructor',
        '/items/__proto__/x',
        '/items/ 1',
      ],
      ...['/~0~1', '/~1~0', '/~01', '/~2', '/~', 'items', '#/items', '/a/b/c/-', '/a/b/c/0/d'],
      ...['/__proto__', '/__proto__/polluted', '/constructor/prototype/polluted', '/a/__proto__/polluted'],
      ...['/prototype', '/toString', '/hasOwnProperty/call', '/\0', '/\ud800', '/%2F', '/a'.repeat(500)],
    ),
  },
  { weight: 1, arbitrary: hostileText.map((text) => `/${text}`) },
);

const operation = fc.record(
  {
    op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
    path,
    from: path,
    value: fc.oneof(
      hostileValue,
      fc.constantFrom<unknown>(JSON.parse('{"__proto__":{"polluted":1}}'), 'x'.repeat(60_000)),
    ),
  },
  { requiredKeys: ['op', 'path'] },
);

/** Moves or copies a value below itself. */
const intoItself = fc
  .tuple(fc.constantFrom('move', 'copy'), fc.constantFrom('', '/a', '/items', '/items/0', '/a/b'), path)
  .map(([op, from, below]) => [START, { op, from, path: `${from}${below}` }]);

const many = fc
  .tuple(
    fc.constantFrom(1_000, 3_000, 6_000),
    fc.constantFrom<object>(
      { op: 'test', path: '/items/0', value: 1 },
      { op: 'add', path: '/items/0', value: 0 },
      { op: 'copy', from: '/items', path: '/items/-' },
      { op: 'replace', path: '', value: {} },
      { op: 'move', from: '/items/0', path: '/items/-' },
      { op: 'remove', path: '/items/0' },
    ),
  )
  .map(([count, each]) => [START, ...Array.from({ length: count }, () => each)]);

const patch = fc.oneof(
  { weight: 3, arbitrary: bomb },
  { weight: 4, arbitrary: fc.array(operation, { maxLength: 6 }).map((operations) => [START, ...operations]) },
  { weight: 2, arbitrary: fc.array(operation, { minLength: 1, maxLength: 3 }) },
  { weight: 2, arbitrary: intoItself },
  { weight: 1, arbitrary: many },
);

export function patches(world: World): fc.Arbitrary<HostileInput> {
  return fc
    .tuple(patch, fc.constantFrom('one event', 'one event per operation', 'one event and the end'), fc.uuid())
    .map(([operations, form, key]) => {
      const { path: target, token } = world.published[1]!;
      const delta = (sent: unknown) => ({ type: 'structured_delta', data: { patch: sent } });
      const events: object[] =
        form === 'one event per operation'
          ? operations.slice(0, 1_000).map((each) => delta([each]))
          : [delta(operations)];
      // Ends the execution until the next batch of inputs begins another, so it must be rare.
      if (form === 'one event and the end' && operations.length > 6)
        events.push({ type: 'complete', data: {} });
      return {
        kind: 'patch',
        api: 'rest',
        pieces: [
          requestBytes({
            path: `/api/v0/executions/${target}/events`,
            headers: {
              ...{ Authorization: `Bearer ${world.jwt}`, 'Content-Type': 'application/json' },
              ...{ 'Idempotency-Key': key, 'Publisher-Token': token },
            },
            body: JSON.stringify({ events }),
          }),
        ],
      };
    });
}
