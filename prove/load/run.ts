// One run: workflows that stream themselves on a real Temporal dev server, each with a viewer.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { freePort } from '../../scripts/server-process.ts';
import { TemporalServer } from '../../scripts/temporal.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createExecstream } from '../../src/server/create-execstream.ts';
import { listen } from '../../src/server/node-server.ts';
import { createTemporalClient } from '../../src/temporal/source/grpc-client.ts';
import { createTemporalPlugin } from '../../src/worker.ts';
import { createMemoryStore } from '../../test/support/memory-store.ts';
import { observeEnds } from './end-times.ts';
import { perSecond, type RequestCounts, readRequests } from './requests.ts';
import { type Seen, view } from './viewer.ts';
import { forkWorker, startWorker, TASK_QUEUE } from './worker.ts';

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
  /** The part of it until Temporal's response with the close arrived, in ms. */
  readonly temporalDelays: readonly number[];
  /** The rest, in ms, and the part of it that the last query took once it was sent. */
  readonly ownDelays: readonly number[];
  readonly queryDelays: readonly number[];
  /** How late timers of the server's process fired, in ms: p50, p99 and the maximum. */
  readonly eventLoopDelays: readonly [number, number, number];
  /** The reasons of the resets. */
  readonly resets: readonly string[];
  /** Events that did not arrive. */
  readonly missing: number;
  readonly warnings: readonly string[];
}

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { binary, workflows, steps, paceMs, spreadMs, hasSink } = options;
  const metricsPort = await freePort();
  await using temporal = await TemporalServer.start({ binary, args: ['--metrics-port', `${metricsPort}`] });
  const { address } = temporal;
  const [log, store] = [createMemoryLog(), createMemoryStore()];
  const worker = hasSink
    ? await startWorker(address, [createTemporalPlugin({ log, store })])
    : await forkWorker(address);
  const observer = observeEnds(createTemporalClient({ address, namespace: 'default' }));
  const services = createExecstream({
    ...{ log, store, sources: { temporal: observer.client } },
    settings: {},
    logger: { error: console.error },
  });
  const server = await listen(services, { host: '127.0.0.1', port: 0 });
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  try {
    const before = await readRequests(metricsPort);
    const eventLoop = monitorEventLoopDelay();
    eventLoop.enable();
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
    eventLoop.disable();
    const eventLoopDelays = [eventLoop.percentile(50), eventLoop.percentile(99), eventLoop.max].map(
      (ns) => ns / 1e6,
    ) as unknown as LoadResult['eventLoopDelays'];
    return { requests, eventLoopDelays, ...(await measure(seen)) };
  } finally {
    await server.close();
    await worker.stop();
    await Promise.all([connection.close(), log.close()]);
  }

  /** Compares what viewers saw with the log and the rows. */
  async function measure(
    seen: readonly (Seen & { workflowId: string })[],
  ): Promise<Omit<LoadResult, 'requests' | 'eventLoopDelays'>> {
    const eventDelays: number[] = [];
    const endDelays: number[] = [];
    const temporalDelays: number[] = [];
    const ownDelays: number[] = [];
    const queryDelays: number[] = [];
    let missing = 0;
    for (const { workflowId, arrivals, endedAt } of seen) {
      const row = await store.get(workflowId);
      if (endedAt !== undefined && row?.finishedAt) {
        endDelays.push(endedAt - row.finishedAt.getTime());
        const { knownAt = endedAt, queriedAt, respondedAt } = observer.timesOf(workflowId);
        temporalDelays.push(Math.min(knownAt, endedAt) - row.finishedAt.getTime());
        ownDelays.push(Math.max(0, endedAt - knownAt));
        if (queriedAt !== undefined && respondedAt !== undefined && respondedAt >= knownAt) {
          queryDelays.push(respondedAt - Math.max(queriedAt, knownAt));
        }
      }
      for (const { seq, type, ts } of (await log.read(workflowId, 0, 10_000))?.events ?? []) {
        const arrivedAt = arrivals.get(seq);
        if (arrivedAt === undefined) missing += 1;
        else if (type === 'workflow_status') eventDelays.push(arrivedAt - Date.parse(ts));
      }
    }
    return {
      ...{ eventDelays, endDelays, temporalDelays, ownDelays, queryDelays, missing },
      resets: seen.flatMap(({ resets }) => resets),
      warnings: [...new Set(seen.flatMap(({ warnings }) => warnings))],
    };
  }
}
