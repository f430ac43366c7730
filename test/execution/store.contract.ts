// What every ExecutionStore must do: one suite, run over each of them (store.test.ts).
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isExecstreamError } from '../../src/event/error.ts';
import type { JsonValue } from '../../src/event/types.ts';
import type { BeginExecution, Execution, ExecutionStore } from '../../src/execution/store.ts';

/** Opens stores on one database: the second sees what the first wrote (the same one where there can be only one). */
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
    test('makes the row', async () => {
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
      const made = await store.begin(wanted);
      expect(made).toEqual({
        ...wanted,
        status: 'RUNNING',
        attempt: 1,
        revision: 1,
        startedAt: expect.any(Date),
      });
      expect(made.startedAt.getTime()).toBeGreaterThanOrEqual(before);
      expect(made.startedAt.getTime()).toBeLessThanOrEqual(Date.now());
      expect(await other.get(wanted.id)).toEqual(made);
    });

    test('leaves out what is not known, rather than telling null', async () => {
      const made = await store.begin(task());
      expect(Object.keys(made).sort()).toEqual(
        ['attempt', 'id', 'kind', 'mode', 'revision', 'startedAt', 'status'].sort(),
      );
    });

    test('the same attempt again changes nothing', async () => {
      const wanted = task({ attempt: 2, name: 'first' });
      const made = await store.begin(wanted);
      expect(await other.begin({ ...wanted, name: 'second' })).toEqual(made);
    });

    test('a newer attempt runs, keeps the start, and what it does not say anew', async () => {
      const wanted = task({ name: 'a', runId: 'run-1', input: 1 });
      const first = await store.begin(wanted);
      await store.setStatus(wanted.id, 1, 'WAITING');
      const second = await store.begin({ ...task({ id: wanted.id }), attempt: 5, runId: 'run-2' });
      expect(second).toEqual({ ...first, attempt: 5, runId: 'run-2', revision: expect.any(Number) });
      expect(second.revision).toBeGreaterThan(first.revision);
    });

    test('without an attempt, the next one begins', async () => {
      const wanted = task({ attempt: 3 });
      await store.begin(wanted);
      expect((await store.begin({ ...wanted, attempt: undefined })).attempt).toBe(4);
    });

    test('an older attempt is superseded', async () => {
      const wanted = task({ attempt: 3 });
      await store.begin(wanted);
      expect(await codeOf(store.begin({ ...wanted, attempt: 2 }))).toBe('SUPERSEDED');
    });

    test('an attempt far above the one before is rejected, so that no caller uses up the attempts of an id', async () => {
      expect(await codeOf(store.begin(task({ attempt: 2 ** 31 - 1 })))).toBe('BAD_USER_INPUT');
      const wanted = task({ attempt: 10_000 });
      await store.begin(wanted);
      expect(await codeOf(store.begin({ ...wanted, attempt: 20_001 }))).toBe('BAD_USER_INPUT');
      expect((await store.begin({ ...wanted, attempt: 20_000 })).attempt).toBe(20_000);
    });

    test('an end whose result was not kept says so', async () => {
      const wanted = task();
      await store.begin(wanted);
      expect((await store.get(wanted.id))?.resultOmitted).toBeUndefined();
      await store.finish(wanted.id, 1, { status: 'SUCCESS', resultOmitted: true });
      expect(await store.get(wanted.id)).toMatchObject({ status: 'SUCCESS', resultOmitted: true });
    });

    test('nothing begins after the end', async () => {
      const wanted = task();
      await store.begin(wanted);
      await store.finish(wanted.id, 1, { status: 'SUCCESS' });
      for (const attempt of [undefined, 1, 2]) {
        expect(await codeOf(store.begin({ ...wanted, attempt }))).toBe('ENDED');
      }
      expect((await store.get(wanted.id))?.status).toBe('SUCCESS');
    });

    test('an id that another tenant owns is refused, whatever else is wrong', async () => {
      const wanted = task({ tenant: 'acme' });
      await store.begin(wanted);
      expect(await codeOf(store.begin({ ...wanted, tenant: 'other' }))).toBe('FORBIDDEN');
      expect(await codeOf(store.begin({ ...wanted, tenant: undefined }))).toBe('FORBIDDEN');
      expect(await codeOf(store.begin({ ...wanted, tenant: 'other', kind: 'agent' }))).toBe('FORBIDDEN');
      const mine = task();
      await store.begin(mine);
      expect(await codeOf(store.begin({ ...mine, tenant: 'other', attempt: 2 }))).toBe('FORBIDDEN');
    });

    test('an execution keeps its kind and its mode', async () => {
      const wanted = task();
      await store.begin(wanted);
      expect(await codeOf(store.begin({ ...wanted, kind: 'agent' }))).toBe('BAD_USER_INPUT');
      expect(await codeOf(store.begin({ ...wanted, mode: 'STRUCTURED' }))).toBe('BAD_USER_INPUT');
    });

    test('what a row cannot hold is refused, not altered', async () => {
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

    test('begun twenty times at once without an attempt, each gets another', async () => {
      const wanted = task();
      const begun = await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 ? store : other).begin(wanted)),
      );
      const attempts = begun.map((row) => row.attempt).sort((a, b) => a - b);
      expect(attempts).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    });

    test('begun at once with the same attempt, one makes the row and all answer it', async () => {
      const wanted = task({ attempt: 1 });
      const begun = await Promise.all(
        Array.from({ length: 10 }, (_, i) => (i % 2 ? store : other).begin(wanted)),
      );
      expect(new Set(begun.map((row) => JSON.stringify(row))).size).toBe(1);
    });
  });

  describe('expected heartbeats', () => {
    /** Those of `ids` that expect heartbeats, read in pages of `limit`. */
    async function expecting(ids: readonly string[], limit = 1_000): Promise<string[]> {
      const found: string[] = [];
      for (let after: string | undefined; ; ) {
        const page = await other.expectingHeartbeats(after, limit);
        found.push(...page.map(({ id }) => id));
        if (page.length < limit) return found.filter((id) => ids.includes(id));
        after = page.at(-1)!.id;
      }
    }

    test('only open executions that were begun with the expectation are listed, by id', async () => {
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

    test('the list names what a source is recognised by, and nothing large', async () => {
      const id = newId();
      const wanted = { id, kind: 'workflow', mode: 'STRUCTURED', workflowId: 'wf/1', input: 'x' } as const;
      await store.begin({ ...wanted, expectsHeartbeats: true });
      const listed = (await other.expectingHeartbeats(undefined, 1_000)).find((row) => row.id === id);
      expect(listed).toEqual({ id, kind: 'workflow', workflowId: 'wf/1' });
    });

    test('an abandoned attempt expects none until the next one begins', async () => {
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

    test('a begin that says nothing of heartbeats keeps the expectation', async () => {
      const wanted = task({ expectsHeartbeats: true });
      const { id } = await store.begin(wanted);
      await store.begin({ ...wanted, expectsHeartbeats: undefined, attempt: 2 });
      expect(await expecting([id])).toEqual([id]);
    });

    test('a publisher that begins the attempt which the row has already sets the expectation', async () => {
      const wanted = task({ attempt: 1 });
      const { id } = await store.begin(wanted);
      const row = await store.begin({ ...wanted, expectsHeartbeats: true });
      expect(row).toMatchObject({ attempt: 1, expectsHeartbeats: true });
      expect(await expecting([id])).toEqual([id]);
      expect(await store.begin({ ...wanted, expectsHeartbeats: true })).toEqual(row);
    });
  });

  describe('undoBegin', () => {
    test('removes a row that was created, and nothing else is left of it', async () => {
      const wanted = task({ expectsHeartbeats: true });
      const begun = await store.begin(wanted);
      expect(await other.undoBegin(begun, undefined)).toBe(true);
      expect(await store.get(begun.id)).toBeUndefined();
      expect((await store.begin(wanted)).attempt).toBe(1);
    });

    test('restores the attempt before, whatever the new one changed', async () => {
      const wanted = task({ name: 'first', input: { a: 1 }, runId: 'run-1' });
      await store.begin(wanted);
      await store.setStatus(wanted.id, 1, 'WAITING');
      const before = (await store.get(wanted.id))!;
      const second = { name: 'second', input: 2, runId: 'run-2', parentId: 'p', workflowId: 'w' };
      const begun = await store.begin({ ...wanted, ...second, attempt: 2, expectsHeartbeats: true });
      expect(await other.undoBegin(begun, before)).toBe(true);
      expect(await store.get(wanted.id)).toEqual({ ...before, revision: begun.revision + 1 });
    });

    test('does nothing if the row has changed since', async () => {
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

    test('does nothing if the row changed between the read and the begin', async () => {
      const stale = await store.begin(task());
      await store.setStatus(stale.id, 1, 'WAITING');
      const begun = await store.begin({ ...task({ id: stale.id }), attempt: 2 });
      expect(await store.undoBegin(begun, stale)).toBe(false);
      expect((await store.get(stale.id))?.attempt).toBe(2);
    });
  });

  describe('setStatus', () => {
    test('moves an open execution and its revision', async () => {
      const { id, revision } = await store.begin(task());
      expect(await store.setStatus(id, 1, 'PAUSED')).toBe(true);
      const row = await other.get(id);
      expect(row?.status).toBe('PAUSED');
      expect(row?.revision).toBeGreaterThan(revision);
    });

    test('does nothing for an older or a later attempt, an ended execution, or none', async () => {
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
    test('success keeps result and usage', async () => {
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

    test('every other end keeps its error', async () => {
      for (const status of ['FAILED', 'CANCELED', 'TIMED_OUT', 'TERMINATED'] as const) {
        const { id } = await store.begin(task());
        const error = { message: 'NUL \0 and half \ud83d of a pair', code: 'X' };
        const ended = await store.finish(id, 1, { status, error });
        expect(ended).toMatchObject({ status, error });
        expect(ended).not.toHaveProperty('result');
      }
    });

    test('a result of null is a result, and none is none', async () => {
      const [a, b] = [await store.begin(task()), await store.begin(task())];
      expect(await store.finish(a.id, 1, { status: 'SUCCESS', result: null })).toHaveProperty('result', null);
      expect(await store.finish(b.id, 1, { status: 'SUCCESS' })).not.toHaveProperty('result');
    });

    test('the first end wins', async () => {
      const { id } = await store.begin(task());
      const first = await store.finish(id, 1, { status: 'SUCCESS', result: 'first' });
      expect(await other.finish(id, 1, { status: 'FAILED', error: { message: 'late' } })).toEqual(first);
    });

    test('an attempt that is not the current one ends nothing', async () => {
      const begun = await store.begin(task({ attempt: 2 }));
      expect(await store.finish(begun.id, 1, { status: 'SUCCESS' })).toEqual(begun);
      expect(await store.finish(begun.id, 3, { status: 'SUCCESS' })).toEqual(begun);
    });

    test('answers undefined where there is no row', async () => {
      expect(await store.finish(newId(), 1, { status: 'SUCCESS' })).toBeUndefined();
    });

    test('ended twenty times at once, exactly one end wins and all answer it', async () => {
      const { id, revision } = await store.begin(task());
      const ends = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          (i % 2 ? store : other).finish(id, 1, { status: 'SUCCESS', result: i }),
        ),
      );
      expect(new Set(ends.map((row) => row?.result)).size).toBe(1);
      expect(ends[0]?.revision).toBe(revision + 1);
    });

    test('an end and a new attempt at once: one of them wins', async () => {
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

  describe('results come back byte for byte', () => {
    const texts: Record<string, string> = {
      'line breaks': 'a\r\nb\rc\nd\u2028e\u2029',
      'white space at the ends': ' \t x \n ',
      NUL: 'a\0b\u0001\u001f\u007f',
      'lone surrogates': '\ud83d|\ude00|\udc00\ud800',
      emoji: '👩‍👩‍👧‍👦🏳️‍🌈',
      'what looks like escapes': '\\u0000 \\x00 \\ " \' %s $1',
      'a byte order mark': '\ufeffx\ufffe\uffff',
      'not normalised': 'é vs e\u0301',
      empty: '',
    };
    for (const [name, text] of Object.entries(texts)) {
      test(name, async () => {
        const wanted = task({ input: text });
        const { id } = await store.begin(wanted);
        await store.finish(id, 1, { status: 'SUCCESS', result: text });
        const row = await other.get(id);
        expect(row?.result === text).toBe(true);
        expect(row?.input === text).toBe(true);
      });
    }

    test('every code unit', async () => {
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

    test('5 MB', async () => {
      const text = 'wörd 😀 '.repeat(450_000);
      const { id } = await store.begin(task());
      await store.finish(id, 1, { status: 'SUCCESS', result: text });
      expect((await other.get(id))?.result === text).toBe(true);
    });
  });

  describe('markEnd', () => {
    test('notes where the terminal event stands, once the execution has ended', async () => {
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

    test('again with the same place changes nothing; a new incarnation of the log moves it', async () => {
      const { id } = await store.begin(task());
      await store.finish(id, 1, { status: 'SUCCESS' });
      await store.markEnd(id, { seq: 7, epoch: 'abcdefghij' });
      const marked = await store.get(id);
      await store.markEnd(id, { seq: 7, epoch: 'abcdefghij' });
      expect(await store.get(id)).toEqual(marked);
      await store.markEnd(id, { seq: 7, epoch: 'zzzzzzzzzz' });
      expect((await store.get(id))?.end).toEqual({ seq: 7, epoch: 'zzzzzzzzzz' });
    });

    test('of an unknown execution does nothing', async () => {
      await store.markEnd(newId(), { seq: 1, epoch: 'abcdefghij' });
    });
  });

  describe('list', () => {
    async function pages(
      first: number,
      query: { tenant: string; kind?: 'agent' | 'task' },
    ): Promise<string[]> {
      const ids: string[] = [];
      for (;;) {
        const page = await store.list({ ...query, first, after: ids.at(-1) });
        expect(page.executions.length).toBeLessThanOrEqual(first);
        ids.push(...page.executions.map((row) => row.id));
        if (!page.hasNextPage) return ids;
        expect(page.executions.length).toBe(first);
      }
    }

    test('is newest first, whatever the size of its pages', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_123 });
      const tenant = newId();
      const ids: string[] = [];
      for (let i = 0; i < 7; i++) {
        vi.setSystemTime(Date.now() + 1);
        ids.unshift((await store.begin(task({ tenant }))).id);
      }
      for (const first of [1, 2, 3, 7, 100]) expect(await pages(first, { tenant })).toEqual(ids);
    });

    test('of equal times is in the order of ids, and no page repeats or loses one', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_000 });
      const tenant = newId();
      const suffixes = ['a', 'B', 'Z', 'b', '1', '~', '_', '-', 'a1', 'A'];
      const ids = suffixes.map((suffix) => `${tenant}:${suffix}`);
      for (const id of ids) await store.begin(task({ id, tenant }));
      const sorted = [...ids].sort().reverse();
      for (const first of [1, 3, 10]) expect(await pages(first, { tenant })).toEqual(sorted);
    });

    test('goes on after an execution that no longer matches, and past new ones', async () => {
      const tenant = newId();
      const ids: string[] = [];
      for (let i = 0; i < 4; i++) ids.unshift((await store.begin(task({ id: `${tenant}:${i}`, tenant }))).id);
      const page = await store.list({ tenant, status: 'RUNNING', first: 2 });
      const after = page.executions.at(-1)?.id as string;
      await store.finish(after, 1, { status: 'SUCCESS' });
      const next = await store.list({ tenant, status: 'RUNNING', first: 2, after });
      expect(next.executions.map((row) => row.id)).toEqual(ids.slice(2));
      expect(next.hasNextPage).toBe(false);
    });

    test('keeps to kind, status and tenant', async () => {
      const [tenant, stranger] = [newId(), newId()];
      const a = await store.begin(task({ tenant, kind: 'agent' }));
      const b = await store.begin(task({ tenant }));
      await store.begin(task({ tenant: stranger }));
      await store.finish(b.id, 1, { status: 'SUCCESS' });
      const idsOf = async (query: object) =>
        (await store.list({ tenant, first: 10, ...query })).executions.map((row) => row.id);
      expect((await idsOf({})).sort()).toEqual([a.id, b.id].sort());
      expect(await idsOf({ kind: 'agent' })).toEqual([a.id]);
      expect(await idsOf({ status: 'SUCCESS' })).toEqual([b.id]);
      expect(await idsOf({ status: 'SUCCESS', kind: 'agent' })).toEqual([]);
      const everyone = (await store.list({ first: 100 })).executions.map((row) => row.tenant);
      expect(everyone).toContain(stranger);
    });

    test('refuses an `after` that is not there, and one of another tenant alike', async () => {
      const { id } = await store.begin(task({ tenant: 'acme' }));
      expect(await codeOf(store.list({ first: 1, after: newId() }))).toBe('BAD_USER_INPUT');
      expect(await codeOf(store.list({ first: 1, after: id, tenant: 'other' }))).toBe('BAD_USER_INPUT');
    });

    test('refuses a page of none and of more than 100', async () => {
      for (const first of [0, -1, 101, 1.5, Number.NaN]) {
        expect(await codeOf(store.list({ first }))).toBe('BAD_USER_INPUT');
      }
    });
  });

  test('which of some have ended, whatever the end', async () => {
    const ids = [newId(), newId(), newId()];
    for (const id of ids) await store.begin({ id, kind: 'agent', mode: 'TEXT' });
    expect(await store.ended(ids)).toEqual([]);
    await store.finish(ids[0]!, 1, { status: 'SUCCESS', result: 'x' });
    await store.finish(ids[2]!, 1, { status: 'CANCELED', error: { message: 'm' } });
    expect([...(await other.ended([...ids, newId()]))].sort()).toEqual([ids[0], ids[2]].sort());
    expect(await store.ended([])).toEqual([]);
  });

  test('children are those begun under it, oldest first', async () => {
    const parentId = newId();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push((await store.begin(task({ id: `${parentId}:${i}`, parentId }))).id);
    await store.begin(task({ parentId: newId() }));
    expect((await other.children(parentId)).map((row) => row.id)).toEqual(ids);
    expect(await store.children(newId())).toEqual([]);
  });

  test('what is not an execution id is refused before any look-up', async () => {
    for (const id of ['', 'a\0b', 'a b', 'x'.repeat(201)]) {
      expect(await codeOf(store.get(id))).toBe('BAD_USER_INPUT');
      expect(await codeOf(store.finish(id, 1, { status: 'SUCCESS' }))).toBe('BAD_USER_INPUT');
      expect(await codeOf(store.setStatus(id, 1, 'RUNNING'))).toBe('BAD_USER_INPUT');
      expect(await codeOf(store.markEnd(id, { seq: 1, epoch: 'abcdefghij' }))).toBe('BAD_USER_INPUT');
      expect(await codeOf(store.children(id))).toBe('BAD_USER_INPUT');
    }
    expect(await store.get(newId())).toBeUndefined();
  });

  test('answers a ping', async () => {
    await store.ping();
  });
}
