// What every ExecutionStore must do: one suite, run over each of them (store.test.ts).
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isExecstreamError } from '../../src/event/errors.ts';
import type { JsonValue } from '../../src/event/events.ts';
import type {
  BeginExecution,
  Execution,
  ExecutionFilter,
  ExecutionPage,
  ExecutionStore,
  ListPosition,
} from '../../src/execution/store.ts';

/** Opens two stores on one database; the same store twice if there can be only one. */
export type OpenStores = () => Promise<readonly [ExecutionStore, ExecutionStore]>;

let counter = 0;
const newId = () => `e${++counter}-${Math.random().toString(36).slice(2)}`;
const task = (more: Partial<BeginExecution> = {}): BeginExecution => ({
  id: newId(),
  kind: 'task',
  mode: 'TEXT',
  ...more,
});

/** The code of the ExecstreamError that a promise is rejected with. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => 'resolved',
    (reason: unknown) => reason,
  );
  return isExecstreamError(error) ? error.code : String(error);
}

export function storeContract(open: OpenStores): void {
  let store: ExecutionStore;
  let other: ExecutionStore;

  beforeEach(async () => {
    [store, other] = await open();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  describe('begin', () => {
    test('begin creates the row', async () => {
      const before = Date.now();
      const wanted = task({
        kind: 'agent',
        mode: 'STRUCTURED',
        name: 'summarise ✓',
        parentId: 'parent-1',
        tenant: 'acme',
        workflowId: 'wf/1',
        runId: 'run-1',
        input: { b: 1, a: [null, 'x'] },
      });
      const begun = await store.begin(wanted);
      expect(begun).toEqual({
        ...wanted,
        status: 'RUNNING',
        attempt: 1,
        revision: 1,
        startedAt: expect.any(Date),
      });
      expect(begun.startedAt.getTime()).toBeGreaterThanOrEqual(before);
      expect(begun.startedAt.getTime()).toBeLessThanOrEqual(Date.now());
      expect(await other.get(wanted.id)).toEqual(begun);
    });

    test('begin returns no field for a value that is not set', async () => {
      const begun = await store.begin(task());
      expect(Object.keys(begun).sort()).toEqual(
        ['attempt', 'id', 'kind', 'mode', 'revision', 'startedAt', 'status'].sort(),
      );
    });

    test('beginning the same attempt again changes nothing', async () => {
      const wanted = task({ attempt: 2, name: 'first' });
      const begun = await store.begin(wanted);
      expect(await other.begin({ ...wanted, name: 'second' })).toEqual(begun);
    });

    test('a newer attempt is RUNNING, and keeps the start and every field that it does not set', async () => {
      const wanted = task({ name: 'a', runId: 'run-1', input: 1 });
      const first = await store.begin(wanted);
      await store.setStatus(wanted.id, 1, 'WAITING');
      const second = await store.begin({ ...task({ id: wanted.id }), attempt: 5, runId: 'run-2' });
      expect(second).toEqual({ ...first, attempt: 5, runId: 'run-2', revision: expect.any(Number) });
      expect(second.revision).toBeGreaterThan(first.revision);
    });

    test('a begin without an attempt begins the next one', async () => {
      const wanted = task({ attempt: 3 });
      await store.begin(wanted);
      expect((await store.begin({ ...wanted, attempt: undefined })).attempt).toBe(4);
    });

    test('beginning an older attempt is rejected with SUPERSEDED', async () => {
      const wanted = task({ attempt: 3 });
      await store.begin(wanted);
      expect(await codeOf(store.begin({ ...wanted, attempt: 2 }))).toBe('SUPERSEDED');
    });

    test('an attempt far above the previous one is rejected, so that no caller uses up the attempts of an id', async () => {
      expect(await codeOf(store.begin(task({ attempt: 2 ** 31 - 1 })))).toBe('BAD_USER_INPUT');
      const wanted = task({ attempt: 10_000 });
      await store.begin(wanted);
      expect(await codeOf(store.begin({ ...wanted, attempt: 20_001 }))).toBe('BAD_USER_INPUT');
      expect((await store.begin({ ...wanted, attempt: 20_000 })).attempt).toBe(20_000);
    });

    test('a row whose result was not kept has resultOmitted', async () => {
      const wanted = task();
      await store.begin(wanted);
      expect((await store.get(wanted.id))?.resultOmitted).toBeUndefined();
      await store.finish(wanted.id, 1, { status: 'SUCCESS', resultOmitted: true });
      expect(await store.get(wanted.id)).toMatchObject({ status: 'SUCCESS', resultOmitted: true });
    });

    test('after the end, no attempt begins', async () => {
      const wanted = task();
      await store.begin(wanted);
      await store.finish(wanted.id, 1, { status: 'SUCCESS' });
      for (const attempt of [undefined, 1, 2]) {
        expect(await codeOf(store.begin({ ...wanted, attempt }))).toBe('ENDED');
      }
      expect((await store.get(wanted.id))?.status).toBe('SUCCESS');
    });

    test('an id that another tenant owns is FORBIDDEN, whatever other field is invalid', async () => {
      const wanted = task({ tenant: 'acme' });
      await store.begin(wanted);
      expect(await codeOf(store.begin({ ...wanted, tenant: 'other' }))).toBe('FORBIDDEN');
      expect(await codeOf(store.begin({ ...wanted, tenant: undefined }))).toBe('FORBIDDEN');
      expect(await codeOf(store.begin({ ...wanted, tenant: 'other', kind: 'agent' }))).toBe('FORBIDDEN');
      const mine = task();
      await store.begin(mine);
      expect(await codeOf(store.begin({ ...mine, tenant: 'other', attempt: 2 }))).toBe('FORBIDDEN');
    });

    test('an attempt with another kind or mode is rejected', async () => {
      const wanted = task();
      await store.begin(wanted);
      expect(await codeOf(store.begin({ ...wanted, kind: 'agent' }))).toBe('BAD_USER_INPUT');
      expect(await codeOf(store.begin({ ...wanted, mode: 'STRUCTURED' }))).toBe('BAD_USER_INPUT');
    });

    test('values that a row cannot store are rejected, not altered', async () => {
      for (const bad of [
        { id: 'no spaces' },
        { id: '' },
        { parentId: 'a\0' },
        { attempt: 0 },
        { attempt: 1.5 },
        { attempt: 2 ** 31 },
        { name: 'a\0b' },
        { name: '\ud800' },
        { tenant: 'a\0' },
        { workflowId: '\udc00x' },
        { runId: '\0' },
      ]) {
        expect([bad, await codeOf(store.begin(task(bad)))]).toEqual([bad, 'BAD_USER_INPUT']);
      }
    });

    test('twenty concurrent begins without an attempt get different attempts', async () => {
      const wanted = task();
      const begun = await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 ? store : other).begin(wanted)),
      );
      const attempts = begun.map((row) => row.attempt).sort((a, b) => a - b);
      expect(attempts).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    });

    test('concurrent begins of the same attempt create one row, which all return', async () => {
      const wanted = task({ attempt: 1 });
      const begun = await Promise.all(
        Array.from({ length: 10 }, (_, i) => (i % 2 ? store : other).begin(wanted)),
      );
      expect(new Set(begun.map((row) => JSON.stringify(row))).size).toBe(1);
    });
  });

  describe('expected heartbeats', () => {
    /** The ids from which heartbeats are expected, read in pages of `limit`. */
    async function expecting(ids: readonly string[], limit = 1_000): Promise<string[]> {
      const expectingIds: string[] = [];
      for (let after: string | undefined; ; ) {
        const page = await other.expectingHeartbeats(after, limit);
        expectingIds.push(...page.map(({ id }) => id));
        if (page.length < limit) return expectingIds.filter((id) => ids.includes(id));
        after = page.at(-1)!.id;
      }
    }

    test('only open executions from which heartbeats are expected are listed, ordered by id', async () => {
      const prefix = newId();
      const ids = ['c', 'a', 'B', 'd', 'e'].map((suffix) => `${prefix}:${suffix}`);
      for (const id of ids) await store.begin(task({ id, expectsHeartbeats: true }));
      const plain = await store.begin(task());
      await store.finish(ids[3]!, 1, { status: 'SUCCESS' });
      await store.setStatus(ids[4]!, 1, 'WAITING');
      const expected = [ids[2], ids[1], ids[0], ids[4]];
      for (const limit of [1, 2, 1_000]) expect(await expecting([...ids, plain.id], limit)).toEqual(expected);
      expect(await store.get(ids[0]!)).toHaveProperty('expectsHeartbeats', true);
      expect(plain).not.toHaveProperty('expectsHeartbeats');
    });

    test('the list has the fields by which a source is recognised, and no large ones', async () => {
      const id = newId();
      const wanted = { id, kind: 'workflow', mode: 'STRUCTURED', workflowId: 'wf/1', input: 'x' } as const;
      await store.begin({ ...wanted, expectsHeartbeats: true });
      const listed = (await other.expectingHeartbeats(undefined, 1_000)).find((row) => row.id === id);
      expect(listed).toEqual({ id, kind: 'workflow', workflowId: 'wf/1' });
    });

    test('after an abandon, heartbeats are expected only once the next attempt begins', async () => {
      const wanted = task({ expectsHeartbeats: true });
      const { id } = await store.begin(wanted);
      await store.abandon(id, 2);
      expect(await expecting([id])).toEqual([id]);
      await store.abandon(id, 1);
      expect(await expecting([id])).toEqual([]);
      expect(await other.get(id)).toMatchObject({ status: 'RUNNING', expectsHeartbeats: false });
      await store.begin({ ...wanted, attempt: 2 });
      expect(await expecting([id])).toEqual([id]);
    });

    test('an execution that has ended cannot be abandoned', async () => {
      const { id } = await store.begin(task({ expectsHeartbeats: true }));
      const ended = await store.finish(id, 1, { status: 'SUCCESS' });
      await store.abandon(id, 1);
      expect(await other.get(id)).toEqual(ended);
    });

    test('a begin without expectsHeartbeats keeps the expectation', async () => {
      const wanted = task({ expectsHeartbeats: true });
      const { id } = await store.begin(wanted);
      await store.begin({ ...wanted, expectsHeartbeats: undefined, attempt: 2 });
      expect(await expecting([id])).toEqual([id]);
    });

    test('a publisher that begins the row’s current attempt sets the expectation', async () => {
      const wanted = task({ attempt: 1 });
      const { id } = await store.begin(wanted);
      const row = await store.begin({ ...wanted, expectsHeartbeats: true });
      expect(row).toMatchObject({ attempt: 1, expectsHeartbeats: true });
      expect(await expecting([id])).toEqual([id]);
      expect(await store.begin({ ...wanted, expectsHeartbeats: true })).toEqual(row);
    });
  });

  describe('undoBegin', () => {
    test('undoBegin removes a row that the begin created', async () => {
      const wanted = task({ expectsHeartbeats: true });
      const begun = await store.begin(wanted);
      expect(await other.undoBegin(begun, undefined)).toBe(true);
      expect(await store.get(begun.id)).toBeUndefined();
      expect((await store.begin(wanted)).attempt).toBe(1);
    });

    test('undoBegin restores the previous attempt, whatever the new one changed', async () => {
      const wanted = task({ name: 'first', input: { a: 1 }, runId: 'run-1' });
      await store.begin(wanted);
      await store.setStatus(wanted.id, 1, 'WAITING');
      const before = (await store.get(wanted.id))!;
      const second = { name: 'second', input: 2, runId: 'run-2', parentId: 'p', workflowId: 'w' };
      const begun = await store.begin({ ...wanted, ...second, attempt: 2, expectsHeartbeats: true });
      expect(await other.undoBegin(begun, before)).toBe(true);
      expect(await store.get(wanted.id)).toEqual({ ...before, revision: begun.revision + 1 });
    });

    test('undoBegin does nothing if the row has changed since the begin', async () => {
      const created = await store.begin(task());
      await store.setStatus(created.id, 1, 'PAUSED');
      expect(await store.undoBegin(created, undefined)).toBe(false);
      expect((await store.get(created.id))?.status).toBe('PAUSED');

      const before = await store.begin(task());
      const begun = await store.begin({ ...task({ id: before.id }), attempt: 2 });
      await other.begin({ ...task({ id: before.id }), attempt: 3 });
      expect(await store.undoBegin(begun, before)).toBe(false);
      expect((await store.get(before.id))?.attempt).toBe(3);

      const ended = await store.begin(task());
      await store.finish(ended.id, 1, { status: 'SUCCESS' });
      expect(await store.undoBegin(ended, undefined)).toBe(false);
    });

    test('undoBegin does nothing if the row changed between the read and the begin', async () => {
      const stale = await store.begin(task());
      await store.setStatus(stale.id, 1, 'WAITING');
      const begun = await store.begin({ ...task({ id: stale.id }), attempt: 2 });
      expect(await store.undoBegin(begun, stale)).toBe(false);
      expect((await store.get(stale.id))?.attempt).toBe(2);
    });
  });

  describe('setStatus', () => {
    test('setStatus changes the status and the revision of an open execution', async () => {
      const { id, revision } = await store.begin(task());
      expect(await store.setStatus(id, 1, 'PAUSED')).toBe(true);
      const row = await other.get(id);
      expect(row?.status).toBe('PAUSED');
      expect(row?.revision).toBeGreaterThan(revision);
    });

    test('setStatus does nothing for another attempt, an ended execution, or none', async () => {
      const { id } = await store.begin(task({ attempt: 2 }));
      expect(await store.setStatus(id, 1, 'PAUSED')).toBe(false);
      expect(await store.setStatus(id, 3, 'PAUSED')).toBe(false);
      await store.finish(id, 2, { status: 'CANCELED', error: { message: 'no more' } });
      expect(await store.setStatus(id, 2, 'RUNNING')).toBe(false);
      expect(await store.setStatus(newId(), 1, 'RUNNING')).toBe(false);
      expect((await store.get(id))?.status).toBe('CANCELED');
    });
  });

  describe('finish', () => {
    test('finish stores the result and usage of a success', async () => {
      const begun = await store.begin(task());
      const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3, model: 'm', costUsd: 0.25 };
      const ended = await store.finish(begun.id, 1, { status: 'SUCCESS', result: { a: 1 }, usage });
      expect(ended).toEqual({
        ...begun,
        status: 'SUCCESS',
        result: { a: 1 },
        usage,
        revision: begun.revision + 1,
        finishedAt: expect.any(Date),
      });
      expect(await other.get(begun.id)).toEqual(ended);
    });

    test('finish stores the error of every other end', async () => {
      for (const status of ['FAILED', 'CANCELED', 'TIMED_OUT', 'TERMINATED'] as const) {
        const { id } = await store.begin(task());
        const error = { message: 'NUL \0 and half \ud83d of a pair', code: 'X' };
        const ended = await store.finish(id, 1, { status, error });
        expect(ended).toMatchObject({ status, error });
        expect(ended).not.toHaveProperty('result');
      }
    });

    test('a result of null differs from no result', async () => {
      const [a, b] = [await store.begin(task()), await store.begin(task())];
      expect(await store.finish(a.id, 1, { status: 'SUCCESS', result: null })).toHaveProperty('result', null);
      expect(await store.finish(b.id, 1, { status: 'SUCCESS' })).not.toHaveProperty('result');
    });

    test('the first end wins', async () => {
      const { id } = await store.begin(task());
      const first = await store.finish(id, 1, { status: 'SUCCESS', result: 'first' });
      expect(await other.finish(id, 1, { status: 'FAILED', error: { message: 'late' } })).toEqual(first);
    });

    test('finishing an attempt that is not the current one changes nothing', async () => {
      const begun = await store.begin(task({ attempt: 2 }));
      expect(await store.finish(begun.id, 1, { status: 'SUCCESS' })).toEqual(begun);
      expect(await store.finish(begun.id, 3, { status: 'SUCCESS' })).toEqual(begun);
    });

    test('finish returns undefined if there is no row', async () => {
      expect(await store.finish(newId(), 1, { status: 'SUCCESS' })).toBeUndefined();
    });

    test('of twenty concurrent ends exactly one wins, and all return it', async () => {
      const { id, revision } = await store.begin(task());
      const ends = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          (i % 2 ? store : other).finish(id, 1, { status: 'SUCCESS', result: i }),
        ),
      );
      expect(new Set(ends.map((row) => row?.result)).size).toBe(1);
      expect(ends[0]?.revision).toBe(revision + 1);
    });

    test('of a concurrent end and new attempt, one wins', async () => {
      for (let round = 0; round < 10; round++) {
        const wanted = task();
        await store.begin(wanted);
        const [begun, ended] = await Promise.all([
          codeOf(store.begin(wanted)),
          other.finish(wanted.id, 1, { status: 'SUCCESS' }),
        ]);
        const row = (await store.get(wanted.id)) as Execution;
        if (begun === 'ENDED') expect(row).toMatchObject({ status: 'SUCCESS', attempt: 1 });
        else expect(row).toMatchObject({ status: 'RUNNING', attempt: 2 });
        expect(ended?.status).toBe(row.status);
      }
    });
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
        const wanted = task({ input: text });
        const { id } = await store.begin(wanted);
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

  describe('markEnd', () => {
    test('markEnd stores the position of the terminal event, once the execution has ended', async () => {
      const { id } = await store.begin(task());
      await store.markEnd(id, { seq: 7, epoch: 'abcdefghij' });
      expect(await store.get(id)).not.toHaveProperty('end');
      const ended = await store.finish(id, 1, { status: 'SUCCESS' });
      await store.markEnd(id, { seq: 7, epoch: 'abcdefghij' });
      const marked = await other.get(id);
      expect(marked).toEqual({
        ...ended,
        end: { seq: 7, epoch: 'abcdefghij' },
        revision: expect.any(Number),
      });
      expect(marked?.revision).toBeGreaterThan(ended?.revision ?? 0);
    });

    test('markEnd with the same position changes nothing; a new epoch of the log replaces it', async () => {
      const { id } = await store.begin(task());
      await store.finish(id, 1, { status: 'SUCCESS' });
      await store.markEnd(id, { seq: 7, epoch: 'abcdefghij' });
      const marked = await store.get(id);
      await store.markEnd(id, { seq: 7, epoch: 'abcdefghij' });
      expect(await store.get(id)).toEqual(marked);
      await store.markEnd(id, { seq: 7, epoch: 'zzzzzzzzzz' });
      expect((await store.get(id))?.end).toEqual({ seq: 7, epoch: 'zzzzzzzzzz' });
    });

    test('markEnd of an unknown execution does nothing', async () => {
      await store.markEnd(newId(), { seq: 1, epoch: 'abcdefghij' });
    });
  });

  describe('list', () => {
    async function pages(first: number, query: ExecutionFilter): Promise<string[]> {
      const ids: string[] = [];
      let after: ListPosition | undefined;
      for (;;) {
        const page = await store.list({ ...query, first, after });
        expect(page.executions.length).toBeLessThanOrEqual(first);
        ids.push(...page.executions.map((row) => row.id));
        if (!page.hasNextPage) return ids;
        expect(page.executions.length).toBe(first);
        after = page.executions.at(-1);
      }
    }

    test('a list is newest first with every page size', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_123 });
      const tenant = newId();
      const ids: string[] = [];
      for (let i = 0; i < 7; i++) {
        vi.setSystemTime(Date.now() + 1);
        ids.unshift((await store.begin(task({ tenant }))).id);
      }
      for (const first of [1, 2, 3, 7, 100]) expect(await pages(first, { tenants: [tenant] })).toEqual(ids);
    });

    test('executions with equal times are listed by id, and no page repeats or loses one', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_000 });
      const tenant = newId();
      const suffixes = ['a', 'B', 'Z', 'b', '1', '~', '_', '-', 'a1', 'A'];
      const ids = suffixes.map((suffix) => `${tenant}:${suffix}`);
      for (const id of ids) await store.begin(task({ id, tenant }));
      const sorted = [...ids].sort().reverse();
      for (const first of [1, 3, 10]) expect(await pages(first, { tenants: [tenant] })).toEqual(sorted);
    });

    test('a list continues after an execution that no longer matches, and ignores new ones', async () => {
      const tenant = newId();
      const ids: string[] = [];
      for (let i = 0; i < 4; i++) ids.unshift((await store.begin(task({ id: `${tenant}:${i}`, tenant }))).id);
      const page = await store.list({ tenants: [tenant], status: 'RUNNING', first: 2 });
      const after = page.executions.at(-1)!;
      await store.finish(after.id, 1, { status: 'SUCCESS' });
      const next = await store.list({ tenants: [tenant], status: 'RUNNING', first: 2, after });
      expect(next.executions.map((row) => row.id)).toEqual(ids.slice(2));
      expect(next.hasNextPage).toBe(false);
    });

    test('a list is filtered by kind, status and tenant', async () => {
      const [tenant, stranger] = [newId(), newId()];
      const a = await store.begin(task({ tenant, kind: 'agent' }));
      const b = await store.begin(task({ tenant }));
      await store.begin(task({ tenant: stranger }));
      await store.finish(b.id, 1, { status: 'SUCCESS' });
      const idsOf = async (query: object) =>
        (await store.list({ tenants: [tenant], first: 10, ...query })).executions.map((row) => row.id);
      expect((await idsOf({})).sort()).toEqual([a.id, b.id].sort());
      expect(await idsOf({ kind: 'agent' })).toEqual([a.id]);
      expect(await idsOf({ status: 'SUCCESS' })).toEqual([b.id]);
      expect(await idsOf({ status: 'SUCCESS', kind: 'agent' })).toEqual([]);
      const everyone = (await store.list({ first: 100 })).executions.map((row) => row.tenant);
      expect(everyone).toContain(stranger);
    });

    test('a list contains several tenants, and executions without a tenant if null is one of them', async () => {
      const [one, two] = [newId(), newId()];
      const a = await store.begin(task({ tenant: one }));
      const b = await store.begin(task({ tenant: two }));
      const c = await store.begin(task());
      const idsOf = async (tenants: (string | null)[]) =>
        (await store.list({ tenants, first: 100 })).executions.map((row) => row.id);
      expect((await idsOf([one, two])).sort()).toEqual([a.id, b.id].sort());
      expect(await idsOf([one, null])).toEqual(expect.arrayContaining([a.id, c.id]));
      expect(await idsOf([one, null])).not.toContain(b.id);
      expect(await idsOf([])).toEqual([]);
      expect(await idsOf(['a\0b', '\ud800'])).toEqual([]);
    });

    test('a list of named executions contains these ids and prefixes, without other wildcards', async () => {
      const tenant = newId();
      const names = ['a-1', 'a-2', 'a_3', 'b-1', 'a', 'a~', 'B-1'];
      for (const name of names) await store.begin(task({ id: `${tenant}${name}`, tenant }));
      const namesOf = async (...ids: string[]) => {
        const { executions } = await store.list({ tenants: [tenant], ids, first: 100 });
        return executions.map(({ id }) => id.slice(tenant.length)).sort();
      };
      expect(await namesOf(`${tenant}a-*`)).toEqual(['a-1', 'a-2']);
      expect(await namesOf(`${tenant}a*`)).toEqual(['a', 'a-1', 'a-2', 'a_3', 'a~']);
      expect(await namesOf(`${tenant}a_*`)).toEqual(['a_3']);
      expect(await namesOf(`${tenant}a~*`, `${tenant}b-1`)).toEqual(['a~', 'b-1']);
      expect(await namesOf('*')).toEqual([...names].sort());
      expect(await namesOf(`${tenant}a%*`, `${tenant}*x`, 'a\0*', '', `${'x'.repeat(300)}*`)).toEqual([]);
      expect(await namesOf()).toEqual([]);
    });

    test('a list continues after a position without an execution, and after a complete millisecond', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_000 });
      const tenants = [newId()];
      const tenant = tenants[0]!;
      for (const suffix of ['a', 'c']) await store.begin(task({ id: `${tenant}:${suffix}`, tenant }));
      vi.setSystemTime(Date.now() - 1);
      await store.begin(task({ id: `${tenant}:older`, tenant }));
      const idsAfter = async (position: ListPosition) =>
        (await store.list({ tenants, first: 10, after: position })).executions.map(({ id }) => id);
      const startedAt = new Date(1_700_000_000_000);
      expect(await idsAfter({ startedAt, id: `${tenant}:b` })).toEqual([`${tenant}:a`, `${tenant}:older`]);
      expect(await idsAfter({ startedAt })).toEqual([`${tenant}:older`]);
      for (const far of [-62_135_596_800_000, 8.64e15]) {
        const expected = far > 0 ? [`${tenant}:c`, `${tenant}:a`, `${tenant}:older`] : [];
        expect(await idsAfter({ startedAt: new Date(far), id: 'x' })).toEqual(expected);
      }
    });

    test('a list leaves out input, result and error', async () => {
      const tenant = newId();
      const { id } = await store.begin(task({ tenant, input: { a: 1 }, name: 'n' }));
      const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };
      await store.finish(id, 1, { status: 'SUCCESS', result: 'x'.repeat(100), usage });
      await store.markEnd(id, { seq: 3, epoch: 'abcdefghij' });
      const { input: _, result: __, ...summary } = (await store.get(id))!;
      expect((await store.list({ tenants: [tenant], first: 1 })).executions).toEqual([summary]);
      expect(await other.getMany([id])).toEqual([summary]);
    });

    test('a list rejects pages of fewer than 1 or more than 101', async () => {
      for (const first of [0, -1, 102, 1.5, Number.NaN]) {
        expect(await codeOf(store.list({ first }))).toBe('BAD_USER_INPUT');
      }
    });
  });

  test('ended returns which executions have ended, with any status', async () => {
    const ids = [newId(), newId(), newId()];
    for (const id of ids) await store.begin({ id, kind: 'agent', mode: 'TEXT' });
    expect(await store.ended(ids)).toEqual([]);
    await store.finish(ids[0]!, 1, { status: 'SUCCESS', result: 'x' });
    await store.finish(ids[2]!, 1, { status: 'CANCELED', error: { message: 'm' } });
    expect([...(await other.ended([...ids, newId()]))].sort()).toEqual([ids[0], ids[2]].sort());
    expect(await store.ended([])).toEqual([]);
  });

  describe('childrenOf', () => {
    const idsOf = (page: ExecutionPage | undefined) => page?.executions.map((row) => row.id) ?? [];

    test('childrenOf returns the executions begun under each parent, oldest first', async () => {
      const [one, two] = [newId(), newId()];
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) {
        ids.push((await store.begin(task({ id: `${one}:${i}`, parentId: one }))).id);
      }
      const last = await store.begin(task({ parentId: two }));
      await store.begin(task({ parentId: newId() }));
      const pages = await other.childrenOf([one, two, newId(), one], { first: 10 });
      expect(idsOf(pages.get(one))).toEqual(ids);
      expect(idsOf(pages.get(two))).toEqual([last.id]);
      expect(idsOf((await store.childrenOf([newId()], { first: 1 })).values().next().value)).toEqual([]);
      expect(await store.childrenOf([], { first: 1 })).toEqual(new Map());
    });

    test('childrenOf has a limit for each parent, and continues after a position', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_000 });
      const parents = [newId(), newId()];
      for (const parentId of parents) {
        for (let i = 0; i < 5; i++) await store.begin(task({ id: `${parentId}:${i}`, parentId }));
      }
      const pages = await store.childrenOf(parents, { first: 2 });
      for (const parentId of parents) {
        expect(idsOf(pages.get(parentId))).toEqual([`${parentId}:0`, `${parentId}:1`]);
        expect(pages.get(parentId)?.hasNextPage).toBe(true);
      }
      const after = pages.get(parents[0]!)!.executions[1]!;
      const rest = await store.childrenOf([parents[0]!], { first: 3, after });
      expect(idsOf(rest.get(parents[0]!))).toEqual(['2', '3', '4'].map((i) => `${parents[0]}:${i}`));
      expect(rest.get(parents[0]!)?.hasNextPage).toBe(false);
    });

    test('childrenOf with tenants and ids does not count other children', async () => {
      const parentId = newId();
      for (let i = 0; i < 5; i++) await store.begin(task({ parentId, tenant: 'other' }));
      const mine = await store.begin(task({ parentId, tenant: 'acme' }));
      const open = await store.begin(task({ parentId }));
      const children = async (filter: ExecutionFilter) =>
        idsOf((await store.childrenOf([parentId], { first: 2, ...filter })).get(parentId));
      expect(await children({ tenants: ['acme'] })).toEqual([mine.id]);
      expect((await children({ tenants: ['acme', null] })).sort()).toEqual([mine.id, open.id].sort());
      expect(await children({ ids: [open.id] })).toEqual([open.id]);
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

  test('getMany returns those executions that exist, each once', async () => {
    const [a, b] = [await store.begin(task()), await store.begin(task())];
    const summaries = await other.getMany([b.id, newId(), a.id, b.id]);
    expect(summaries.map(({ id }) => id).sort()).toEqual([a.id, b.id].sort());
    expect(await store.getMany([])).toEqual([]);
  });

  test('an execution does not begin under a parent of another tenant', async () => {
    const parent = await store.begin(task({ tenant: 'acme' }));
    const foreign = task({ tenant: 'globex', parentId: parent.id });
    expect(await codeOf(store.begin(foreign))).toBe('FORBIDDEN');
    expect(await store.get(foreign.id)).toBeUndefined();
    const moved = await store.begin(task({ tenant: 'globex' }));
    expect(await codeOf(store.begin({ ...moved, attempt: 2, parentId: parent.id }))).toBe('FORBIDDEN');
    expect(await other.get(moved.id)).toEqual(moved);
  });

  test('an execution begins under a parent of its tenant, one without a tenant, and one that does not exist yet', async () => {
    const [mine, shared] = [await store.begin(task({ tenant: 'acme' })), await store.begin(task())];
    for (const parentId of [mine.id, shared.id, newId()]) {
      expect(await store.begin(task({ tenant: 'acme', parentId }))).toMatchObject({ parentId });
    }
    expect(await store.begin(task({ parentId: mine.id }))).toMatchObject({ parentId: mine.id });
  });

  test('an invalid execution id is rejected before any read', async () => {
    for (const id of ['', 'a\0b', 'a b', 'x'.repeat(201)]) {
      expect(await codeOf(store.get(id))).toBe('BAD_USER_INPUT');
      expect(await codeOf(store.finish(id, 1, { status: 'SUCCESS' }))).toBe('BAD_USER_INPUT');
      expect(await codeOf(store.setStatus(id, 1, 'RUNNING'))).toBe('BAD_USER_INPUT');
      expect(await codeOf(store.markEnd(id, { seq: 1, epoch: 'abcdefghij' }))).toBe('BAD_USER_INPUT');
      expect(await codeOf(store.childrenOf([id], { first: 1 }))).toBe('BAD_USER_INPUT');
      expect(await codeOf(store.getMany([id]))).toBe('BAD_USER_INPUT');
      expect(await codeOf(store.contents([id], 'result', 1))).toBe('BAD_USER_INPUT');
    }
    expect(await store.get(newId())).toBeUndefined();
    const many = Array.from({ length: 1_001 }, () => 'a');
    expect(await codeOf(store.getMany(many))).toBe('BAD_USER_INPUT');
    expect(await codeOf(store.childrenOf(['a'], { first: 102 }))).toBe('BAD_USER_INPUT');
  });

  test('a ping succeeds', async () => {
    await store.ping();
  });
}
