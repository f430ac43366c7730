// The contract of status changes and ends.
import { beforeEach, describe, expect, test } from 'vitest';
import type { Execution, ExecutionStore } from '../../../src/execution/store.ts';
import { codeOf, newId, type OpenStores, task } from './fixtures.ts';

export function endContract(open: OpenStores): void {
  let store: ExecutionStore;
  let other: ExecutionStore;

  beforeEach(async () => {
    [store, other] = await open();
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
    test('finish stores the time of the end, if it is given', async () => {
      const { id } = await store.begin(task());
      const finishedAt = new Date(1_700_000_000_123);
      await store.finish(id, 1, { status: 'SUCCESS', finishedAt });
      expect((await other.get(id))?.finishedAt).toEqual(finishedAt);
    });

    test('finish stores the result and usage of a success', async () => {
      const row = await store.begin(task());
      const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3, model: 'm', costUsd: 0.25 };
      const ended = await store.finish(row.id, 1, { status: 'SUCCESS', result: { a: 1 }, usage });
      expect(ended).toEqual({
        ...row,
        status: 'SUCCESS',
        result: { a: 1 },
        usage,
        revision: row.revision + 1,
        finishedAt: expect.any(Date),
      });
      expect(await other.get(row.id)).toEqual(ended);
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
      const row = await store.begin(task({ attempt: 2 }));
      expect(await store.finish(row.id, 1, { status: 'SUCCESS' })).toEqual(row);
      expect(await store.finish(row.id, 3, { status: 'SUCCESS' })).toEqual(row);
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
        const request = task();
        await store.begin(request);
        const [code, ended] = await Promise.all([
          codeOf(store.begin(request)),
          other.finish(request.id, 1, { status: 'SUCCESS' }),
        ]);
        const row = (await store.get(request.id)) as Execution;
        if (code === 'ENDED') expect(row).toMatchObject({ status: 'SUCCESS', attempt: 1 });
        else expect(row).toMatchObject({ status: 'RUNNING', attempt: 2 });
        expect(ended?.status).toBe(row.status);
      }
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
}
