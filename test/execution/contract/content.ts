// The contract of input, result and error: stored unchanged, and read field by field.
import { beforeEach, describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/event/events.ts';
import type { ExecutionStore } from '../../../src/execution/store.ts';
import { newId, type OpenStores, task } from './fixtures.ts';

export function contentContract(open: OpenStores): void {
  let store: ExecutionStore;
  let other: ExecutionStore;

  beforeEach(async () => {
    [store, other] = await open();
  });

  describe('input and result survive unchanged', () => {
    const texts: Record<string, string> = {
      'line breaks': 'a\r\nb\rc\nd\u2028e\u2029',
      'white space at the ends': ' \t x \n ',
      NUL: 'a\0b\u0001\u001f\u007f',
      'lone surrogates': '\ud83d|\ude00|\udc00\ud800',
      emoji: '👩‍👩‍👧‍👦🏳️‍🌈',
      'text that looks like escapes': '\\u0000 \\x00 \\ " \' %s $1',
      'a byte order mark': '\ufeffx\ufffe\uffff',
      'not normalised': 'é vs e\u0301',
      empty: '',
    };
    for (const [name, text] of Object.entries(texts)) {
      test(`${name} survives unchanged`, async () => {
        const request = task({ input: text });
        const { id } = await store.begin(request);
        await store.finish(id, 1, { status: 'SUCCESS', result: text });
        const row = await other.get(id);
        expect(row?.result === text).toBe(true);
        expect(row?.input === text).toBe(true);
      });
    }

    test('a text of all code units survives unchanged', async () => {
      const text = Array.from({ length: 65536 }, (_, unit) => String.fromCharCode(unit)).join('');
      const { id } = await store.begin(task());
      await store.finish(id, 1, { status: 'SUCCESS', result: text });
      expect((await other.get(id))?.result === text).toBe(true);
    });

    test('a value keeps the order of its keys and its numbers', async () => {
      const value: JsonValue = {
        z: 1e21,
        a: [0.1, -1.5e-7, 9007199254740991],
        'k\0\ud800': { b: 1, a: null },
      };
      const { id } = await store.begin(task({ mode: 'STRUCTURED', input: value }));
      await store.finish(id, 1, { status: 'SUCCESS', result: value });
      const row = await other.get(id);
      expect(JSON.stringify(row?.result)).toBe(JSON.stringify(value));
      expect(JSON.stringify(row?.input)).toBe(JSON.stringify(value));
    });

    test('5 MB of text survive unchanged', async () => {
      const text = 'wörd 😀 '.repeat(450_000);
      const { id } = await store.begin(task());
      await store.finish(id, 1, { status: 'SUCCESS', result: text });
      expect((await other.get(id))?.result === text).toBe(true);
    });
  });

  describe('contents', () => {
    test('contents returns one field of several executions, with its size as JSON', async () => {
      const [a, b, c] = [await store.begin(task()), await store.begin(task({ input: { q: 'é' } })), newId()];
      await store.finish(a.id, 1, { status: 'SUCCESS', result: null });
      await store.finish(b.id, 1, { status: 'FAILED', error: { message: 'm\0' } });
      const ids = [a.id, b.id, c];
      const all = Number.MAX_SAFE_INTEGER;
      expect(await other.contents(ids, 'result', all)).toEqual(new Map([[a.id, { bytes: 4, value: null }]]));
      expect(await store.contents(ids, 'input', all)).toEqual(
        new Map([[b.id, { bytes: 10, value: { q: 'é' } }]]),
      );
      expect((await store.contents(ids, 'error', all)).get(b.id)?.value).toEqual({ message: 'm\0' });
      expect(await store.contents([], 'error', all)).toEqual(new Map());
    });

    test('contents omits values beyond the limit, and returns their size', async () => {
      const prefix = newId();
      const ids = ['1', '2', '3'].map((suffix) => `${prefix}:${suffix}`);
      for (const id of ids) {
        await store.begin(task({ id, input: 'x'.repeat(98) }));
      }
      const read = await store.contents([...ids].reverse(), 'input', 200);
      expect(read.get(ids[0]!)).toEqual({ bytes: 100, value: 'x'.repeat(98) });
      expect(read.get(ids[1]!)).toEqual({ bytes: 100, value: 'x'.repeat(98) });
      expect(read.get(ids[2]!)).toEqual({ bytes: 100, isOmitted: true });
      expect((await store.contents(ids, 'input', 0)).get(ids[0]!)).toEqual({ bytes: 100, isOmitted: true });
    });
  });
}
