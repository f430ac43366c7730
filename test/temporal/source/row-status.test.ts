// The status of the row of an open workflow.
import { expect, test } from 'vitest';
import { createRowStatus } from '../../../src/temporal/source/row-status.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { historyEvent } from './history-samples.ts';

const PAUSED = historyEvent(['WORKFLOW_EXECUTION_PAUSED', {}], 5);
const UNPAUSED = historyEvent(['WORKFLOW_EXECUTION_UNPAUSED', {}], 6);
const TIMER = historyEvent(['TIMER_FIRED', {}], 7);

async function setUp() {
  const store = createMemoryStore();
  await store.begin({ id: 'w', kind: 'workflow', mode: 'STRUCTURED', workflowId: 'w', runId: 'r1' });
  const rowStatus = createRowStatus({ store, executionId: 'w' });
  const stored = async () => (await store.get('w'))?.status;
  return { store, rowStatus, stored };
}

test('a row is PAUSED while its workflow is paused, whatever the workflow has emitted', async () => {
  const { rowStatus, stored } = await setUp();
  await rowStatus.set('WAITING');
  await rowStatus.observe([PAUSED, TIMER]);
  expect(await stored()).toBe('PAUSED');
  await rowStatus.set('PENDING');
  expect(await stored()).toBe('PAUSED');
  await rowStatus.observe([TIMER]);
  expect(await stored()).toBe('PAUSED');
  await rowStatus.observe([UNPAUSED, TIMER]);
  expect(await stored()).toBe('PENDING');
});

test('a pause that is over when the history is read leaves the status that the workflow emits next', async () => {
  const { rowStatus, stored } = await setUp();
  await rowStatus.observe([PAUSED, TIMER, UNPAUSED]);
  expect(await stored()).toBe('RUNNING');
  await rowStatus.set('WAITING');
  expect(await stored()).toBe('WAITING');
});

test('a pause that another reader has stored ends with the history', async () => {
  const { store, rowStatus, stored } = await setUp();
  await rowStatus.set('WAITING');
  await store.setStatus('w', 1, 'PAUSED');
  await rowStatus.observe([UNPAUSED]);
  expect(await stored()).toBe('WAITING');
});

test('final statuses are left to the end of the workflow', async () => {
  const { rowStatus, stored } = await setUp();
  await rowStatus.set('SUCCESS');
  expect(await stored()).toBe('RUNNING');
});
