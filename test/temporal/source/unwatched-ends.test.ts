// Ends of workflows that nobody views: their rows, states and lists are right without a viewer, on a real server.
import { expect, test } from 'vitest';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { uniqueId } from '../rig.ts';
import { linesOf, startForeignWorker, startWatching, waitForLine, watchRest } from './rig.ts';

describeTemporal('a workflow without viewers', () => {
  const temporal = useTemporal();

  const launch = (taskQueue: string, name: string, args: unknown[] = []) =>
    temporal.client.workflow.start(name, { taskQueue, workflowId: uniqueId(name), args });

  async function stateOf(url: string, id: string) {
    const response = await fetch(`${url}/api/v0/executions/workflows/${id}`);
    return (await response.json()) as { status: string; durationMs: number | null; startedAt: string };
  }

  /** Without sweeps, so that a request alone has to record the end. */
  const NO_SWEEP = { workflows: { sweepMs: 3_600_000 } };

  test('the state of a workflow that has closed is that of its end, though it was never viewed', async () => {
    await using watching = await startWatching(temporal.address, NO_SWEEP);
    const id = (await launch(uniqueId('nobody'), 'patient')).workflowId;
    expect(await stateOf(watching.url, id)).toMatchObject({ status: 'RUNNING', durationMs: null });
    await temporal.client.workflow.getHandle(id).terminate('enough');
    await until(async () => (await stateOf(watching.url, id)).status === 'TERMINATED', { timeoutMs: 5_000 });
    const row = (await watching.store.get(id))!;
    expect(row).toMatchObject({ status: 'TERMINATED', error: { message: 'enough' } });
    // Its stream has everything, and the same end.
    using stream = await watchRest(watching.url, id);
    await stream.ended(10_000);
    expect(linesOf(stream)).toEqual(['1 workflow_start', '2 error TERMINATED']);
  }, 20_000);

  test('the first state of a workflow that had closed is that of its end', async () => {
    await using watching = await startWatching(temporal.address, NO_SWEEP);
    const handle = await launch(uniqueId('nobody'), 'patient');
    await handle.terminate('enough');
    expect(await stateOf(watching.url, handle.workflowId)).toMatchObject({ status: 'TERMINATED' });
  });

  test('the row of a workflow that its viewers have left ends within 10 s, without a request', async () => {
    await using watching = await startWatching(temporal.address, {
      workflows: { sweepMs: 1_000, queryGraceMs: 250 },
    });
    await using worker = await startForeignWorker(temporal);
    const handle = await launch(worker.taskQueue, 'patient');
    const id = handle.workflowId;
    {
      using stream = await watchRest(watching.url, id);
      await waitForLine(stream, 'workflow_start');
    }
    await handle.signal('go');
    await handle.result();
    const row = await until(
      async () => {
        const now = await watching.store.get(id);
        return now?.end && now;
      },
      { timeoutMs: 10_000 },
    );
    const { closeTime, startTime } = await handle.describe();
    expect(row.status).toBe('SUCCESS');
    expect(row.startedAt).toEqual(startTime);
    expect(row.finishedAt).toEqual(closeTime);
  }, 30_000);

  test('of several servers one sweeps, and another one continues when it has stopped', async () => {
    const parts = { log: createMemoryLog(), store: createMemoryStore() };
    const options = { parts, workflows: { sweepMs: 500 } };
    const first = await startWatching(temporal.address, options);
    await using _second = await startWatching(temporal.address, options);
    const handles = [];
    for (let i = 0; i < 2; i += 1) handles.push(await launch(uniqueId('nobody'), 'patient'));
    for (const { workflowId } of handles) await stateOf(first.url, workflowId);
    const [one, two] = handles;
    await one!.terminate('enough');
    await until(async () => (await parts.store.get(one!.workflowId))?.finishedAt, { timeoutMs: 10_000 });
    await first.close();
    await two!.terminate('enough');
    await until(async () => (await parts.store.get(two!.workflowId))?.finishedAt, { timeoutMs: 10_000 });
  }, 30_000);

  test('a workflow that is deleted ends as TERMINATED, for its viewers and without any', async () => {
    await using watching = await startWatching(temporal.address, {
      workflows: { sweepMs: 500, deletedMs: 1_000 },
    });
    const handles = [];
    for (let i = 0; i < 2; i += 1) handles.push(await launch(uniqueId('nobody'), 'patient'));
    const [viewed, unviewed] = handles.map(({ workflowId }) => workflowId) as [string, string];
    await stateOf(watching.url, unviewed);
    using stream = await watchRest(watching.url, viewed);
    await waitForLine(stream, 'workflow_start');
    for (const workflowId of [viewed, unviewed]) {
      const { workflowService } = temporal.client;
      await workflowService.deleteWorkflowExecution({
        namespace: 'default',
        workflowExecution: { workflowId },
      } as never);
    }
    await stream.ended(20_000);
    expect(linesOf(stream).at(-1)).toMatch(/error TERMINATED( WORKFLOW_GONE)?$/);
    const row = await until(
      async () => {
        const now = await watching.store.get(unviewed);
        return now?.end && now;
      },
      { timeoutMs: 20_000 },
    );
    expect(row.status).toBe('TERMINATED');
    using after = await watchRest(watching.url, unviewed);
    await after.ended(5_000);
    expect(linesOf(after).at(-1)).toContain('error TERMINATED');
  }, 60_000);

  test('the duration is that of all runs, after continue-as-new', async () => {
    await using watching = await startWatching(temporal.address, NO_SWEEP);
    await using worker = await startForeignWorker(temporal);
    const first = await launch(worker.taskQueue, 'lapper', [2]);
    const id = first.workflowId;
    const latest = temporal.client.workflow.getHandle(id);
    await first.signal('go');
    await until(async () => (await latest.describe()).runId !== first.firstExecutionRunId);
    await latest.signal('go');
    await first.result();
    // First viewed when the last run has closed.
    using stream = await watchRest(watching.url, id);
    await stream.ended(15_000);
    const { startTime } = await temporal.client.workflow.getHandle(id, first.firstExecutionRunId).describe();
    const { closeTime } = await latest.describe();
    const durationMs = closeTime!.getTime() - startTime.getTime();
    expect(await stateOf(watching.url, id)).toMatchObject({
      durationMs,
      startedAt: startTime.toISOString(),
    });
    const last = stream.frames.filter(({ event }) => event === 'complete').at(-1)!;
    expect(JSON.parse(last.data)).toMatchObject({ durationMs });
  }, 30_000);
});
