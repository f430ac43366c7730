// Permission is checked for every subscription and every replay, before any event is read.
import { describe, expect, it } from 'vitest';
import type { Permission } from '../../src/execution/permission.ts';
import { setUp, unavailable } from './harness.ts';

async function withPermission(permission: () => Permission) {
  const checks: string[] = [];
  const world = await setUp({
    authorize: (caller, execution) => {
      checks.push(`${caller.id} ${execution.id}`);
      return permission();
    },
  });
  return { ...world, checks };
}

describe('permission', () => {
  it('permission is checked at every open, and names the permission class', async () => {
    const { open, checks } = await withPermission(() => ({ read: 'granted', class: 'staff' }));
    const viewers = [await open(), await open({ caller: { id: 'ann' } }), await open({ after: { seq: 0 } })];
    expect(checks).toEqual(['anonymous agent-1', 'ann agent-1', 'anonymous agent-1']);
    expect(viewers.map(({ permissionClass }) => permissionClass)).toEqual(['staff', 'staff', 'staff']);
  });

  it('a permission that is revoked is missing at the next open, although other viewers are open', async () => {
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

  it('permission is not checked for an execution that is unknown or of another kind', async () => {
    const { open, log, checks } = await withPermission(() => ({ read: 'granted' }));
    await expect(open({ executionId: 'agent-2' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(open({ kind: 'task' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect([checks, log.calls]).toEqual([[], []]);
  });

  it('a permission check that fails, or an unavailable store, rejects the viewer and leaves nothing behind', async () => {
    const { open, store, log, tails } = await withPermission(() => {
      throw unavailable('unavailable');
    });
    await expect(open()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    store.isAway = true;
    await expect(open()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    expect([log.calls, tails.size]).toEqual([[], 0]);
  });
});
