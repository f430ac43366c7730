// The contract of lists, children and reads by id.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { pinnedRunKey } from '../../../src/event/execution-key.ts';
import { patternFor } from '../../../src/execution/id-patterns.ts';
import type {
  ExecutionFilter,
  ExecutionPage,
  ExecutionStore,
  ListPosition,
} from '../../../src/execution/store.ts';
import { codeOf, newId, type OpenStores, task } from './fixtures.ts';

export function listContract(open: OpenStores): void {
  let store: ExecutionStore;
  let other: ExecutionStore;

  beforeEach(async () => {
    [store, other] = await open();
  });

  afterEach(() => {
    vi.useRealTimers();
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

    test('the row of a pinned run is in no list', async () => {
      const tenant = newId();
      const parent = await store.begin(task({ tenant }));
      const workflow = { kind: 'workflow', mode: 'STRUCTURED', tenant, parentId: parent.id } as const;
      const { id } = await store.begin({ ...task(), ...workflow, workflowId: 'w' });
      const key = pinnedRunKey(id, '01a20483-4f89-7122-a2dc-a89593dd9aaf');
      await store.begin({ ...workflow, id: key, workflowId: 'w' });
      await store.setStatus(key, 1, 'WAITING');
      expect(await pages(10, { tenants: [tenant] })).toEqual([id, parent.id]);
      const children = await store.childrenOf([parent.id], { first: 10 });
      expect(children.get(parent.id)?.executions.map((row) => row.id)).toEqual([id]);
      expect((await store.countChildren?.([parent.id], {}))?.get(parent.id)).toBe(1);
      expect((await store.getMany([id, key])).map(({ status }) => status).toSorted()).toEqual([
        'RUNNING',
        'WAITING',
      ]);
      expect((await store.openWorkflows?.(undefined, 1_000))?.map((row) => row.id)).toContain(key);
      await store.finish(key, 1, { status: 'SUCCESS', result: 1 });
      await store.markEnd(key, { seq: 2, epoch: 'abcdefghij' });
      expect(await store.get(key)).toMatchObject({ status: 'SUCCESS', result: 1, end: { seq: 2 } });
      expect((await store.contents([key], 'result', 100)).get(key)?.value).toBe(1);
      expect(await store.get(id)).toMatchObject({ status: 'RUNNING' });
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
      const [tenant, otherTenant] = [newId(), newId()];
      const a = await store.begin(task({ tenant, kind: 'agent' }));
      const b = await store.begin(task({ tenant }));
      await store.begin(task({ tenant: otherTenant }));
      await store.finish(b.id, 1, { status: 'SUCCESS' });
      const idsOf = async (query: object) =>
        (await store.list({ tenants: [tenant], first: 10, ...query })).executions.map((row) => row.id);
      expect((await idsOf({})).sort()).toEqual([a.id, b.id].sort());
      expect(await idsOf({ kind: 'agent' })).toEqual([a.id]);
      expect(await idsOf({ status: 'SUCCESS' })).toEqual([b.id]);
      expect(await idsOf({ status: 'SUCCESS', kind: 'agent' })).toEqual([]);
      const allTenants = (await store.list({ first: 100 })).executions.map((row) => row.tenant);
      expect(allTenants).toContain(otherTenant);
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

    test('a list of named executions contains ids of all scripts, and an id with a wildcard alone if it is escaped', async () => {
      const tenant = newId();
      const names = ['é1', 'é2', 'ê', '🙂', '🙂a', '\ud7ff', '\ue000', '\u{10ffff}', '*', '*a', '\\*'];
      for (const name of names) await store.begin(task({ id: `${tenant}${name}`, tenant }));
      const namesOf = async (...patterns: string[]) => {
        const ids = patterns.map((pattern) => `${tenant}${pattern}`);
        const { executions } = await store.list({ tenants: [tenant], ids, first: 100 });
        return executions.map(({ id }) => id.slice(tenant.length)).sort();
      };
      expect(await namesOf('é*')).toEqual(['é1', 'é2']);
      expect(await namesOf('🙂*')).toEqual(['🙂', '🙂a']);
      expect(await namesOf('\ud7ff*')).toEqual(['\ud7ff']);
      expect(await namesOf('\u{10ffff}*')).toEqual(['\u{10ffff}']);
      expect(await namesOf('**')).toEqual(['*', '*a']);
      expect(await namesOf('\\*')).toEqual(['*']);
      expect(await namesOf('\\\\*')).toEqual(['\\*']);
      expect(await namesOf(...names.map(patternFor))).toEqual([...names].sort());
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
      for (const outOfRange of [-62_135_596_800_000, 8.64e15]) {
        const expected = outOfRange > 0 ? [`${tenant}:c`, `${tenant}:a`, `${tenant}:older`] : [];
        expect(await idsAfter({ startedAt: new Date(outOfRange), id: 'x' })).toEqual(expected);
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
      const remaining = await store.childrenOf([parents[0]!], { first: 3, after });
      expect(idsOf(remaining.get(parents[0]!))).toEqual(['2', '3', '4'].map((i) => `${parents[0]}:${i}`));
      expect(remaining.get(parents[0]!)?.hasNextPage).toBe(false);
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
      const count = async (filter: ExecutionFilter) =>
        (await other.countChildren!([parentId], filter)).get(parentId);
      expect(await count({})).toBe(7);
      expect(await count({ tenants: ['acme'] })).toBe(1);
      expect(await count({ tenants: ['acme', null] })).toBe(2);
      expect(await count({ ids: [open.id] })).toBe(1);
      expect((await store.countChildren!([newId()], {})).get('none') ?? 0).toBe(0);
      expect(await store.countChildren!([], {})).toEqual(new Map());
    });
  });

  test('getMany returns those executions that exist, each once', async () => {
    const [a, b] = [await store.begin(task()), await store.begin(task())];
    const summaries = await other.getMany([b.id, newId(), a.id, b.id]);
    expect(summaries.map(({ id }) => id).sort()).toEqual([a.id, b.id].sort());
    expect(await store.getMany([])).toEqual([]);
  });
}
