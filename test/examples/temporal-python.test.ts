// The workflow of examples/temporal-python streams itself to a server that watches Temporal.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { outputOf, ROOT } from '../docs/blocks.ts';
import { describeTemporal, useTemporal } from '../support/temporal.ts';
import { describeTemporalPython, TEMPORAL_PYTHON_PATH } from '../support/temporal-python.ts';
import { until } from '../support/wait.ts';
import { uniqueId } from '../temporal/rig.ts';
import { linesOf, startWatching, watchRest } from '../temporal/source/rig.ts';

const FOLDER = 'examples/temporal-python';

/** Runs the worker until the block ends. */
async function startPythonWorker(address: string, taskQueue: string): Promise<AsyncDisposable> {
  const env = { ...process.env, TEMPORAL_ADDRESS: address, TASK_QUEUE: taskQueue };
  const worker = spawn(TEMPORAL_PYTHON_PATH!, [join(ROOT, FOLDER, 'worker.py')], { env });
  const exited = once(worker, 'exit');
  let output = '';
  for (const stream of [worker.stdout, worker.stderr]) stream.on('data', (chunk) => (output += chunk));
  await until(() => {
    if (worker.exitCode !== null) throw new Error(`the worker exited: ${output}`);
    return output.includes(`polling ${taskQueue}`);
  });
  return {
    async [Symbol.asyncDispose]() {
      worker.kill('SIGKILL');
      await exited;
    },
  };
}

describeTemporalPython("with Temporal's Python SDK", () => {
  describeTemporal('and Temporal', () => {
    const temporal = useTemporal();

    test('the events are those of the README', async () => {
      await using watching = await startWatching(temporal.address);
      const taskQueue = uniqueId('python');
      await using _worker = await startPythonWorker(temporal.address, taskQueue);
      const workflowId = uniqueId('digest');
      await temporal.client.workflow.start('digest', { taskQueue, workflowId, args: ['ants'] });
      using stream = await watchRest(watching.url, workflowId);
      await stream.ended(30_000);
      const shown = outputOf(`${FOLDER}/README.md`, 'workflow_start');
      const expected = [...shown.matchAll(/^event: (.*)\ndata: (.*)$/gm)].map(([, event, data]) => ({
        event,
        data: JSON.parse(data!),
      }));
      const varying = { runId: expect.any(String), durationMs: expect.any(Number), workflowId };
      expect(stream.frames.map(({ event, data }) => ({ event, data: JSON.parse(data) }))).toEqual(
        expected.map(({ event, data }) => {
          const present = Object.entries(varying).filter(([name]) => name in data);
          return { event, data: { ...data, ...Object.fromEntries(present) } };
        }),
      );
      expect(linesOf(stream)).toHaveLength(5);
    }, 60_000);

    test('a viewer that comes after the end gets the same events from the log', async () => {
      await using watching = await startWatching(temporal.address);
      const taskQueue = uniqueId('python');
      const workflowId = uniqueId('digest');
      const handle = await temporal.client.workflow.start('digest', {
        taskQueue,
        workflowId,
        args: ['ants'],
      });
      await using _worker = await startPythonWorker(temporal.address, taskQueue);
      await handle.result();
      using stream = await watchRest(watching.url, workflowId);
      await stream.ended(30_000);
      expect(linesOf(stream).at(-1)).toBe('5 complete SUCCESS');
    }, 60_000);
  });
});

test('the README starts the worker that the test runs', () => {
  expect(readFileSync(join(ROOT, FOLDER, 'README.md'), 'utf8')).toContain(`python3 ${FOLDER}/worker.py`);
});
