// Which logs of ended workflows are restored.
import { beforeEach, expect, test } from 'vitest';
import type { BeginExecution } from '../../../src/execution/store.ts';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { createRestoreLog } from '../../../src/temporal/source/restore-log.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

const log = createMemoryLog();
const TS = '2026-11-28T10:00:00.000Z';
const END = { type: 'complete', ts: TS, data: { status: 'SUCCESS', durationMs: 1 } } as const;

let copied: string[];
beforeEach(() => {
  copied = [];
});

let count = 0;

async function setUp(more: Partial<BeginExecution> = {}) {
  const store = createMemoryStore();
  count += 1;
  const id = `w${count}`;
  await store.begin({ id, kind: 'workflow', mode: 'STRUCTURED', workflowId: id, ...more });
  await store.finish(id, 1, { status: 'SUCCESS' });
  await store.markEnd(id, { seq: 3, epoch: 'formerepoch' });
  /** Copies a history of one event. */
  const copy = async (executionId: string): Promise<void> => {
    copied.push(executionId);
    const { head } = (await log.open(executionId, { numbering: 'fixed', attempt: 1 })) as {
      head: { epoch: string };
    };
    await log.append(executionId, { epoch: head.epoch, acknowledged: 0, events: [{ ...END, seq: 1 }] });
  };
  const restoreLog = createRestoreLog({ log, store, copy });
  return { id, copy, restore: async () => restoreLog((await store.get(id))!) };
}

test('a log that is missing is copied again, and the row gets the position of the end', async () => {
  const { id, restore } = await setUp();
  const row = await restore();
  expect(copied).toEqual([id]);
  const { epoch, end } = (await log.head(id))!;
  expect(row).toMatchObject({ status: 'SUCCESS', end: { seq: end, epoch } });
  // It is complete now.
  expect(await restore()).toBeUndefined();
  expect(copied).toEqual([id]);
});

test('a log that lacks its end is copied again', async () => {
  const { id, restore } = await setUp();
  await log.open(id, { numbering: 'fixed', attempt: 1 });
  expect(await restore()).toMatchObject({ end: { seq: 1 } });
  expect(copied).toEqual([id]);
});

test('a log that was copied before the row got the position of its end is not copied again', async () => {
  const { id, copy, restore } = await setUp();
  await copy(id);
  expect(await restore()).toMatchObject({ end: { seq: 1, epoch: (await log.head(id))!.epoch } });
  expect(copied).toEqual([id]);
});

test.each<[string, Partial<BeginExecution>]>([
  ['of an agent that a workflow runs', { kind: 'agent' }],
  ['of a workflow that Temporal does not know', { workflowId: '' }],
  ['of a workflow that was published', { expectsHeartbeats: true }],
  ['of a workflow whose publisher has given up', { expectsHeartbeats: false }],
])('the log %s is not copied', async (_, more) => {
  const { workflowId, ...rest } = more;
  const { restore } = await setUp(workflowId === '' ? { ...rest, workflowId: undefined as never } : more);
  expect(await restore()).toBeUndefined();
  expect(copied).toEqual([]);
});

test('a log that a publisher numbers is not copied', async () => {
  const { id, restore } = await setUp();
  await log.open(id, { numbering: 'auto', attempt: 1, publisher: 'p' });
  expect(await restore()).toBeUndefined();
  expect(copied).toEqual([]);
});
