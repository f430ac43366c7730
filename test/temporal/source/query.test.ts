// Workflows that respond to the query, watched on a real server without a sink.
import { expect, test } from 'vitest';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { createTemporalClient } from '../../../src/temporal/source/grpc-client.ts';
import { createTemporalSource } from '../../../src/temporal/source/source.ts';
import { range } from '../../support/app.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { startWorker, uniqueId } from '../rig.ts';
import {
  lastCursor,
  linesOf,
  startForeignWorker,
  startWatching,
  waitForLine,
  watchGraphql,
  watchRest,
} from './rig.ts';

const reconcileEnd = async () => {};

describeTemporal('a workflow with the query alone', () => {
  const temporal = useTemporal();
  const launch = (taskQueue: string, name: string, args: unknown[] = [], options: object = {}) =>
    temporal.client.workflow.start(name, { taskQueue, workflowId: uniqueId(name), args, ...options });

  test('streams every event once and in order over REST and GraphQL, and the row has its end', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [3]);
    const id = handle.workflowId;
    using rest = await watchRest(watching.url, id);
    using graphql = await watchGraphql(watching.url, id);
    for (let i = 1; i <= 3; i += 1) {
      await handle.signal('go');
      await waitForLine(rest, `signal ${i}`);
    }
    expect(await rest.ended(10_000)).toBe('clean');
    expect(await graphql.ended(10_000)).toBe('clean');
    const events = [
      '1 workflow_start',
      '2 workflow_status RUNNING signal 1',
      '3 workflow_status RUNNING signal 2',
      '4 workflow_status RUNNING signal 3',
      '5 complete SUCCESS',
    ];
    expect(linesOf(rest)).toEqual(events);
    expect(linesOf(graphql)).toEqual(events);
    const row = await until(async () => (await watching.store.get(id))?.end && watching.store.get(id));
    expect(row).toMatchObject({ status: 'SUCCESS', result: 3, end: { seq: 5 }, name: 'onSignal' });
    using resumed = await watchRest(watching.url, id, '', lastCursor(rest));
    expect(resumed.status).toBe(204);
  });

  test('reaches viewers within 500 ms at the median (printed)', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startWorker(temporal);
    const count = 60;
    const handle = await launch(worker.taskQueue, 'onSignal', [count]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, 'workflow_start');
    const times: number[] = [];
    for (let i = 1; i <= count; i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 120));
      const arrived = waitForLine(stream, `signal ${i}`).then(() => Date.now());
      await handle.signal('go');
      const at = await arrived;
      const page = await watching.log.read(handle.workflowId, i, 1);
      times.push(at - new Date(page!.events[0]!.ts).getTime());
    }
    times.sort((a, b) => a - b);
    const at = (share: number) => times[Math.floor(times.length * share)];
    console.log(`query alone: median ${at(0.5)} ms, 95 % ${at(0.95)} ms, ${watching.queries} queries`);
    expect(at(0.5)).toBeLessThan(500);
  }, 60_000);

  test('is queried by one watcher for 100 viewers of two servers', async () => {
    await using first = await startWatching(temporal.address);
    await using second = await startWatching(temporal.address, { parts: first });
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [20]);
    const id = handle.workflowId;
    const streams = await Promise.all(
      Array.from({ length: 100 }, (_, i) => watchRest((i % 2 ? first : second).url, id, '?poll_ms=500')),
    );
    try {
      await Promise.all(streams.map((stream) => waitForLine(stream, 'workflow_start')));
      const before = first.queries + second.queries;
      const startedAt = performance.now();
      for (let i = 1; i <= 20; i += 1) {
        await handle.signal('go');
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
      await Promise.all(streams.map((stream) => stream.ended(15_000)));
      const seconds = (performance.now() - startedAt) / 1_000;
      const queries = first.queries + second.queries - before;
      console.log(`100 viewers, two servers: ${queries} queries for 20 changes in ${seconds.toFixed(1)} s`);
      expect(Math.min(first.queries, second.queries)).toBe(0);
      expect(queries).toBeLessThanOrEqual(30);
      for (const stream of streams) expect(linesOf(stream)).toEqual(linesOf(streams[0]!));
      expect(linesOf(streams[0]!)).toHaveLength(22);
    } finally {
      for (const stream of streams) stream.destroy();
    }
  }, 60_000);

  test('is queried less often with a longer pollMs, and loses no event', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [30]);
    using stream = await watchRest(watching.url, handle.workflowId, '?poll_ms=2000');
    await waitForLine(stream, 'workflow_start');
    for (let i = 1; i <= 30; i += 1) {
      await handle.signal('go');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await stream.ended(10_000);
    expect(linesOf(stream)).toHaveLength(32);
    // One every 400 ms.
    expect(watching.queries).toBeLessThan(12);
  });

  test('is read page by page', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'steps', [50, 11_000]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, 'RUNNING 50 ');
    await handle.signal('go');
    await stream.ended(10_000);
    expect(stream.frames.map(({ id }) => Number(id!.split('-')[0]))).toEqual(range(1, 52));
  });

  test('continues in one log after continue-as-new, with the events that were not carried over', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'laps', [3]);
    await handle.result();
    // Not watched before: the previous runs are queried for what the last one does not carry.
    using stream = await watchRest(watching.url, handle.workflowId);
    await stream.ended(15_000);
    expect(linesOf(stream)).toEqual([
      '1 workflow_start',
      ...['3a', '3b', '3c', '2a', '2b', '2c', '1a', '1b', '1c'].map(
        (step, i) => `${i + 2} workflow_status RUNNING ${step}`,
      ),
      '11 complete SUCCESS',
    ]);
  });

  test('has a gap for the events that it trimmed before it was watched', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'steps', [150, 10]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, 'RUNNING 150');
    await handle.signal('go');
    await stream.ended(10_000);
    const lines = linesOf(stream);
    // The start is that of the history.
    expect(lines.slice(0, 2)).toEqual(['1 workflow_start', '2 gap']);
    expect(lines.filter((line) => line.includes('workflow_status'))).toHaveLength(100);
    expect(lines.at(-1)).toBe('152 complete SUCCESS');
  });

  test('may return the plain form of the query; an invalid event is replaced by a warning', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startForeignWorker(temporal);
    const handle = await launch(worker.taskQueue, 'plainQuery');
    using stream = await watchRest(watching.url, handle.workflowId);
    await stream.ended(10_000);
    expect(linesOf(stream)).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING one',
      '3 warning BAD_EVENT',
      '4 complete SUCCESS',
    ]);
    expect(await watching.store.get(handle.workflowId)).toMatchObject({ result: 'plain' });
  });

  test('is NOT_FOUND if its id is unknown, and unavailable if Temporal is', async () => {
    await using watching = await startWatching(temporal.address);
    using unknown = await watchRest(watching.url, uniqueId('nobody'));
    expect(unknown.status).toBe(404);
    await using lost = await startWatching('127.0.0.1:1');
    using away = await watchRest(lost.url, uniqueId('nobody'));
    expect(away.status).toBe(503);
  });

  test('without a row belongs to the configured tenant', async () => {
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [1]);
    const id = handle.workflowId;
    const found = async (viewer: string | undefined, tenant?: string) => {
      const [log, store] = [createMemoryLog(), createMemoryStore()];
      const client = createTemporalClient({ address: temporal.address, namespace: 'default' });
      const otherwise = { follow: () => () => {}, copy: async () => {} };
      const source = createTemporalSource({ temporal: client, log, store, otherwise, tenant, reconcileEnd });
      const row = await source.find(id, viewer);
      await client.close();
      return row && [row.id, row.tenant];
    };
    expect(await found('acme')).toBeUndefined();
    expect(await found(undefined)).toEqual([id, undefined]);
    expect(await found('acme', 'acme')).toEqual([id, 'acme']);
    expect(await found('globex', 'acme')).toBeUndefined();
    expect(await found(undefined, 'acme')).toEqual([id, 'acme']);
    await handle.terminate();
  });

  test('has the row of the sink, with its tenant, if both create it concurrently', async () => {
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [1]);
    const store = createMemoryStore();
    const theirs = { id: handle.workflowId, kind: 'workflow', mode: 'STRUCTURED', tenant: 'acme' } as const;
    await store.begin(theirs);
    const client = createTemporalClient({ address: temporal.address, namespace: 'default' });
    const otherwise = { follow: () => () => {}, copy: async () => {} };
    const source = createTemporalSource({
      temporal: client,
      log: createMemoryLog(),
      store,
      otherwise,
      reconcileEnd,
    });
    expect(await source.find(handle.workflowId, undefined)).toMatchObject({ tenant: 'acme' });
    await client.close();
    await handle.terminate();
  });

  test('has a state before its first viewer', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [1]);
    const state = await fetch(`${watching.url}/api/v0/executions/workflows/${handle.workflowId}`);
    expect(await state.json()).toMatchObject({ id: handle.workflowId, kind: 'WORKFLOW', name: 'onSignal' });
    const another = await fetch(`${watching.url}/api/v0/executions/agents/${uniqueId('nobody')}`);
    expect(another.status).toBe(404);
    const unknown = await fetch(`${watching.url}/api/v0/executions/workflows/${uniqueId('nobody')}`);
    expect(unknown.status).toBe(404);
    await handle.terminate();
  });

  test('is resolved by a hook, and is NOT_FOUND in an unknown namespace', async () => {
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [1]);
    await using watching = await startWatching(temporal.address, {
      workflows: {
        resolve: (id) =>
          id === 'mine' ? { workflowId: handle.workflowId } : { namespace: 'no-such', workflowId: id },
      },
    });
    using elsewhere = await watchRest(watching.url, handle.workflowId);
    expect(elsewhere.status).toBe(404);
    using mine = await watchRest(watching.url, 'mine');
    await waitForLine(mine, 'workflow_start');
    await handle.signal('go');
    await mine.ended(10_000);
    expect(await watching.store.get('mine')).toMatchObject({ workflowId: handle.workflowId, result: 1 });
  });
});
