// Permission is asked at every subscribe and every replay, before any event is read (ARCHITECTURE.md, invariant 10).
import { describe, expect, it } from 'vitest';
import type { Permission } from '../../src/execution/permission.ts';
import { setUp, unavailable } from './harness.ts';

async function withPermission(permission: () => Permission) {
  const asked: string[] = [];
  const world = await setUp({
    authorize: (caller, execution) => {
      asked.push(`${caller.id} ${execution.id}`);
      return permission();
    },
  });
  return { ...world, asked };
}

describe('permission', () => {
  it('is asked at every open, and names the class of what may be shared', async () => {
    const { open, asked } = await withPermission(() => ({ read: 'granted', class: 'staff' }));
    const viewers = [await open(), await open({ caller: { id: 'ann' } }), await open({ after: { seq: 0 } })];
    expect(asked).toEqual(['anonymous agent-1', 'ann agent-1', 'anonymous agent-1']);
    expect(viewers.map(({ permissionClass }) => permissionClass)).toEqual(['staff', 'staff', 'staff']);
  });

  it('that is taken away is missed at the next open, though others watch', async () => {
    let permission: Permission = { read: 'granted' };
    const { open } = await withPermission(() => permission);
    await open();
    permission = { read: 'denied' };
    await expect(open()).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it.each([
    ['denied', 'FORBIDDEN'],
    ['hidden', 'NOT_FOUND'],
  ] as const)('that is %s is %s, before the log is touched', async (read, code) => {
    const { open, log, tails, followed } = await withPermission(() => ({ read }));
    await expect(open()).rejects.toMatchObject({ code });
    expect([log.calls, tails.size, followed.ever]).toEqual([[], 0, 0]);
  });

  it('is not even asked for an execution that is unknown or of another kind', async () => {
    const { open, log, asked } = await withPermission(() => ({ read: 'granted' }));
    await expect(open({ executionId: 'agent-2' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(open({ kind: 'task' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect([asked, log.calls]).toEqual([[], []]);
  });

  it('that cannot be asked for, or a store that is away, refuses and leaves nothing behind', async () => {
    const { open, store, log, tails } = await withPermission(() => {
      throw unavailable('no answer');
    });
    await expect(open()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    store.isAway = true;
    await expect(open()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    expect([log.calls, tails.size]).toEqual([[], 0]);
  });
});
