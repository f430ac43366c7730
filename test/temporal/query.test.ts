// What a workflow answers about itself on a real server: its events in order, in pages, through its runs, with one end.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkEventData } from '../../src/event/validation.ts';
import { describeTemporal, useTemporal } from '../support/temporal.ts';
import { queryStream, type RunningWorker, readAll, startWorker, summaryOf, uniqueId } from './rig.ts';
import type * as workflows from './workflows.ts';

describeTemporal('a workflow’s stream', () => {
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

  test('tells every event once and in order, each of the shape that the wire has', async () => {
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

  test('tells the same again when it is replayed from its history', async () => {
    const handle = await start('everything', ['bees']);
    await handle.result();
    const before = await queryStream(handle);
    const taskQueue = worker.taskQueue;
    await worker.stop();
    worker = await startWorker(temporal, { taskQueue });
    expect(await queryStream(handle)).toEqual(before);
  });

  test('answers in pages of about 256 KiB, and lets go of the oldest above its bounds', async () => {
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

  test('lets go by count too, and serves a client that is ahead of nothing', async () => {
    const handle = await start('steps', [250, 1]);
    const page = await queryStream(handle, 200);
    expect(page).toMatchObject({ base: 151, next: 252, status: 'RUNNING' });
    expect(page.events.map(({ seq }) => seq)).toEqual(Array.from({ length: 51 }, (_, i) => 201 + i));
    expect((await queryStream(handle, 9_999)).events).toEqual([]);
    await handle.terminate();
  });

  test('goes on through continue-as-new: one epoch, one numbering, one end', async () => {
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
    // What the tail left out, the run before has.
    const before = await queryStream(
      temporal.client.workflow.getHandle(handle.workflowId, page.continuedFrom),
      3,
    );
    expect(before).toMatchObject({ epoch: page.epoch, next: 8, status: 'RUNNING' });
    expect(before.events.map(summaryOf)[0]).toBe('4 workflow_status 3c');
  });

  test('begins anew where a continue-as-new hands nothing over', async () => {
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
  ] as const)('ends with the innermost reason when it fails (%s)', async (kind, message) => {
    const handle = await start('failing', [kind]);
    await expect(handle.result()).rejects.toThrow();
    expect((await queryStream(handle)).events.at(-1)).toMatchObject({
      type: 'error',
      data: { status: 'FAILED', message, code: 'InkError' },
    });
  });

  test('does not end when it will be retried, and the retry begins an epoch of its own', async () => {
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

  test('ends with CANCELED when it lets a cancellation through, and with success when it stays', async () => {
    const through = await start('cancellable', [false]);
    await queryStream(through);
    await through.cancel();
    await expect(through.result()).rejects.toThrow('cancelled');
    expect((await queryStream(through)).events.at(-1)).toMatchObject({
      type: 'error',
      data: { status: 'CANCELED' },
    });
    const stays = await start('cancellable', [true]);
    await queryStream(stays);
    await stays.cancel();
    expect(await stays.result()).toBe('stayed');
    expect((await queryStream(stays)).events.map(summaryOf).slice(1)).toEqual([
      '2 workflow_status WAITING',
      '3 complete SUCCESS',
    ]);
  });

  test('tells what cannot be told as warnings, and never fails the workflow for it', async () => {
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

  test('is another epoch after a reset, though its numbering was carried over', async () => {
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
    const again = temporal.client.workflow.getHandle(workflowId, runId!);
    expect(await again.result()).toBe('home');
    const after = await queryStream(again);
    expect(before.epoch).toBe(handle.firstExecutionRunId);
    expect(after.epoch).toBe(runId);
    expect(after.events.map(summaryOf)).toEqual(before.events.map(summaryOf));
  });

  test('may be watched under another id than the workflow’s', async () => {
    const handle = await start('renamed', ['x']);
    expect(await handle.result()).toBe('renamed-1');
    expect((await queryStream(handle)).executionId).toBe('renamed-1');
  });
});
