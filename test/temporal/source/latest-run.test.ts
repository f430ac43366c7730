// The row of the latest run under an id, when recording an end takes time, without a server.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { OpenStatus } from '../../../src/event/events.ts';
import type { Execution } from '../../../src/execution/store.ts';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { formatCopyNote } from '../../../src/temporal/source/copy-note.ts';
import { createLatestRun, type LatestRunOptions } from '../../../src/temporal/source/latest-run.ts';
import type { WorkflowRun } from '../../../src/temporal/source/temporal-client.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { RUN } from './history-samples.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const CLOSED: WorkflowRun = { ...RUN, isOpen: false, status: 'FAILED', closedAt: 5_000 };

async function setUp(
  run: WorkflowRun,
  settle: (store: ReturnType<typeof createMemoryStore>) => Promise<void>,
) {
  const [log, store] = [createMemoryLog(), createMemoryStore()];
  const row = await store.begin({
    ...{ id: 'w', kind: 'workflow', mode: 'STRUCTURED', attempt: 1, workflowId: 'w', runId: 'r1' },
    startedAt: new Date(1_000),
  });
  const replaced: (Execution | undefined)[] = [];
  const resolution = {
    refOf: async () => ({ namespace: 'default', workflowId: 'w' }),
    async begin() {
      replaced.push(await store.get('w'));
      return { ...row, runId: run.runId };
    },
  } as unknown as LatestRunOptions['resolution'];
  const { latest } = createLatestRun({
    ...{ log, store, resolution, onReplace() {} },
    temporal: { describe: async (ref) => (ref.runId === undefined ? run : RUN) },
    settle: () => settle(store),
  });
  return { row, store, log, latest, replaced };
}

test('a state has the status that Temporal reports if the end is not recorded in time', async () => {
  const { row, store, latest } = await setUp(CLOSED, () => new Promise(() => {}));
  const state = latest(row, 'state');
  await vi.advanceTimersByTimeAsync(3_500);
  expect(await state).toMatchObject({ runId: 'r1', status: 'FAILED', finishedAt: new Date(5_000) });
  expect(await store.get('w')).toMatchObject({ status: 'RUNNING' });
});

test('a state is not delayed until the watcher that records the end has stopped', async () => {
  const { row, latest } = await setUp(CLOSED, async (store) => {
    await store.finish('w', 1, { status: 'FAILED', error: { message: 'no' } });
    await new Promise(() => {});
  });
  const state = latest(row, 'state');
  await vi.advanceTimersByTimeAsync(20);
  expect(await state).toMatchObject({ status: 'FAILED' });
});

test('a row is replaced once the terminal event of the former run is in the log', async () => {
  const next: WorkflowRun = { ...RUN, runId: 'r2', firstRunId: 'r2', startedAt: 9_000 };
  const { row, latest, replaced } = await setUp(next, async (store) => {
    await store.finish('w', 1, { status: 'TERMINATED', error: { message: 'enough' } });
    setTimeout(() => store.markEnd('w', { seq: 2, epoch: 'aaaaaaaaaa' }), 200);
    await new Promise(() => {});
  });
  const state = latest(row, 'state');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await state).toMatchObject({ runId: 'r2' });
  expect(replaced).toMatchObject([{ runId: 'r1', status: 'TERMINATED', end: { seq: 2 } }]);
});

/** A row, and a log with the statuses that the workflow has emitted. */
async function setUpPause(run: WorkflowRun, statuses: readonly OpenStatus[], note?: string) {
  const parts = await setUp(run, async () => {});
  const { log } = parts;
  if (statuses.length === 0 && note === undefined) return parts;
  const opened = await log.open('w', { numbering: 'fixed', attempt: 1, fence: 1 });
  if (opened.outcome !== 'opened') throw new Error(opened.outcome);
  const { epoch } = opened.head;
  const ts = new Date().toISOString();
  const events = statuses.map((status, i) => ({ type: 'workflow_status', seq: i + 1, ts, data: { status } }));
  const appended = { epoch, acknowledged: 0, fence: 1, events, ...(note !== undefined && { note }) } as never;
  await log.append('w', appended);
  return parts;
}

test('a row is PAUSED while Temporal has paused its run, and then has the status that the workflow emitted last', async () => {
  const paused: WorkflowRun = { ...RUN, status: 'PAUSED' };
  for (const [statuses, expected] of [
    [[], 'RUNNING'],
    [['WAITING', 'PENDING', 'WAITING'], 'WAITING'],
    [['PAUSED'], 'PAUSED'],
  ] as const) {
    const { row, store, latest } = await setUpPause(paused, statuses);
    expect(await latest(row, 'state')).toMatchObject({ status: 'PAUSED' });
    const stored = (await store.get('w'))!;
    expect(stored.status).toBe('PAUSED');
    const after = await setUpPause(RUN, statuses);
    await after.store.setStatus('w', 1, 'PAUSED');
    expect(await after.latest(stored, 'state')).toMatchObject({ status: expected });
    expect(await after.store.get('w')).toMatchObject({ status: expected });
  }
});

test('a workflow that is shown by its history is RUNNING after a pause of which the log has no end yet', async () => {
  const counts = { confirmed: 1, base: 0, inserted: 0 };
  const note = formatCopyNote({ epoch: 'history:r1', runId: 'r1', runStartedAt: 1_000, ...counts });
  const { row, store, latest } = await setUpPause(RUN, ['PAUSED'], note);
  await store.setStatus('w', 1, 'PAUSED');
  expect(await latest({ ...row, status: 'PAUSED' }, 'state')).toMatchObject({ status: 'RUNNING' });
});

test('the former row stays if its end is not recorded in time', async () => {
  const next: WorkflowRun = { ...RUN, runId: 'r2', firstRunId: 'r2', startedAt: 9_000 };
  const { row, latest, replaced } = await setUp(next, () => new Promise(() => {}));
  const state = latest(row, 'state');
  await vi.advanceTimersByTimeAsync(3_500);
  expect(await state).toMatchObject({ runId: 'r1', status: 'RUNNING' });
  expect(replaced).toEqual([]);
});
