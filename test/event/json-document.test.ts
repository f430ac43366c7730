// A document that patches change in place: copies, rollback and limits. The operations: json-patch.test.ts.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue, PatchOperation } from '../../src/event/events.ts';
import { JsonDocument } from '../../src/event/json-document.ts';
import { PatchWork, sizeOf, unlimitedWork, VALUE_LIMITS } from '../../src/event/json-size.ts';
import { propertyRuns } from '../support/property-runs.ts';

function documentOf(value: JsonValue): JsonDocument {
  const document = new JsonDocument();
  document.apply([{ op: 'add', path: '', value }], new PatchWork());
  document.commit();
  return document;
}

function applied(value: JsonValue, patch: PatchOperation[], limits = VALUE_LIMITS): JsonValue {
  const document = documentOf(value);
  document.apply(patch, new PatchWork(limits));
  return document.toJson();
}

describe('inserted values are copied', () => {
  test('operations that build on each other change neither the patch nor a copy made in between', () => {
    const patch: PatchOperation[] = [
      { op: 'add', path: '', value: { items: [1] } },
      { op: 'add', path: '/items/-', value: 2 },
      { op: 'copy', from: '/items', path: '/more' },
      { op: 'add', path: '/more/0', value: 0 },
    ];
    const sent = JSON.stringify(patch);
    const document = documentOf(null);
    document.apply(patch, new PatchWork());
    expect(document.root).toEqual({ items: [1, 2], more: [0, 1, 2] });
    expect(JSON.stringify(patch)).toBe(sent);
    const copy = document.toJson();
    document.apply([{ op: 'remove', path: '/items/0' }], new PatchWork());
    expect(copy).toEqual({ items: [1, 2], more: [0, 1, 2] });
  });

  test.each<PatchOperation>([
    { op: 'add', path: '/place', value: { list: [1] } },
    { op: 'replace', path: '/place', value: { list: [1] } },
    { op: 'replace', path: '', value: { place: { list: [1] } } },
  ])('a later patch does not change the operand of $op "$path"', (operation) => {
    const document = documentOf({ place: 0 });
    const sent = JSON.stringify(operation);
    document.apply([operation], new PatchWork());
    document.apply([{ op: 'add', path: '/place/list/-', value: 2 }], new PatchWork());
    expect(document.root).toEqual({ place: { list: [1, 2] } });
    expect(JSON.stringify(operation)).toBe(sent);
  });

  test('a value that is moved is not copied', () => {
    const document = documentOf({ a: { list: [1] }, b: null });
    const { a } = document.root as { a: JsonValue };
    document.apply([{ op: 'move', from: '/a', path: '/b' }], new PatchWork());
    expect((document.root as { b: JsonValue }).b).toBe(a);
    document.apply([{ op: 'move', from: '/b', path: '/c' }], new PatchWork());
    expect((document.root as { c: JsonValue }).c).toBe(a);
  });

  test('a member named __proto__ inside a value is kept as a member', () => {
    const value = JSON.parse('{"__proto__":{"polluted":true},"a":1}');
    const result = applied(null, [{ op: 'add', path: '', value }]);
    expect(JSON.stringify(result)).toBe('{"__proto__":{"polluted":true},"a":1}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('a patch that fails, or is rolled back, leaves the document unchanged', () => {
  const before = { list: [1, 2, { deep: true }], text: 'a', gone: null };
  const last: PatchOperation = { op: 'test', path: '/text', value: 'something else' };
  test.each<PatchOperation>([
    { op: 'add', path: '/list/1', value: { x: [1] } },
    { op: 'add', path: '/text', value: [] },
    { op: 'add', path: '/new', value: 1 },
    { op: 'remove', path: '/list/0' },
    { op: 'remove', path: '/text' },
    { op: 'remove', path: '' },
    { op: 'replace', path: '', value: 7 },
    { op: 'replace', path: '/list/2/deep', value: { a: 'b' } },
    { op: 'move', from: '/list/2', path: '/moved' },
    { op: 'move', from: '/list/2', path: '/list/0' },
    { op: 'copy', from: '/list', path: '/list/0' },
  ])('after $op $path', (operation) => {
    const document = documentOf(before);
    const { units, nodes } = document.size;
    expect(() => document.apply([operation, last], new PatchWork())).toThrow(/^patch\.1: test "\/text": /);
    expect(document.root).toEqual(before);
    expect(document.size).toMatchObject({ units, nodes });

    document.apply([operation], new PatchWork());
    document.rollback();
    expect(document.root).toEqual(before);
    expect(document.size).toMatchObject({ units, nodes });
  });
});

test('a document that was never committed is rolled back to null', () => {
  const document = new JsonDocument();
  document.rollback();
  expect(document.root).toBeNull();
  document.apply([{ op: 'add', path: '', value: { a: 1 } }], new PatchWork());
  document.rollback();
  expect(document.root).toBeNull();
  expect(document.size).toMatchObject({ units: 4, nodes: 1 });
});

describe('an error of a patch', () => {
  test('has the code BAD_USER_INPUT if an operation does not apply', () => {
    const document = documentOf({ a: 1 });
    expect(() => document.apply([{ op: 'remove', path: '/b' }], new PatchWork())).toThrow(
      expect.objectContaining({
        name: 'ExecstreamError',
        code: 'BAD_USER_INPUT',
        message: 'patch.0: remove "/b": there is no value at this path',
        cause: expect.objectContaining({ name: 'PatchError' }),
      }),
    );
  });

  test('has the code EVENT_TOO_LARGE if an operation exceeds a limit', () => {
    const work = new PatchWork({ ...VALUE_LIMITS, nodes: 2 });
    expect(() => documentOf({ a: 1 }).apply([{ op: 'add', path: '/b', value: 2 }], work)).toThrow(
      expect.objectContaining({
        name: 'ExecstreamError',
        code: 'EVENT_TOO_LARGE',
        message: 'patch.0: add "/b": the value would hold more than 2 values',
        cause: expect.objectContaining({ code: 'EVENT_TOO_LARGE' }),
      }),
    );
  });

  test('that neither a patch nor a limit causes is thrown unchanged, after the patch was undone', () => {
    const document = documentOf({ a: 1 });
    const fault = new RangeError('a fault of the program');
    const unreadable = new Proxy(
      {},
      {
        ownKeys: () => {
          throw fault;
        },
      },
    );
    const patch: PatchOperation[] = [
      { op: 'remove', path: '/a' },
      { op: 'add', path: '/b', value: unreadable },
    ];
    expect(() => document.apply(patch, new PatchWork())).toThrow(fault);
    expect(document.root).toEqual({ a: 1 });
  });

  test('whose operation is not an object is thrown unchanged, after the patch was undone', () => {
    const document = documentOf({ a: 1 });
    const patch = [{ op: 'remove', path: '/a' }, null] as unknown as PatchOperation[];
    expect(() => document.apply(patch, new PatchWork())).toThrow(TypeError);
    expect(document.root).toEqual({ a: 1 });
  });
});

test('the size of a document is that of its value, after any operations and a rollback', () => {
  const key = fc.constantFrom('a', 'b', 'c~1', '0', '1', '-', '');
  const path = fc.array(key, { maxLength: 3 }).map((keys) => keys.map((each) => `/${each}`).join(''));
  const operation = fc.record({
    op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
    path,
    from: path,
    value: fc.jsonValue({ maxDepth: 2 }),
  }) as fc.Arbitrary<PatchOperation>;
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
      const sent = JSON.stringify(operations);
      const document = documentOf({ a: [{}, []], b: { a: {} } });
      const start = document.toJson();
      for (const each of operations) {
        try {
          document.apply([each], new PatchWork());
        } catch {
          // Most operations do not apply.
        }
      }
      const { units, nodes } = sizeOf(document.root, unlimitedWork());
      expect(document.size).toMatchObject({ units, nodes });
      expect(JSON.stringify(operations)).toBe(sent);
      document.rollback();
      expect(document.root).toEqual(start);
    }),
    { numRuns: propertyRuns(2_000) },
  );
});

describe('limits', () => {
  const doubling = (count: number): PatchOperation[] =>
    Array.from({ length: count }, (_, i) => ({ op: 'copy', from: '', path: `/${i}` }));

  test('a bomb of 26 copies is rejected with the operation at which the value would grow too large', () => {
    const patch = [{ op: 'add', path: '', value: { a: 'x' } } as PatchOperation, ...doubling(26)];
    expect(() => applied(null, patch)).toThrow(
      /^patch\.\d+: copy "\/\d+": the (value would|patches of one batch may) /,
    );
  });

  test('a value of many small members is limited by their number', () => {
    const limits = { ...VALUE_LIMITS, nodes: 5 };
    const patch: PatchOperation[] = [{ op: 'add', path: '/-', value: 5 }];
    expect(applied([1, 2, 3], patch, limits)).toHaveLength(4);
    expect(() => applied([1, 2, 3, 4], patch, limits)).toThrow(/more than 5 values/);
  });

  test('a value is limited by the characters of its JSON, and one that replaces it takes its room', () => {
    const limits = { ...VALUE_LIMITS, units: 50 };
    const text = 'x'.repeat(30);
    expect(() => applied([text], [{ op: 'add', path: '/-', value: text }], limits)).toThrow(/50 characters/);
    expect(applied([text], [{ op: 'replace', path: '', value: [text, 1] }], limits)).toHaveLength(2);
    for (const op of ['replace', 'add'] as const) {
      expect(applied({ text }, [{ op, path: '/text', value: text }], limits)).toEqual({ text });
    }
  });

  test('a value is limited in depth, also where a value is moved or copied deeper', () => {
    const limits = { ...VALUE_LIMITS, depth: 4 };
    const value = { low: {}, tall: [[[]]] };
    expect(applied(value, [{ op: 'move', from: '/low', path: '/tall/0/0' }], limits)).toBeDefined();
    for (const op of ['move', 'copy'] as const) {
      const patch: PatchOperation[] = [{ op, from: '/tall', path: '/low/x' }];
      expect(() => applied(value, patch, limits)).toThrow(/deeper than 4 levels/);
    }
    const deep = JSON.parse(`${'['.repeat(5)}${']'.repeat(5)}`);
    expect(() => applied(null, [{ op: 'add', path: '', value: deep }], limits)).toThrow(/deeper than 4/);
  });

  test('the work of a batch is limited, whichever operation causes it', () => {
    const array = Array.from({ length: 20_000 }, (_, i) => i);
    const object = Object.fromEntries(array.map((i) => [`k${i}`, i]));
    const value = { array, object, twin: object };
    const repeated: PatchOperation[] = [
      { op: 'test', path: '/object', value: object },
      { op: 'move', from: '/object', path: '/array/0' },
      { op: 'copy', from: '/object', path: '/twin' },
      { op: 'add', path: '/array/0', value: 1 },
    ];
    for (const operation of repeated) {
      const undo: PatchOperation[] =
        operation.op === 'move' ? [{ op: 'move', from: '/array/0', path: '/object' }] : [];
      const patch = Array.from({ length: 1_000 }, () => [operation, ...undo]).flat();
      expect(() => applied(value, patch)).toThrow(/may visit 200000 values/);
    }
  });

  test('an operation costs one visit, and one for each value and key that it copies, measures or compares', () => {
    const cost = (operation: PatchOperation): number => {
      const work = new PatchWork();
      documentOf({ a: 1, b: { c: [1, 2] }, many: Array.from({ length: 6_400 }, () => 0) }).apply(
        [operation],
        work,
      );
      return work.spent;
    };
    expect(cost({ op: 'move', from: '/b', path: '/b' })).toBe(1);
    expect(cost({ op: 'add', path: '/new', value: 1 })).toBe(2);
    expect(cost({ op: 'add', path: '/new', value: { c: [1, 2] } })).toBe(1 + 5);
    expect(cost({ op: 'replace', path: '/b', value: 1 })).toBe(1 + 5 + 1);
    expect(cost({ op: 'remove', path: '/b' })).toBe(1 + 5);
    expect(cost({ op: 'copy', from: '/b', path: '/new' })).toBe(1 + 5);
    expect(cost({ op: 'move', from: '/b', path: '/new' })).toBe(1 + 5 + 5);
    expect(cost({ op: 'test', path: '/a', value: 1 })).toBe(2);
  });

  test('an element that is added or removed costs one visit for each 64 elements after it', () => {
    const cost = (operation: PatchOperation): number => {
      const work = new PatchWork();
      documentOf(Array.from({ length: 6_400 }, () => 0)).apply([operation], work);
      return work.spent;
    };
    expect(cost({ op: 'remove', path: '/0' })).toBe(2 + 100);
    expect(cost({ op: 'remove', path: '/3200' })).toBe(2 + 50);
    expect(cost({ op: 'remove', path: '/6399' })).toBe(2);
    expect(cost({ op: 'add', path: '/0', value: 1 })).toBe(2 + 100);
    expect(cost({ op: 'add', path: '/-', value: 1 })).toBe(2);
  });

  test('replacing the complete value does not visit the old one', () => {
    const work = new PatchWork();
    documentOf(Array.from({ length: 6_400 }, () => 0)).apply([{ op: 'replace', path: '', value: 1 }], work);
    expect(work.spent).toBe(2);
  });

  test('the cost of a small patch does not depend on the size of the document', () => {
    const cost = (length: number): number => {
      const document = documentOf({ list: Array.from({ length }, (_, i) => ({ i })) });
      const work = new PatchWork();
      const patch: PatchOperation[] = [
        { op: 'add', path: '/list/-', value: { i: -1 } },
        { op: 'replace', path: '/list/0/i', value: 'changed' },
        { op: 'test', path: '/list/1/i', value: 1 },
      ];
      for (let i = 0; i < 1_000; i += 1) document.apply(patch, work);
      return work.spent;
    };
    expect(cost(10)).toBeGreaterThan(3_000);
    expect(cost(30_000)).toBe(cost(10));
  });
});
