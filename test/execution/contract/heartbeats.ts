// The contract of the pages that sweeps read: expected heartbeats, and open workflows.
import { beforeEach, describe, expect, test } from 'vitest';
import type { ExecutionStore } from '../../../src/execution/store.ts';
import { newId, type OpenStores, task } from './fixtures.ts';

export function heartbeatContract(open: OpenStores): void {
  let store: ExecutionStore;
  let other: ExecutionStore;

  beforeEach(async () => {
    [store, other] = await open();
  });

  test('open workflows of Temporal are listed page by page, ordered by id, without large fields', async () => {
    const prefix = newId();
    const workflow = (suffix: string) => {
      const id = `${prefix}:${suffix}`;
      return task({ id, kind: 'workflow', mode: 'STRUCTURED', workflowId: id, runId: 'r', input: 1 });
    };
    const rows = [];
    for (const suffix of ['b', 'a', 'C', 'ended']) rows.push(await store.begin(workflow(suffix)));
    await store.finish(rows[3]!.id, 1, { status: 'SUCCESS' });
    await store.begin(task({ id: `${prefix}:agent`, kind: 'agent', workflowId: 'w' }));
    await store.begin(task({ id: `${prefix}:plain`, kind: 'workflow', mode: 'STRUCTURED' }));
    for (const limit of [1, 1_000]) {
      const found = [];
      for (let after: string | undefined; ; ) {
        const page = await other.openWorkflows!(after, limit);
        found.push(...page.filter(({ id }) => id.startsWith(prefix)));
        if (page.length < limit) break;
        after = page.at(-1)!.id;
      }
      const [b, a, c] = rows.map(({ input: _, ...summary }) => summary);
      expect(found).toEqual([c, a, b]);
    }
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
      const request = { id, kind: 'workflow', mode: 'STRUCTURED', workflowId: 'wf/1', input: 'x' } as const;
      await store.begin({ ...request, expectsHeartbeats: true });
      const entry = (await other.expectingHeartbeats(undefined, 1_000)).find((row) => row.id === id);
      expect(entry).toEqual({ id, kind: 'workflow', workflowId: 'wf/1' });
    });

    test('after an abandon, heartbeats are expected only once the next attempt begins', async () => {
      const request = task({ expectsHeartbeats: true });
      const { id } = await store.begin(request);
      await store.abandon(id, 2);
      expect(await expecting([id])).toEqual([id]);
      await store.abandon(id, 1);
      expect(await expecting([id])).toEqual([]);
      expect(await other.get(id)).toMatchObject({ status: 'RUNNING', expectsHeartbeats: false });
      await store.begin({ ...request, attempt: 2 });
      expect(await expecting([id])).toEqual([id]);
    });

    test('an execution that has ended cannot be abandoned', async () => {
      const { id } = await store.begin(task({ expectsHeartbeats: true }));
      const ended = await store.finish(id, 1, { status: 'SUCCESS' });
      await store.abandon(id, 1);
      expect(await other.get(id)).toEqual(ended);
    });

    test('a begin without expectsHeartbeats keeps the expectation', async () => {
      const request = task({ expectsHeartbeats: true });
      const { id } = await store.begin(request);
      await store.begin({ ...request, expectsHeartbeats: undefined, attempt: 2 });
      expect(await expecting([id])).toEqual([id]);
    });

    test('a publisher that begins the row’s current attempt sets the expectation', async () => {
      const request = task({ attempt: 1 });
      const { id } = await store.begin(request);
      const row = await store.begin({ ...request, expectsHeartbeats: true });
      expect(row).toMatchObject({ attempt: 1, expectsHeartbeats: true });
      expect(await expecting([id])).toEqual([id]);
      expect(await store.begin({ ...request, expectsHeartbeats: true })).toEqual({
        ...row,
        revision: row.revision + 1,
      });
    });
  });
}
