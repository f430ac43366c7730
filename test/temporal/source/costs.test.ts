// What watching costs: the requests to a real Temporal server, and the log lines of workers.
import type { PayloadCodec } from '@temporalio/common';
import { beforeEach, expect, test } from 'vitest';
import { delay } from '../../../src/async/delay.ts';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { captureWorkerLogs, describeTemporal, useTemporal } from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { startWorker, uniqueId } from '../rig.ts';
import { linesOf, startForeignWorker, startWatching, waitForLine, watchRest } from './rig.ts';

const workerLogs = captureWorkerLogs();

describeTemporal('the cost of watching', () => {
  const temporal = useTemporal();
  const launch = (taskQueue: string, name: string, args: unknown[] = [], workflowId = uniqueId(name)) =>
    temporal.client.workflow.start(name, { taskQueue, workflowId, args });

  let logged = 0;
  beforeEach(() => {
    logged = workerLogs.length;
  });

  /** What workers have logged about queries in this test. */
  const queryWarnings = () =>
    workerLogs
      .slice(logged)
      .map(({ level, message, meta }) => `${level} ${message} ${JSON.stringify(meta)}`)
      .filter((line) => /quer/i.test(line));

  /**
   * A worker that holds the results of queries back, the id of its workflow, and a server whose query it holds. Later
   * queries have a task each, because the first workflow task is over.
   */
  async function holdQuery() {
    let isHeld = false;
    let release!: () => void;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const codec: PayloadCodec = {
      async encode(payloads) {
        if (payloads.some(({ data }) => Buffer.from(data ?? []).includes('"events"'))) {
          isHeld = true;
          await released;
        }
        return payloads;
      },
      decode: async (payloads) => payloads,
    };
    const dataConverter = { payloadCodecs: [codec] };
    const worker = await startForeignWorker(temporal, undefined, { dataConverter });
    const handle = await launch(worker.taskQueue, 'waitingQuery');
    await until(async () => (await handle.describe()).historyLength >= 4, { timeoutMs: 10_000 });
    const watching = await startWatching(temporal.address, { queryMs: 30_000 });
    const stream = await watchRest(watching.url, handle.workflowId);
    await until(() => isHeld, { timeoutMs: 10_000 });
    return { worker, handle, watching, stream, release };
  }

  /** Watches a workflow with this many changes, 300 ms apart, to its end. */
  async function watchChanges(count: number, hasSink: boolean) {
    const parts = { log: createMemoryLog(), store: createMemoryStore() };
    await using watching = await startWatching(temporal.address, { parts });
    await using worker = await startWorker(temporal, hasSink ? { parts } : {});
    const handle = await launch(worker.taskQueue, 'onSignal', [count]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, 'workflow_start');
    for (let i = 1; i <= count; i += 1) {
      // Spaced, so that each change could have its own query.
      await new Promise((resolve) => setTimeout(resolve, 300));
      await handle.signal('go');
      await waitForLine(stream, `signal ${i}`);
    }
    await stream.ended(20_000);
    expect(linesOf(stream)).toHaveLength(count + 2);
    const { queries } = watching;
    return { queries, describes: watching.requests('describe') };
  }

  test('a run whose worker has a sink is hardly queried, one without a sink once for each change', async () => {
    const withSink = await watchChanges(10, true);
    const without = await watchChanges(10, false);
    console.log('10 changes, with and without sink:', withSink, without);
    expect(withSink.queries).toBeLessThanOrEqual(3);
    expect(without.queries).toBeGreaterThanOrEqual(10);
    // The first view, and one per change.
    expect(without.queries).toBeLessThanOrEqual(12);
    expect(withSink.describes).toBeLessThanOrEqual(4);
  }, 60_000);

  test('the end of a run whose worker is slow needs one query', async () => {
    let isSlow = false;
    await using watching = await startWatching(temporal.address, {
      temporal: (client) => ({
        ...client,
        async query(run, since, signal, options) {
          const result = await client.query(run, since, signal, options);
          if (isSlow) await delay(800, signal);
          signal?.throwIfAborted();
          return result;
        },
      }),
    });
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [2]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await handle.signal('go');
    await waitForLine(stream, 'signal 1');
    const { queries } = watching;
    isSlow = true;
    await handle.signal('go');
    await stream.ended(20_000);
    expect(linesOf(stream).slice(-2)).toEqual(['3 workflow_status RUNNING signal 2', '4 complete SUCCESS']);
    expect(watching.queries - queries).toBe(1);
  }, 30_000);

  test('events that a sink stops to append arrive within seconds', async () => {
    const log = createMemoryLog();
    const store = createMemoryStore();
    let isLost = false;
    const append: typeof log.append = async (...args) =>
      isLost ? { outcome: 'fenced' } : log.append(...args);
    await using watching = await startWatching(temporal.address, { parts: { log, store } });
    await using worker = await startWorker(temporal, { parts: { log: { ...log, append }, store } });
    const handle = await launch(worker.taskQueue, 'onSignal', [4]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await handle.signal('go');
    await waitForLine(stream, 'signal 1');
    await handle.signal('go');
    await waitForLine(stream, 'signal 2');
    isLost = true;
    await handle.signal('go');
    await waitForLine(stream, 'signal 3', 2_500);
    await handle.signal('go');
    await stream.ended(20_000);
    expect(linesOf(stream).slice(-2)).toEqual(['5 workflow_status RUNNING signal 4', '6 complete SUCCESS']);
  }, 60_000);

  test('the row has the status of a workflow that its sink reports', async () => {
    const parts = { log: createMemoryLog(), store: createMemoryStore() };
    await using watching = await startWatching(temporal.address, { parts });
    await using worker = await startWorker(temporal, { parts });
    const handle = await launch(worker.taskQueue, 'large');
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, 'WAITING');
    await until(async () => (await parts.store.get(handle.workflowId))?.status === 'WAITING');
    await handle.signal('go');
    await stream.ended(20_000);
  });

  test.each([61_440, 1_048_576])(
    'a sink and a server with messages of up to %d bytes agree on events of all sizes',
    async (messageBytes) => {
      const parts = { log: createMemoryLog(), store: createMemoryStore() };
      await using watching = await startWatching(temporal.address, { parts, messageBytes });
      await using worker = await startWorker(temporal, { parts });
      const handle = await launch(worker.taskQueue, 'large');
      await until(async () => (await parts.log.head(handle.workflowId))?.head === 7);
      using stream = await watchRest(watching.url, handle.workflowId);
      await waitForLine(stream, 'WAITING');
      // The first query compares what the sink has appended.
      await until(() => watching.requests('query') > 0);
      await handle.signal('go');
      await stream.ended(20_000);
      expect(linesOf(stream).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
        '1 workflow_start',
        ...[2, 3, 4, 5].map((seq) => `${seq} tool_call`),
        '6 warning',
        '7 workflow_status',
        '8 complete',
      ]);
      expect(await parts.store.get(handle.workflowId)).toMatchObject({ result: 'x'.repeat(100_000) });
    },
    60_000,
  );

  test('a workflow that closes while a query is in flight leaves no warning in the log of its worker', async () => {
    const { worker, handle, watching, stream, release } = await holdQuery();
    await handle.terminate('enough');
    release();
    await stream.ended(20_000);
    expect(linesOf(stream).at(-1)).toBe('2 error TERMINATED');
    await watching.close();
    await worker.stop();
    expect(queryWarnings()).toEqual([]);
  }, 60_000);

  test('a workflow without our query leaves no warning in the log of its worker, open or closed', async () => {
    await using worker = await startForeignWorker(temporal);
    await using watching = await startWatching(temporal.address);
    for (const isOpen of [true, false]) {
      const handle = await launch(worker.taskQueue, 'patient');
      if (!isOpen) await handle.signal('go').then(() => handle.result());
      using stream = await watchRest(watching.url, handle.workflowId);
      await waitForLine(stream, 'workflow_start');
      if (isOpen) await handle.signal('go');
      await stream.ended(20_000);
    }
    await worker.stop();
    expect(queryWarnings()).toEqual([]);
  }, 60_000);

  test('open workflows without viewers are listed together, and none of them is described', async () => {
    await using watching = await startWatching(temporal.address, { workflows: { sweepMs: 300 } });
    const handles = await Promise.all(
      Array.from({ length: 20 }, () => launch(uniqueId('nobody'), 'patient')),
    );
    const rows = `${watching.url}/api/v0/executions/workflows`;
    for (const { workflowId } of handles) expect((await fetch(`${rows}/${workflowId}`)).ok).toBe(true);
    // Visibility may be late.
    let before = 0;
    await until(async () => {
      const now = watching.requests('describe');
      const lists = watching.requests('list');
      await until(() => watching.requests('list') >= lists + 2);
      before = watching.requests('describe');
      return before === now;
    });
    const lists = watching.requests('list');
    await until(() => watching.requests('list') >= lists + 4);
    expect(watching.requests('describe')).toBe(before);
    await handles[0]!.terminate('enough');
    await until(async () => (await watching.store.get(handles[0]!.workflowId))?.finishedAt, {
      timeoutMs: 10_000,
    });
    expect((await watching.store.get(handles[1]!.workflowId))?.finishedAt).toBeUndefined();
    for (const handle of handles.slice(1)) await handle.terminate();
  }, 60_000);

  test('a low limit of requests delays a stream, and loses nothing of it', async () => {
    const requestLimits = { perSecond: 4, burst: 4 };
    await using watching = await startWatching(temporal.address, { requestLimits });
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [10]);
    const startedAt = performance.now();
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, 'workflow_start');
    for (let i = 0; i < 10; i += 1) await handle.signal('go');
    await stream.ended(15_000);
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(linesOf(stream).filter((line) => !line.includes('warning'))).toHaveLength(12);
    const kinds = ['describe', 'history', 'history_wait', 'query', 'task_queue', 'list'] as const;
    const requests = kinds.reduce((sum, kind) => sum + watching.requests(kind), 0);
    expect(requests).toBeLessThanOrEqual(4 + 4 * seconds + 1);
    const metrics = await (await fetch(`${watching.url}/metrics`)).text();
    expect(metrics).toMatch(/execstream_temporal_requests_total\{kind="query",outcome="ok"\} \d/);
    expect(metrics).toMatch(
      /execstream_temporal_request_wait_seconds_total\{priority="view"\} (0\.\d*[1-9]|\d)/,
    );
  }, 60_000);
});
