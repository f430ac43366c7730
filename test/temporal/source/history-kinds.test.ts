// Every kind of event in a history, written by a real server and worker, and what viewers see of it.
import type { WorkerOptions, WorkflowBundle } from '@temporalio/worker';
import { beforeAll, expect, test } from 'vitest';
import {
  connectTo,
  describeOwnTemporal,
  describeTemporal,
  startTemporal,
  type TemporalConnections,
  useTemporal,
} from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { startWorker, uniqueId } from '../rig.ts';
import { bundleWorkflows } from '../workflow-bundles.ts';
import { linesOf, startWatching, waitForLine, watchRest } from './rig.ts';

let workflowBundle: WorkflowBundle;
beforeAll(async () => {
  const workflowsPath = new URL('./kinds.ts', import.meta.url).pathname;
  workflowBundle = await bundleWorkflows(workflowsPath);
});

/** A worker for the workflows of kinds.ts. */
function startKindsWorker(temporal: TemporalConnections, options: Partial<WorkerOptions> = {}) {
  const activities = {
    hash: async (text: string) => {
      if (text === 'bad') throw new Error('cannot hash this');
      return 'hashed';
    },
  };
  return startWorker(temporal, { workflowBundle, sinks: {}, activities, ...options });
}

function launcher(temporal: TemporalConnections) {
  return (taskQueue: string, name: string, args: unknown[] = [], options: object = {}) =>
    temporal.client.workflow.start(name, { taskQueue, workflowId: uniqueId(name), args, ...options });
}

/** The lines of an execution's stream without their seqs, up to its end. */
async function allLines(url: string, id: string): Promise<string[]> {
  using stream = await watchRest(url, id);
  await stream.ended(15_000);
  expect(stream.text).not.toContain('secret');
  return linesOf(stream).map((line) => line.replace(/^\d+ /, ''));
}

const [START, END] = ['workflow_start', 'complete SUCCESS'];

describeTemporal('the history of a workflow', () => {
  const temporal = useTemporal();
  const launch = (...args: Parameters<ReturnType<typeof launcher>>) => launcher(temporal)(...args);

  test('shows updates that were accepted, completed and failed', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startKindsWorker(temporal);
    const handle = await launch(worker.taskQueue, 'updatable');
    await handle.executeUpdate('setPrice', { args: [5] });
    await expect(handle.executeUpdate('setPrice', { args: [-1] })).rejects.toThrow();
    await expect(handle.executeUpdate('setPrice', { args: [13] })).rejects.toThrow();
    await handle.signal('go');
    expect(await allLines(watching.url, handle.workflowId)).toEqual([
      START,
      'workflow_status RUNNING update setPrice accepted',
      'workflow_status RUNNING update setPrice completed',
      'workflow_status RUNNING update setPrice accepted',
      'workflow_status RUNNING update setPrice failed: unlucky',
      'workflow_status RUNNING signal go',
      END,
    ]);
  });

  test('shows local activities, patches and the summary of an activity', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startKindsWorker(temporal);
    const handle = await launch(worker.taskQueue, 'localWork');
    expect(await allLines(watching.url, handle.workflowId)).toEqual([
      START,
      'workflow_status RUNNING patch fix-1',
      'task_status hash#1 SUCCESS local activity',
      'task_status hash#2 FAILED local activity: cannot hash this',
      'task_start hash#3',
      'task_status hash#3 RUNNING',
      'task_status hash#3 SUCCESS',
      END,
    ]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await stream.ended(5_000);
    expect(stream.text).toContain('"summary":"Hash the text"');
  });

  test('shows timers that fired and were cancelled, with their summaries', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startKindsWorker(temporal);
    const handle = await launch(worker.taskQueue, 'timers', [], { staticSummary: 'Two timers' });
    expect(await allLines(watching.url, handle.workflowId)).toEqual([
      START,
      'workflow_status RUNNING timer 1 (3600 s)',
      'workflow_status RUNNING timer 2 (0.02 s): A short wait',
      'workflow_status RUNNING timer 2 (0.02 s) fired: A short wait',
      'workflow_status RUNNING timer 1 (3600 s) cancelled',
      END,
    ]);
    expect(await watching.store.get(handle.workflowId)).toMatchObject({ name: 'Two timers' });
  });

  test('shows messages to other workflows, and whether they were delivered', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startKindsWorker(temporal);
    const target = await launch(worker.taskQueue, 'waiter');
    const handle = await launch(worker.taskQueue, 'messenger', [target.workflowId]);
    const id = target.workflowId;
    const unknown = 'failed: Temporal does not know the workflow';
    expect(await allLines(watching.url, handle.workflowId)).toEqual([
      START,
      `workflow_status RUNNING signal go to ${id}`,
      `workflow_status RUNNING signal go to ${id} delivered`,
      `workflow_status RUNNING request to cancel ${id}`,
      `workflow_status RUNNING request to cancel ${id} delivered`,
      'workflow_status RUNNING signal go to nobody-has-this-id',
      `workflow_status RUNNING signal go to nobody-has-this-id ${unknown}`,
      'workflow_status RUNNING request to cancel nobody-has-this-id',
      `workflow_status RUNNING request to cancel nobody-has-this-id ${unknown}`,
      END,
    ]);
    const lines = await allLines(watching.url, id);
    expect(lines).toContain(`workflow_status RUNNING signal go from ${handle.workflowId}`);
    expect(lines.join()).toContain('workflow_status RUNNING cancellation requested');
  });

  test('shows the names of search attributes and memo fields that were updated', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startKindsWorker(temporal);
    await temporal.client.connection.operatorService
      .addSearchAttributes({ namespace: 'default', searchAttributes: { KindsKeyword: 2 } })
      .catch(() => {});
    const handle = await launch(worker.taskQueue, 'properties');
    expect(await allLines(watching.url, handle.workflowId)).toEqual([
      START,
      'workflow_status RUNNING search attributes KindsKeyword updated',
      'workflow_status RUNNING memo note updated',
      END,
    ]);
  });

  test('shows that the cancellation of an activity was requested', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startKindsWorker(temporal);
    const handle = await launch(worker.taskQueue, 'cancelling');
    const lines = await allLines(watching.url, handle.workflowId);
    expect(lines).toContain('task_start hash#1');
    expect(lines).toContain('task_status hash#1 RUNNING cancellation requested');
    expect(lines).toContain('task_status hash#1 CANCELED');
  });

  test('shows updated options, and the point to which a closed run was reset', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startKindsWorker(temporal);
    const handle = await launch(worker.taskQueue, 'patient');
    const { workflowId } = handle;
    // The first workflow task, which is event 4, is completed before the options are updated.
    await until(async () => (await handle.describe()).historyLength >= 4);
    const { workflowService } = temporal.client;
    await workflowService.updateWorkflowExecutionOptions({
      namespace: 'default',
      workflowExecution: { workflowId },
      workflowExecutionOptions: { versioningOverride: { autoUpgrade: true } },
      updateMask: { paths: ['versioning_override'] },
    });
    await handle.signal('go');
    await handle.result();
    const reset = await workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId, runId: handle.firstExecutionRunId },
      reason: 'once more',
      workflowTaskFinishEventId: 4,
      requestId: crypto.randomUUID(),
    } as never);
    await temporal.client.workflow.getHandle(workflowId, reset.runId).result();
    expect(await allLines(watching.url, workflowId)).toEqual([
      START,
      'workflow_status RUNNING reset: once more',
      'workflow_status RUNNING options updated: upgraded automatically',
      'workflow_status RUNNING signal go',
      END,
    ]);
  }, 40_000);

  test('lists children that nobody has viewed, and an announced execution id is never unknown', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startKindsWorker(temporal);
    const handle = await launch(worker.taskQueue, 'family');
    const id = handle.workflowId;
    using stream = await watchRest(watching.url, id);
    await waitForLine(stream, `task_status timers#${id}/first RUNNING`);
    expect(stream.text).toContain(`"executionId":"${id}/first","executionKind":"WORKFLOW"`);
    const stateOf = async (name: string) => {
      const response = await fetch(`${watching.url}/api/v0/executions/workflows/${encodeURIComponent(name)}`);
      return response.json();
    };
    expect(await stateOf(`${id}/first`)).toMatchObject({
      kind: 'WORKFLOW',
      name: 'The first child',
      parent: id,
    });
    await stream.ended(15_000);
    const start = `the child workflow could not be started: a workflow with this id exists already`;
    const tasks = linesOf(stream).map((line) => line.replace(/^\d+ /, ''));
    expect(tasks.slice(1, -1)).toEqual([
      `task_start timers#${id}/first`,
      `task_status timers#${id}/first RUNNING`,
      `task_status timers#${id}/first SUCCESS`,
      `task_start failing#${id}/second`,
      `task_status failing#${id}/second RUNNING`,
      `task_status failing#${id}/second FAILED broken`,
      `task_start timers#${id}`,
      `task_status timers#${id} FAILED ${start}`,
      `task_start waiter#${id}/third`,
      `task_status waiter#${id}/third RUNNING`,
    ]);
    const state = await stateOf(id);
    expect(state).toMatchObject({ children: ['first', 'second', 'third'].map((name) => `${id}/${name}`) });
    expect(await watching.store.get(`${id}/third`)).toMatchObject({
      ...{ kind: 'workflow', status: 'RUNNING', name: 'waiter', parentId: id, workflowId: `${id}/third` },
      runId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    await temporal.client.workflow.getHandle(`${id}/third`).terminate();
  });

  test('names the parent of a child that is viewed first', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startKindsWorker(temporal);
    const handle = await launch(worker.taskQueue, 'family');
    const id = handle.workflowId;
    await handle.result();
    expect(await allLines(watching.url, `${id}/first`)).toContain(END);
    expect(await watching.store.get(`${id}/first`)).toMatchObject({ parentId: id });
    await temporal.client.workflow.getHandle(`${id}/third`).terminate();
  });

  test('shows Nexus operations, with a link to the workflow that runs one', async () => {
    await using watching = await startWatching(temporal.address);
    const taskQueue = uniqueId('nexus');
    await using _worker = await startKindsWorker(temporal, {
      taskQueue,
      nexusServices: [await kindsService()],
    });
    const endpointOf = async (queue: string) => {
      const name = uniqueId('kinds');
      const target = { worker: { namespace: 'default', taskQueue: queue } };
      await temporal.client.connection.operatorService.createNexusEndpoint({ spec: { name, target } });
      return name;
    };
    const endpoints = [await endpointOf(taskQueue), await endpointOf(uniqueId('idle'))];
    const handle = await launch(taskQueue, 'nexusCaller', endpoints);
    const lines = await allLines(watching.url, handle.workflowId);
    const tasks = lines.filter((line) => line.startsWith('task_')).map((line) => line.replace(/#\d+/, ''));
    expect(tasks).toEqual([
      'task_start kinds.echo',
      'task_status kinds.echo SUCCESS',
      'task_start kinds.refuse',
      'task_status kinds.refuse FAILED not today',
      'task_start kinds.run',
      'task_status kinds.run RUNNING',
      'task_status kinds.run SUCCESS',
      'task_start kinds.echo',
      expect.stringMatching(/task_status kinds.echo TIMED_OUT/),
    ]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await stream.ended(5_000);
    const link = /"executionId":"(nexus-run-[^"]+)","executionKind":"WORKFLOW"/.exec(stream.text)?.[1];
    expect(await allLines(watching.url, link!)).toContain(END);
  }, 60_000);
});

/** A service with operations that return, fail, and are run by a workflow. */
async function kindsService(): Promise<never> {
  // The packages come with the SDK's worker. Only this test needs them, so that they are no dependencies of ours.
  const [rpc, temporalNexus] = ['nexus-rpc', '@temporalio/nexus'];
  const nexus = await import(rpc);
  const { startWorkflow, WorkflowRunOperationHandler } = await import(temporalNexus);
  const service = nexus.service('kinds', {
    ...{ echo: nexus.operation(), refuse: nexus.operation(), run: nexus.operation() },
  });
  return nexus.serviceHandler(service, {
    echo: async (_: unknown, input: string) => input,
    refuse: async () => {
      throw new nexus.OperationError('failed', 'not today');
    },
    run: new WorkflowRunOperationHandler((context: unknown) =>
      startWorkflow(context, 'timers', { workflowId: uniqueId('nexus-run'), args: [] }),
    ),
  }) as never;
}

describeOwnTemporal('a workflow that is paused', () => {
  test('shows the pause, and its row has the status until it continues', async () => {
    const args = ['--dynamic-config-value', 'frontend.WorkflowPauseEnabled=true'];
    await using server = await startTemporal({ args });
    const temporal = await connectTo(server.address);
    try {
      await using watching = await startWatching(temporal.address);
      await using worker = await startKindsWorker(temporal);
      const handle = await launcher(temporal)(worker.taskQueue, 'patient');
      const id = handle.workflowId;
      using stream = await watchRest(watching.url, id);
      await waitForLine(stream, START);
      // A pause during the first workflow task fails that task.
      await until(async () => (await handle.describe()).historyLength >= 4);
      const { workflowService } = temporal.client;
      const target = { namespace: 'default', workflowId: id, identity: 'test' };
      await workflowService.pauseWorkflowExecution({ ...target, reason: 'lunch' });
      await waitForLine(stream, 'workflow_status PAUSED paused: lunch');
      await handle.signal('go');
      await waitForLine(stream, 'workflow_status PAUSED signal go');
      expect(await watching.store.get(id)).toMatchObject({ status: 'PAUSED' });
      await workflowService.unpauseWorkflowExecution({ ...target, reason: 'back' });
      await waitForLine(stream, 'workflow_status RUNNING unpaused: back');
      await stream.ended(15_000);
    } finally {
      await temporal.close();
    }
  }, 60_000);
});
