// A stream neither draws from a workflow's random numbers nor changes the order of its commands: histories from before
// it was added replay, with and without the plugin.
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { createTemporalPlugin } from '../../../src/temporal/worker/index.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { type RunningWorker, startWorker, uniqueId } from '../rig.ts';
import { bundleWorkflows } from '../workflow-bundles.ts';

const pathOf = (name: string) => new URL(`./${name}.ts`, import.meta.url).pathname;
const streaming = () => bundleWorkflows(pathOf('streaming'));

describeTemporal('a history from before the workflow had a stream', () => {
  const temporal = useTemporal();
  let worker: RunningWorker;
  beforeAll(async () => {
    worker = await startWorker(temporal, {
      workflowBundle: await bundleWorkflows(pathOf('unstreamed')),
      sinks: {},
      activities: { pay: async () => {}, ship: async () => {} },
    });
  });
  afterAll(() => worker?.stop());

  async function record(name: string) {
    const options = { taskQueue: worker.taskQueue, workflowId: uniqueId(name), args: [] };
    const handle = await temporal.client.workflow.start(name, options);
    await handle.result();
    return { id: handle.workflowId, history: JSON.parse(historyToJSON(await handle.fetchHistory())) };
  }

  test.each(['wrapped', 'manual'])(
    'replays with the stream of the workflow `%s`',
    async (name) => {
      const { id, history } = await record(name);
      const plugin = createTemporalPlugin({ log: createMemoryLog(), store: createMemoryStore() });
      const workflowBundle = await bundleWorkflows(pathOf('streaming'), { withPlugin: true });
      await Worker.runReplayHistory({ workflowBundle: await streaming() }, history, id);
      await Worker.runReplayHistory({ workflowBundle, plugins: [plugin] }, history, id);
    },
    60_000,
  );

  test.each(['drawing', 'delaying'])(
    'does not replay with the wrapper `%s`',
    async (name) => {
      const { id, history } = await record(name);
      const replay = Worker.runReplayHistory({ workflowBundle: await streaming() }, history, id);
      await expect(replay).rejects.toThrow(DeterminismViolationError);
    },
    60_000,
  );
});
