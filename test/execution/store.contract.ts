// The contract of every ExecutionStore: one suite, run over each of them (store.test.ts).
import { beforeEach, expect, test } from 'vitest';
import type { ExecutionStore } from '../../src/execution/store.ts';
import { beginContract } from './contract/begin.ts';
import { contentContract } from './contract/content.ts';
import { endContract } from './contract/ends.ts';
import { codeOf, newId, type OpenStores } from './contract/fixtures.ts';
import { heartbeatContract } from './contract/heartbeats.ts';
import { listContract } from './contract/lists.ts';

export function storeContract(open: OpenStores): void {
  let store: ExecutionStore;

  beforeEach(async () => {
    [store] = await open();
  });

  beginContract(open);
  heartbeatContract(open);
  endContract(open);
  contentContract(open);
  listContract(open);

  test('an invalid execution id is rejected before any read', async () => {
    for (const id of ['', 'a\0b', 'a\ud800', 'x'.repeat(1_001), '~execstream/x']) {
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
