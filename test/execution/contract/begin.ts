// The contract of beginning executions and attempts, and of undoing a begin.
import { beforeEach, describe, expect, test } from 'vitest';
import type { ExecutionStore } from '../../../src/execution/store.ts';
import { DIFFICULT_IDS, LONGEST_IDS } from '../../support/execution-ids.ts';
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
      const request = task({
        kind: 'agent',
        mode: 'STRUCTURED',
        name: 'summarise ✓',
        parentId: 'parent-1',
        tenant: 'acme',
        workflowId: 'wf/1',
        runId: 'run-1',
        input: { b: 1, a: [null, 'x'] },
      });
      const row = await store.begin(request);
      expect(row).toEqual({
        ...request,
        status: 'RUNNING',
        attempt: 1,
        revision: 1,
        incarnation: expect.any(String),
        startedAt: expect.any(Date),
      });
      expect(row.startedAt.getTime()).toBeGreaterThanOrEqual(before);
      expect(row.startedAt.getTime()).toBeLessThanOrEqual(Date.now());
      expect(await other.get(request.id)).toEqual(row);
    });

    test('begin returns no field for a value that is not set', async () => {
      const row = await store.begin(task());
      expect(Object.keys(row).sort()).toEqual([
        'attempt',
        'id',
        'incarnation',
        'kind',
        'mode',
        'revision',
        'startedAt',
        'status',
      ]);
    });

    describe('with a start', () => {
      const at = (ms: number) => new Date(1_700_000_000_000 + ms);
      const run = (id: string, runId: string, ms: number) =>
        task({
          id,
          kind: 'workflow',
          mode: 'STRUCTURED',
          workflowId: id,
          runId,
          startedAt: at(ms),
          attempt: 1,
        });

      test('the row has that start', async () => {
        const id = newId();
        expect((await store.begin(run(id, 'r1', 5))).startedAt).toEqual(at(5));
        expect((await other.get(id))?.startedAt).toEqual(at(5));
      });

      test('a later execution under the same id replaces the row, whether that has ended or not', async () => {
        for (const isEnded of [true, false]) {
          const id = newId();
          const first = await store.begin({ ...run(id, 'r1', 0), name: 'first', input: 1 });
          if (isEnded) await store.finish(id, 1, { status: 'SUCCESS', result: 1, finishedAt: at(5) });
          const second = await other.begin(run(id, 'r2', 10));
          expect(second.incarnation).not.toBe(first.incarnation);
          expect(await store.get(id)).toEqual(second);
          expect(second).toEqual({
            ...run(id, 'r2', 10),
            ...{ status: 'RUNNING', revision: 1, incarnation: expect.any(String) },
          });
          // The same begin again changes nothing.
          expect(await store.begin(run(id, 'r2', 10))).toEqual(second);
        }
      });

      test('a run that starts after the end of the row replaces it, also with the same run id', async () => {
        const id = newId();
        const first = await store.begin(run(id, 'r1', 0));
        await store.finish(id, 1, { status: 'SUCCESS', finishedAt: at(5) });
        expect(await codeOf(store.begin(run(id, 'r1', 5)))).toBe('ENDED');
        const second = await store.begin(run(id, 'r1', 6));
        expect(second).toMatchObject({ status: 'RUNNING', startedAt: at(6) });
        expect(second.incarnation).not.toBe(first.incarnation);
      });

      test('an earlier execution is superseded, and no attempt of it begins', async () => {
        const id = newId();
        await store.begin(run(id, 'r2', 10));
        for (const attempt of [1, 2]) {
          expect(await codeOf(store.begin({ ...run(id, 'r1', 0), attempt }))).toBe('SUPERSEDED');
        }
        expect(await store.get(id)).toMatchObject({ runId: 'r2', attempt: 1 });
        const next = await store.begin({ ...run(id, 'r2', 10), attempt: 2 });
        expect(next).toMatchObject({ runId: 'r2', attempt: 2, startedAt: at(10) });
      });

      test('the row of another tenant, workflow or kind, or without a start, is not replaced', async () => {
        const id = newId();
        await store.begin(run(id, 'r1', 0));
        const later = run(id, 'r2', 10);
        expect(await codeOf(store.begin({ ...later, tenant: 'acme' }))).toBe('FORBIDDEN');
        expect(await codeOf(store.begin({ ...later, kind: 'agent' }))).toBe('BAD_USER_INPUT');
        const { startedAt: _, ...undated } = later;
        for (const kept of [undated, { ...later, workflowId: 'other' }]) {
          expect(await store.begin(kept)).toMatchObject({ runId: 'r1', startedAt: at(0) });
        }
      });
    });

    test('a row that was removed and created again has another incarnation', async () => {
      const first = await store.begin(task({ id: 'removed' }));
      expect(await store.undoBegin(first, undefined)).toBe(true);
      const second = await store.begin(task({ id: 'removed' }));
      expect(second.incarnation).not.toBe(first.incarnation);
      expect((await other.begin(task({ id: 'removed' }))).incarnation).toBe(second.incarnation);
    });

    test('beginning the same attempt again changes nothing', async () => {
      const request = task({ attempt: 2, name: 'first' });
      const row = await store.begin(request);
      expect(await other.begin({ ...request, name: 'second' })).toEqual(row);
    });

    test('a newer attempt is RUNNING, and keeps the start and every field that it does not set', async () => {
      const request = task({ name: 'a', runId: 'run-1', input: 1 });
      const first = await store.begin(request);
      await store.setStatus(request.id, 1, 'WAITING');
      const second = await store.begin({ ...task({ id: request.id }), attempt: 5, runId: 'run-2' });
      expect(second).toEqual({ ...first, attempt: 5, runId: 'run-2', revision: expect.any(Number) });
      expect(second.revision).toBeGreaterThan(first.revision);
    });

    test('a begin without an attempt begins the next one', async () => {
      const request = task({ attempt: 3 });
      await store.begin(request);
      expect((await store.begin({ ...request, attempt: undefined })).attempt).toBe(4);
    });

    test('beginning an older attempt is rejected with SUPERSEDED', async () => {
      const request = task({ attempt: 3 });
      await store.begin(request);
      expect(await codeOf(store.begin({ ...request, attempt: 2 }))).toBe('SUPERSEDED');
    });

    test('an attempt far above the previous one is rejected, so that no caller uses up the attempts of an id', async () => {
      expect(await codeOf(store.begin(task({ attempt: 2 ** 31 - 1 })))).toBe('BAD_USER_INPUT');
      const request = task({ attempt: 10_000 });
      await store.begin(request);
      expect(await codeOf(store.begin({ ...request, attempt: 20_001 }))).toBe('BAD_USER_INPUT');
      expect((await store.begin({ ...request, attempt: 20_000 })).attempt).toBe(20_000);
    });

    test('a row whose result was not kept has resultOmitted', async () => {
      const request = task();
      await store.begin(request);
      expect((await store.get(request.id))?.resultOmitted).toBeUndefined();
      await store.finish(request.id, 1, { status: 'SUCCESS', resultOmitted: true });
      expect(await store.get(request.id)).toMatchObject({ status: 'SUCCESS', resultOmitted: true });
    });

    test('after the end, no attempt begins', async () => {
      const request = task();
      await store.begin(request);
      await store.finish(request.id, 1, { status: 'SUCCESS' });
      for (const attempt of [undefined, 1, 2]) {
        expect(await codeOf(store.begin({ ...request, attempt }))).toBe('ENDED');
      }
      expect((await store.get(request.id))?.status).toBe('SUCCESS');
    });

    test('an id that another tenant owns is FORBIDDEN, whatever other field is invalid', async () => {
      const request = task({ tenant: 'acme' });
      await store.begin(request);
      expect(await codeOf(store.begin({ ...request, tenant: 'other' }))).toBe('FORBIDDEN');
      expect(await codeOf(store.begin({ ...request, tenant: undefined }))).toBe('FORBIDDEN');
      expect(await codeOf(store.begin({ ...request, tenant: 'other', kind: 'agent' }))).toBe('FORBIDDEN');
      const own = task();
      await store.begin(own);
      expect(await codeOf(store.begin({ ...own, tenant: 'other', attempt: 2 }))).toBe('FORBIDDEN');
    });

    test('an attempt with another kind or mode is rejected', async () => {
      const request = task();
      await store.begin(request);
      expect(await codeOf(store.begin({ ...request, kind: 'agent' }))).toBe('BAD_USER_INPUT');
      expect(await codeOf(store.begin({ ...request, mode: 'STRUCTURED' }))).toBe('BAD_USER_INPUT');
    });

    test('values that a row cannot store are rejected, not altered', async () => {
      for (const invalid of [
        { id: 'a\ud800' },
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
        expect([invalid, await codeOf(store.begin(task(invalid)))]).toEqual([invalid, 'BAD_USER_INPUT']);
      }
    });

    test('every id that Temporal accepts is stored unchanged, also as a parent, and listed', async () => {
      const tenant = newId();
      const ids = Object.values(DIFFICULT_IDS).map((id) => `${tenant}${id}`);
      // Two code units are up to one pair.
      ids.push(...LONGEST_IDS.map((id) => `${tenant}${id.slice(2 * tenant.length)}`));
      for (const id of ids) {
        await store.begin(task({ id, tenant, workflowId: id }));
        await store.begin(task({ id: `${newId()}`, tenant, parentId: id }));
        expect(await store.get(id)).toMatchObject({ id, workflowId: id });
        const page = await store.childrenOf([id], { first: 10 });
        expect([...page.values()].flatMap(({ executions }) => executions)).toMatchObject([{ parentId: id }]);
      }
      const { executions } = await store.list({ tenants: [tenant], ids, first: 100 });
      expect(executions.map(({ id }) => id).sort()).toEqual(ids.sort());
    });

    test('twenty concurrent begins without an attempt get different attempts', async () => {
      const request = task();
      const rows = await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 ? store : other).begin(request)),
      );
      const attempts = rows.map((row) => row.attempt).sort((a, b) => a - b);
      expect(attempts).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    });

    test('concurrent begins of the same attempt create one row, which all return', async () => {
      const request = task({ attempt: 1 });
      const rows = await Promise.all(
        Array.from({ length: 10 }, (_, i) => (i % 2 ? store : other).begin(request)),
      );
      expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(1);
    });
  });

  describe('undoBegin', () => {
    test('undoBegin removes a row that the begin created', async () => {
      const request = task({ expectsHeartbeats: true });
      const row = await store.begin(request);
      expect(await other.undoBegin(row, undefined)).toBe(true);
      expect(await store.get(row.id)).toBeUndefined();
      expect((await store.begin(request)).attempt).toBe(1);
    });

    test('undoBegin restores the previous attempt, whatever the new one changed', async () => {
      const request = task({ name: 'first', input: { a: 1 }, runId: 'run-1' });
      await store.begin(request);
      await store.setStatus(request.id, 1, 'WAITING');
      const before = (await store.get(request.id))!;
      const second = { name: 'second', input: 2, runId: 'run-2', parentId: 'p', workflowId: 'w' };
      const row = await store.begin({ ...request, ...second, attempt: 2, expectsHeartbeats: true });
      expect(await other.undoBegin(row, before)).toBe(true);
      expect(await store.get(request.id)).toEqual({ ...before, revision: row.revision + 1 });
    });

    test('undoBegin does nothing if the row has changed since the begin', async () => {
      const created = await store.begin(task());
      await store.setStatus(created.id, 1, 'PAUSED');
      expect(await store.undoBegin(created, undefined)).toBe(false);
      expect((await store.get(created.id))?.status).toBe('PAUSED');

      const before = await store.begin(task());
      const row = await store.begin({ ...task({ id: before.id }), attempt: 2 });
      await other.begin({ ...task({ id: before.id }), attempt: 3 });
      expect(await store.undoBegin(row, before)).toBe(false);
      expect((await store.get(before.id))?.attempt).toBe(3);

      const ended = await store.begin(task());
      await store.finish(ended.id, 1, { status: 'SUCCESS' });
      expect(await store.undoBegin(ended, undefined)).toBe(false);
    });

    test('undoBegin does nothing if another publisher began the same attempt, whichever of both fails', async () => {
      const request = task({ attempt: 1, expectsHeartbeats: true });
      const [created, kept] = [await store.begin(request), await other.begin(request)];
      expect(kept).toEqual({ ...created, revision: kept.revision });
      expect(await store.undoBegin(created, undefined)).toBe(false);
      expect(await other.undoBegin(kept, undefined)).toBe(false);

      const second = { ...request, attempt: 2 };
      const [begun, again] = [await store.begin(second), await other.begin(second)];
      expect(await store.undoBegin(begun, kept)).toBe(false);
      expect(await other.undoBegin(again, kept)).toBe(false);
      expect(await store.get(request.id)).toEqual(again);
    });

    test('undoBegin does nothing if the row changed between the read and the begin', async () => {
      const stale = await store.begin(task());
      await store.setStatus(stale.id, 1, 'WAITING');
      const row = await store.begin({ ...task({ id: stale.id }), attempt: 2 });
      expect(await store.undoBegin(row, stale)).toBe(false);
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
    const [own, shared] = [await store.begin(task({ tenant: 'acme' })), await store.begin(task())];
    for (const parentId of [own.id, shared.id, newId()]) {
      expect(await store.begin(task({ tenant: 'acme', parentId }))).toMatchObject({ parentId });
    }
    expect(await store.begin(task({ parentId: own.id }))).toMatchObject({ parentId: own.id });
  });
}
