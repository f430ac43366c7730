// What the examples of workers in other languages have in common: a worker whose workflow `digest` responds to the query
// of its stream, watched by a server. The events are those of the example's README.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { outputOf, ROOT } from '../docs/blocks.ts';
import { describeTemporal, useTemporal } from '../support/temporal.ts';
import { until } from '../support/wait.ts';
import { uniqueId } from '../temporal/rig.ts';
import { linesOf, startWatching, watchRest } from '../temporal/source/rig.ts';

interface QueryWorker {
  /** The folder of the example, in the repository. */
  readonly folder: string;
  /** The command that starts the worker in that folder, and its arguments; called before each test. */
  command(): readonly [program: string, ...args: string[]];
}

/** Declares the tests of one example. */
export function describeQueryWorker({ folder, command }: QueryWorker): void {
  describeTemporal('and Temporal', () => {
    const temporal = useTemporal();
    const startDigest = (taskQueue: string, workflowId: string) =>
      temporal.client.workflow.start('digest', { taskQueue, workflowId, args: ['ants'] });

    test('the events are those of the README', async () => {
      await using watching = await startWatching(temporal.address);
      const taskQueue = uniqueId('digests');
      await using _worker = await startWorker(folder, command(), temporal.address, taskQueue);
      const workflowId = uniqueId('digest');
      await startDigest(taskQueue, workflowId);
      using stream = await watchRest(watching.url, workflowId);
      await stream.ended(30_000);
      const received = stream.frames.map(({ event, data }) => ({ event, data: JSON.parse(data) }));
      expect(received).toEqual(readmeEvents(folder, workflowId));
    }, 60_000);

    test('a viewer that comes after the end gets the same events from the log', async () => {
      await using watching = await startWatching(temporal.address);
      const taskQueue = uniqueId('digests');
      const workflowId = uniqueId('digest');
      const handle = await startDigest(taskQueue, workflowId);
      await using _worker = await startWorker(folder, command(), temporal.address, taskQueue);
      await handle.result();
      using stream = await watchRest(watching.url, workflowId);
      await stream.ended(30_000);
      expect(linesOf(stream).at(-1)).toBe('5 complete SUCCESS');
    }, 60_000);
  });
}

/** The events that the README shows, where what differs in each run matches anything. */
function readmeEvents(folder: string, workflowId: string) {
  const shown = outputOf(`${folder}/README.md`, 'workflow_start');
  const varying = { runId: expect.any(String), durationMs: expect.any(Number), workflowId };
  return [...shown.matchAll(/^event: (.*)\ndata: (.*)$/gm)].map(([, event, json]) => {
    const data = JSON.parse(json!);
    const present = Object.entries(varying).filter(([name]) => name in data);
    return { event, data: { ...data, ...Object.fromEntries(present) } };
  });
}

/** Runs a worker until the block ends. */
async function startWorker(
  folder: string,
  [program, ...args]: readonly [string, ...string[]],
  address: string,
  taskQueue: string,
): Promise<AsyncDisposable> {
  const env = { ...process.env, TEMPORAL_ADDRESS: address, TASK_QUEUE: taskQueue };
  const worker = spawn(program, args, { env, cwd: join(ROOT, folder) });
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
