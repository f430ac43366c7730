// The query of a workflow on a real server: its events in order, in pages, across its runs, with one end.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkEventData } from '../../src/event/validation.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createTemporalPlugin } from '../../src/temporal/worker/index.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { describeTemporal, useTemporal } from '../support/temporal.ts';
import { queryStream, type RunningWorker, readAll, startWorker, summaryOf, uniqueId } from './rig.ts';
import { bundleWorkflows } from './workflow-bundles.ts';
import type * as workflows from './workflows.ts';

describeTemporal('the stream of a workflow', () => {
  const temporal = useTemporal();
  let worker: RunningWorker;
  beforeAll(async () => {
    worker = await startWorker(temporal);
  });
  afterAll(() => worker?.stop());

  function start(name: keyof typeof workflows, args: unknown[], options: object = {}) {
    const { taskQueue } = worker;
    return temporal.client.workflow.start(name, { taskQueue, workflowId: uniqueId(name), args, ...options });
  }

  test('returns every event once and in order, in the shape of the wire format', async () => {
    const handle = await start('everything', ['ants']);
    expect(await handle.result()).toEqual({ topic: 'ants' });
    const events = await readAll(handle);
    expect(events.map(summaryOf)).toEqual([
      '1 workflow_start',
      '2 workflow_status reading ants',
      '3 tool_call started',
      '4 tool_call succeeded',
      '5 warning SLOW',
      '6 agent_start',
      '7 agent_status SUCCESS',
      '8 task_start',
      '9 task_status FAILED',
      '10 workflow_status RUNNING',
      '11 complete SUCCESS',
    ]);
    for (const { type, data } of events) checkEventData(type, data);
    expect(events[0]!.data).toEqual({
      workflowId: handle.workflowId,
      workflowType: 'everything',
      runId: handle.firstExecutionRunId,
    });
    expect(events[5]!.data).toEqual({ agentId: 'writer', action: 'write', executionId: 'w1' });
    expect(events[10]!.data).toMatchObject({ result: { topic: 'ants' }, usage: { totalTokens: 3 } });
    expect([...events].sort((a, b) => (a.ts < b.ts ? -1 : 1))).toEqual(events);
    expect(await queryStream(handle)).toMatchObject({
      epoch: handle.firstExecutionRunId,
      base: 0,
      next: 12,
      runId: handle.firstExecutionRunId,
      firstRunId: handle.firstExecutionRunId,
      executionId: handle.workflowId,
      attempt: 1,
      status: 'SUCCESS',
    });
    expect(await queryStream(handle, 11)).toMatchObject({ next: 12, events: [] });
  });

  test('returns the same events when the workflow is replayed from its history', async () => {
    const handle = await start('everything', ['bees']);
    await handle.result();
    const before = await queryStream(handle);
    const taskQueue = worker.taskQueue;
    await worker.stop();
    worker = await startWorker(temporal, { taskQueue });
    expect(await queryStream(handle)).toEqual(before);
  });

  test('is returned in pages of about 256 KiB, and trimmed to its size limit', async () => {
    const handle = await start('steps', [500, 10_000]);
    await handle.signal('go');
    await handle.result();
    const page = await queryStream(handle);
    const bytes = Buffer.byteLength(JSON.stringify(page.events));
    expect(bytes).toBeGreaterThan(240 * 1024);
    expect(bytes).toBeLessThan(258 * 1024);
    expect(page.next).toBe(503);
    // 600 KiB hold 60 of the 10 kB steps.
    expect(page.base).toBeGreaterThan(435);
    const events = await readAll(handle);
    expect(events.map(({ seq }) => seq)).toEqual(
      Array.from({ length: 502 - page.base }, (_, i) => page.base + 1 + i),
    );
    expect(events.at(-1)!.type).toBe('complete');
  });

  test('is trimmed to its number of events, and a query after its last event returns none', async () => {
    const handle = await start('steps', [250, 1]);
    const page = await queryStream(handle, 200);
    expect(page).toMatchObject({ base: 151, next: 252, status: 'RUNNING' });
    expect(page.events.map(({ seq }) => seq)).toEqual(Array.from({ length: 51 }, (_, i) => 201 + i));
    expect((await queryStream(handle, 9_999)).events).toEqual([]);
    await handle.terminate();
  });

  test('continues through continue-as-new with one epoch, one numbering and one end', async () => {
    const handle = await start('laps', [3]);
    expect(await handle.result()).toBe('home');
    const last = temporal.client.workflow.getHandle(handle.workflowId);
    const page = await queryStream(last);
    expect(page).toMatchObject({
      epoch: handle.firstExecutionRunId,
      firstRunId: handle.firstExecutionRunId,
      base: 5,
      next: 12,
      status: 'SUCCESS',
    });
    expect(page.runId).not.toBe(handle.firstExecutionRunId);
    expect(page.events.map(summaryOf)).toEqual([
      '6 workflow_status 2b',
      '7 workflow_status 2c',
      '8 workflow_status 1a',
      '9 workflow_status 1b',
      '10 workflow_status 1c',
      '11 complete SUCCESS',
    ]);
    // The previous run has the events that the tail omits.
    const before = await queryStream(
      temporal.client.workflow.getHandle(handle.workflowId, page.continuedFrom),
      3,
    );
    expect(before).toMatchObject({ epoch: page.epoch, next: 8, status: 'RUNNING' });
    expect(before.events.map(summaryOf)[0]).toBe('4 workflow_status 3c');
  });

  test('restarts after a continue-as-new that carries nothing over', async () => {
    const handle = await start('forgetful', [2]);
    await handle.result();
    const page = await queryStream(temporal.client.workflow.getHandle(handle.workflowId));
    expect(page.epoch).toBe(page.runId);
    expect(page.epoch).not.toBe(handle.firstExecutionRunId);
    expect(page.events.map(summaryOf)).toEqual([
      '1 workflow_start',
      '2 workflow_status 1',
      '3 complete SUCCESS',
    ]);
  });

  test.each([
    ['failure', 'out of ink'],
    ['cause', 'out of ink'],
  ] as const)('ends with the innermost cause when the workflow fails (%s)', async (kind, message) => {
    const handle = await start('failing', [kind]);
    await expect(handle.result()).rejects.toThrow();
    expect((await queryStream(handle)).events.at(-1)).toMatchObject({
      type: 'error',
      data: { status: 'FAILED', message, code: 'InkError' },
    });
  });

  test('does not end when the workflow will be retried, and the retry starts a new epoch', async () => {
    const retry = { maximumAttempts: 2, initialInterval: '10 ms' };
    const handle = await start('failing', ['retried'], { retry });
    await expect(handle.result()).rejects.toThrow();
    const first = temporal.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
    expect((await queryStream(first)).events.map(summaryOf)).toEqual([
      '1 workflow_start',
      '2 warning ATTEMPT_FAILED',
    ]);
    const second = await queryStream(temporal.client.workflow.getHandle(handle.workflowId));
    expect(second.events.map(summaryOf)).toEqual(['1 workflow_start', '2 error InkError']);
    expect(second).toMatchObject({ attempt: 2, epoch: second.runId, firstRunId: handle.firstExecutionRunId });
    expect(second.epoch).not.toBe(handle.firstExecutionRunId);
  });

  test('ends with CANCELED when the workflow rethrows a cancellation, and with SUCCESS when it completes', async () => {
    const rethrows = await start('cancellable', [false]);
    await queryStream(rethrows);
    await rethrows.cancel();
    await expect(rethrows.result()).rejects.toThrow('cancelled');
    expect((await queryStream(rethrows)).events.at(-1)).toMatchObject({
      type: 'error',
      data: { status: 'CANCELED' },
    });
    const completes = await start('cancellable', [true]);
    await queryStream(completes);
    await completes.cancel();
    expect(await completes.result()).toBe('stayed');
    expect((await queryStream(completes)).events.map(summaryOf).slice(1)).toEqual([
      '2 workflow_status WAITING',
      '3 complete SUCCESS',
    ]);
  });

  test('replaces invalid events by warnings, and never fails the workflow', async () => {
    const handle = await start('careless', []);
    expect(await handle.result()).toHaveLength(70_000);
    const { events } = await queryStream(handle);
    expect(events.map(summaryOf)).toEqual([
      '1 workflow_start',
      '2 warning EVENT_TOO_LARGE',
      '3 warning BAD_EVENT',
      '4 warning BAD_EVENT',
      '5 warning BAD_EVENT',
      '6 complete SUCCESS',
    ]);
    expect(events[5]!.data).toMatchObject({ resultOmitted: true });
  });

  test('starts a new epoch after a reset, though its numbering was carried over', async () => {
    const handle = await start('laps', [2]);
    await handle.result();
    const { workflowId } = handle;
    const before = await queryStream(temporal.client.workflow.getHandle(workflowId));
    const { runId } = await temporal.client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId, runId: before.runId },
      reason: 'test',
      requestId: crypto.randomUUID(),
      // The first workflow task of the run.
      workflowTaskFinishEventId: 4,
    } as never);
    const resetRun = temporal.client.workflow.getHandle(workflowId, runId!);
    expect(await resetRun.result()).toBe('home');
    const after = await queryStream(resetRun);
    expect(before.epoch).toBe(handle.firstExecutionRunId);
    expect(after.epoch).toBe(runId);
    expect(after.events.map(summaryOf)).toEqual(before.events.map(summaryOf));
  });

  test('has ids of children that are unique in all runs; a reset repeats those before it', async () => {
    const handle = await start('brood', [2]);
    const { workflowId } = handle;
    const ids = (await handle.result()) as string[];
    expect(new Set(ids).size).toBe(6);
    for (const id of ids) expect(id).toMatch(new RegExp(`^${workflowId}/egg-[0-9a-f]{8}-[0-9a-f]{4}$`));
    const { runId: lastRunId } = await queryStream(temporal.client.workflow.getHandle(workflowId));
    const { runId } = await temporal.client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId, runId: lastRunId },
      reason: 'test',
      requestId: crypto.randomUUID(),
      // The second workflow task of the run, after its timer.
      workflowTaskFinishEventId: 9,
    } as never);
    const again = (await temporal.client.workflow.getHandle(workflowId, runId!).result()) as string[];
    expect(again.slice(0, 5)).toEqual(ids.slice(0, 5));
    expect(ids).not.toContain(again[5]);
  });

  test('streams by the query from a default export, in a bundle that was built without the plugin of its worker', async () => {
    const warnings: string[] = [];
    const logger = {
      info() {},
      error() {},
      warn: (_: object, message: string) => void warnings.push(message),
    };
    const workflowsPath = new URL('./bundles/default.ts', import.meta.url).pathname;
    const log = createMemoryLog();
    await using other = await startWorker(temporal, {
      workflowBundle: await bundleWorkflows(workflowsPath),
      sinks: {},
      plugins: [createTemporalPlugin({ log, store: createMemoryStore(), logger })],
    });
    const options = { taskQueue: other.taskQueue, workflowId: uniqueId('any'), args: [] };
    const handle = await temporal.client.workflow.start('whatever', options);
    expect(await handle.result()).toBe('whatever');
    expect((await queryStream(handle)).events.map(summaryOf)).toEqual([
      '1 workflow_start',
      '2 workflow_status anything',
      '3 complete SUCCESS',
    ]);
    expect(await log.head(handle.workflowId)).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining('workflowBundle: built without the plugin')]);
  });

  test('may belong to an execution with another id than the workflow’s', async () => {
    const handle = await start('renamed', ['x']);
    expect(await handle.result()).toBe('renamed-1');
    expect((await queryStream(handle)).executionId).toBe('renamed-1');
  });

  test('may belong to an execution that a function of the workflow id names', async () => {
    const handle = await start('prefixed', [1]);
    expect(await handle.result()).toBe(`billing:${handle.workflowId} 1`);
    expect((await queryStream(handle)).executionId).toBe(`billing:${handle.workflowId}`);
  });
});
