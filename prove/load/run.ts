// One run: workflows that stream themselves on a real Temporal dev server, each with a viewer.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { freePort } from '../../scripts/server-process.ts';
import { TemporalServer } from '../../scripts/temporal.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createExecstream } from '../../src/server/create-execstream.ts';
import { listen } from '../../src/server/node-server.ts';
import { createTemporalClient } from '../../src/temporal/source/grpc-client.ts';
import { createTemporalPlugin } from '../../src/worker.ts';
import { createMemoryStore } from '../../test/support/memory-store.ts';
import { perSecond, type RequestCounts, readRequests } from './requests.ts';
import { type Seen, view } from './viewer.ts';

export interface LoadOptions {
  /** The path of the Temporal CLI. */
  readonly binary: string;
  readonly workflows: number;
  /** Events of each workflow, and the time between them in ms. */
  readonly steps: number;
  readonly paceMs: number;
  /** The time within which the workflows start, in ms. */
  readonly spreadMs: number;
  readonly hasSink: boolean;
}

export interface LoadResult {
  readonly requests: RequestCounts;
  /** From the time of an event to its arrival, in ms. */
  readonly eventDelays: readonly number[];
  /** From the close of a workflow to the arrival of its end, in ms. */
  readonly endDelays: readonly number[];
  readonly resets: number;
  /** Events that did not arrive. */
  readonly missing: number;
  readonly warnings: readonly string[];
}

const TASK_QUEUE = 'load';

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { binary, workflows, steps, paceMs, spreadMs, hasSink } = options;
  const metricsPort = await freePort();
  await using temporal = await TemporalServer.start({ binary, args: ['--metrics-port', `${metricsPort}`] });
  const { address } = temporal;
  const [log, store] = [createMemoryLog(), createMemoryStore()];
  const plugin = createTemporalPlugin({ log, store });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./workflow.ts', import.meta.url)),
    plugins: hasSink ? [plugin] : [],
    logger: new DefaultLogger('ERROR'),
  });
  const native = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    ...{ connection: native, taskQueue: TASK_QUEUE, workflowBundle },
    plugins: hasSink ? [plugin] : [],
  });
  const working = worker.run();
  const services = createExecstream({
    ...{ log, store, temporal: createTemporalClient({ address, namespace: 'default' }) },
    settings: {},
    logger: { error: console.error },
  });
  const server = await listen(services, { host: '127.0.0.1', port: 0 });
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  try {
    const before = await readRequests(metricsPort);
    const startedAt = performance.now();
    const seen = await Promise.all(
      Array.from({ length: workflows }, async (_, n) => {
        await sleep((spreadMs * n) / workflows);
        const workflowId = `load-${n}`;
        await client.workflow.start('busy', { workflowId, taskQueue: TASK_QUEUE, args: [steps, paceMs] });
        return { workflowId, ...(await view(server.url, workflowId)) };
      }),
    );
    const seconds = (performance.now() - startedAt) / 1_000;
    const after = await readRequests(metricsPort);
    const requests = perSecond(before, after, seconds);
    return { requests, ...(await measure(seen)) };
  } finally {
    await server.close();
    worker.shutdown();
    await working;
    await Promise.all([connection.close(), native.close(), log.close()]);
  }

  /** Compares what viewers saw with the log and the rows. */
  async function measure(
    seen: readonly (Seen & { workflowId: string })[],
  ): Promise<Omit<LoadResult, 'requests'>> {
    const eventDelays: number[] = [];
    const endDelays: number[] = [];
    let missing = 0;
    for (const { workflowId, arrivals, endedAt } of seen) {
      const row = await store.get(workflowId);
      if (endedAt !== undefined && row?.finishedAt) endDelays.push(endedAt - row.finishedAt.getTime());
      for (const { seq, type, ts } of (await log.read(workflowId, 0, 10_000))?.events ?? []) {
        const arrivedAt = arrivals.get(seq);
        if (arrivedAt === undefined) missing += 1;
        else if (type === 'workflow_status') eventDelays.push(arrivedAt - Date.parse(ts));
      }
    }
    return {
      ...{ eventDelays, endDelays, missing },
      resets: seen.reduce((sum, { resets }) => sum + resets, 0),
      warnings: [...new Set(seen.flatMap(({ warnings }) => warnings))],
    };
  }
}
