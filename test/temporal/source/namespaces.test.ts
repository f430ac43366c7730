// Several namespaces: the same workflow id in two of them, children, runs and ids, on a real server.
import type { Client } from '@temporalio/client';
import { expect, test } from 'vitest';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { startWorker, uniqueId } from '../rig.ts';
import {
  createNamespace,
  linesOf,
  startForeignWorker,
  startWatching,
  type Watching,
  waitForLine,
  watchRest,
} from './rig.ts';

describeTemporal('several namespaces', () => {
  const temporal = useTemporal();

  async function stateOf({ url }: Watching, id: string, query = '') {
    const response = await fetch(`${url}/api/v0/executions/workflows/${encodeURIComponent(id)}${query}`);
    // biome-ignore lint/suspicious/noExplicitAny: the state as JSON.
    return (await response.json()) as any;
  }

  test('the same workflow id in two namespaces is two executions, with their children, runs and states', async () => {
    const billing = await createNamespace(temporal);
    const { namespace } = billing.options;
    await using watching = await startWatching(temporal.address, { workflows: { namespaces: [namespace] } });
    await using ours = await startForeignWorker(temporal);
    await using theirs = await startForeignWorker(temporal, undefined, { namespace });
    const id = uniqueId('order');
    const start = (client: Client, taskQueue: string, name: string) =>
      client.workflow.start(name, { taskQueue, workflowId: id, args: ['c'] });
    const patient = await start(temporal.client, ours.taskQueue, 'patient');
    const order = await start(billing, theirs.taskQueue, 'order');
    using stream = await watchRest(watching.url, `${namespace}:${id}`);
    using other = await watchRest(watching.url, id);
    await waitForLine(stream, 'task_start fetchPage#1');
    await waitForLine(other, '1 workflow_start');
    await order.signal('go');
    await patient.signal('go');
    await stream.ended(20_000);
    await other.ended(20_000);
    expect(linesOf(other).filter((line) => line.includes('task'))).toEqual([]);
    expect(linesOf(stream).at(-1)).toMatch(/complete SUCCESS$/);
    const child = stream.frames
      .map(({ data }) => (data === '' ? {} : JSON.parse(data)))
      .find(({ executionKind, executionId }) => executionKind === 'WORKFLOW' && executionId);
    expect(child.executionId).toBe(`${namespace}:${id}/delivery`);
    expect(await stateOf(watching, `${namespace}:${id}`)).toMatchObject({
      ...{ id: `${namespace}:${id}`, workflowId: id, status: 'SUCCESS', runId: order.firstExecutionRunId },
      children: [`${namespace}:${id}/delivery`],
    });
    expect(await stateOf(watching, id)).toMatchObject({ id, workflowId: id, children: [] });
    using delivery = await watchRest(watching.url, child.executionId);
    await delivery.ended(10_000);
    expect(await stateOf(watching, child.executionId)).toMatchObject({
      ...{ workflowId: `${id}/delivery`, parent: `${namespace}:${id}` },
    });
    const query = `?run_id=${order.firstExecutionRunId}`;
    expect(await stateOf(watching, `${namespace}:${id}`, query)).toMatchObject({ status: 'SUCCESS' });
    expect(await stateOf(watching, id, query)).toMatchObject({ status: 404 });
    await until(async () => {
      const { runs } = await stateOf(watching, `${namespace}:${id}`, '?runs_first=10');
      return runs.length === 1 && runs[0].runId === order.firstExecutionRunId;
    });
  }, 90_000);

  test('a child is linked to its parent, although nobody has viewed the parent', async () => {
    const billing = await createNamespace(temporal);
    const { namespace } = billing.options;
    await using watching = await startWatching(temporal.address, { workflows: { namespaces: [namespace] } });
    await using worker = await startForeignWorker(temporal, undefined, { namespace });
    const id = uniqueId('order');
    const { taskQueue } = worker;
    await billing.workflow.start('order', { taskQueue, workflowId: id, args: ['c'] });
    const state = await until(
      async () => {
        const found = await stateOf(watching, `${namespace}:${id}/delivery`);
        return found.status === 'SUCCESS' && found;
      },
      { timeoutMs: 15_000 },
    );
    // The parent has no row yet.
    expect(state.parent).toBeNull();
    await stateOf(watching, `${namespace}:${id}`);
    expect(await stateOf(watching, `${namespace}:${id}/delivery`)).toMatchObject({
      parent: `${namespace}:${id}`,
    });
  }, 60_000);

  test('a workflow that streams itself is watched in another namespace', async () => {
    const billing = await createNamespace(temporal);
    const { namespace } = billing.options;
    await using watching = await startWatching(temporal.address, { workflows: { namespaces: [namespace] } });
    await using worker = await startWorker(temporal, { namespace });
    const id = uniqueId('signal');
    const { taskQueue } = worker;
    const handle = await billing.workflow.start('onSignal', { taskQueue, workflowId: id, args: [1] });
    using stream = await watchRest(watching.url, `${namespace}:${id}`);
    await waitForLine(stream, '1 workflow_start');
    await handle.signal('go');
    await stream.ended(15_000);
    expect(linesOf(stream).slice(-2)).toEqual(['2 workflow_status RUNNING signal 1', '3 complete SUCCESS']);
    expect(await stateOf(watching, `${namespace}:${id}`)).toMatchObject({ status: 'SUCCESS', result: 1 });
  }, 60_000);

  test('a sink writes to the execution that its workflow names', async () => {
    const billing = await createNamespace(temporal);
    const { namespace } = billing.options;
    const parts = { log: createMemoryLog(), store: createMemoryStore() };
    await using worker = await startWorker(temporal, { namespace, parts });
    const { taskQueue } = worker;
    const workflowId = uniqueId('prefixed');
    await billing.workflow.execute('prefixed', { taskQueue, workflowId, args: [1] });
    const row = await until(() => parts.store.get(`billing:${workflowId}`));
    expect(row).toMatchObject({ workflowId, kind: 'workflow' });
    expect(await parts.store.get(workflowId)).toBeUndefined();
  }, 60_000);

  test('ids of namespaces that are not watched, or that Temporal does not know, are unknown', async () => {
    await using watching = await startWatching(temporal.address, {
      workflows: { namespaces: ['no-such-namespace'] },
    });
    const id = uniqueId('patient');
    await temporal.client.workflow.start('patient', { taskQueue: 'nobody', workflowId: id });
    expect(await stateOf(watching, id)).toMatchObject({ status: 'RUNNING' });
    for (const unknown of [`default:${id}`, `no-such-namespace:${id}`, `elsewhere:${id}`]) {
      expect(await stateOf(watching, unknown)).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    }
    // A workflow id that starts like that of another namespace.
    const workflowId = `no-such-namespace:${id}`;
    await temporal.client.workflow.start('patient', { taskQueue: 'nobody', workflowId });
    expect(await stateOf(watching, workflowId)).toMatchObject({ status: 404 });
    expect(await stateOf(watching, `default:${workflowId}`)).toMatchObject({ workflowId, status: 'RUNNING' });
  }, 30_000);
});
