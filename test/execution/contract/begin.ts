// The contract of beginning executions and attempts, and of undoing a begin.
import { beforeEach, describe, expect, test } from 'vitest';
import type { ExecutionStore } from '../../../src/execution/store.ts';
import { codeOf, newId, type OpenStores, task } from './fixtures.ts';

export function beginContract(open: OpenStores): void {
  let store: ExecutionStore;
  let other: ExecutionStore;

  beforeEach(async () => {
    [store, other] = await open();
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
}
