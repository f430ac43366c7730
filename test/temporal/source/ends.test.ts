// How workflows end, and failures on the way, on a real server: one end each, and no broken stream.
import { expect, test } from 'vitest';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { TemporalError } from '../../../src/temporal/source/errors.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import {
  connectTo,
  describeOwnTemporal,
  describeTemporal,
  startTemporal,
  useTemporal,
} from '../../support/temporal.ts';
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

describeTemporal('the end of a workflow', () => {
  const temporal = useTemporal();
  const launch = (taskQueue: string, name: string, args: unknown[] = [], options: object = {}) =>
    temporal.client.workflow.start(name, { taskQueue, workflowId: uniqueId(name), args, ...options });

  test.each([
    ['terminated', 'onSignal', 'TERMINATED'],
    ['cancelled', 'cancellable', 'CANCELED'],
    ['timed out', 'onSignal', 'TIMED_OUT'],
    ['failed', 'failing', 'FAILED'],
  ] as const)(
    'the end of a workflow (%s) is one error event, and its row has the same status',
    async (how, name, status) => {
      await using watching = await startWatching(temporal.address);
      await using worker = await startWorker(temporal);
      const args = { onSignal: [9], cancellable: [false], failing: ['failure'] }[name];
      const options = how === 'timed out' ? { workflowExecutionTimeout: '1500 ms' } : {};
      const handle = await launch(worker.taskQueue, name, args, options);
      using rest = await watchRest(watching.url, handle.workflowId);
      using graphql = await watchGraphql(watching.url, handle.workflowId);
      await waitForLine(rest, 'workflow_start');
      if (how === 'terminated') await handle.terminate('enough');
      if (how === 'cancelled') await handle.cancel();
      for (const stream of [rest, graphql]) {
        await stream.ended(15_000);
        expect(linesOf(stream).filter((line) => /complete|error/.test(line))).toEqual([
          linesOf(stream).at(-1),
        ]);
        expect(linesOf(stream).at(-1)).toContain(`error ${status}`);
      }
      const row = await until(async () => {
        const now = await watching.store.get(handle.workflowId);
        return now?.end && now;
      });
      expect(row.status).toBe(status);
      if (how === 'terminated') expect(row.error).toEqual({ message: 'enough' });
      using resumed = await watchRest(watching.url, handle.workflowId, '', lastCursor(rest));
      expect(resumed.status).toBe(204);
    },
  );

  test('a reset does not end the stream: viewers receive a reset and then the new history', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [2]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await handle.signal('go');
    await waitForLine(stream, 'signal 1');
    const { client } = temporal;
    await client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: handle.workflowId, runId: handle.firstExecutionRunId },
      reason: 'again',
      workflowTaskFinishEventId: 4,
      requestId: crypto.randomUUID(),
    } as never);
    await waitForLine(stream, 'reset run');
    const latest = client.workflow.getHandle(handle.workflowId);
    await latest.signal('go');
    await stream.ended(15_000);
    const lines = linesOf(stream);
    expect(lines.slice(lines.indexOf('0 reset run'))).toEqual([
      '0 reset run',
      '1 workflow_start',
      '2 workflow_status RUNNING signal 1',
      '3 workflow_status RUNNING signal 2',
      '4 complete SUCCESS',
    ]);
    expect(lines.filter((line) => line.includes('error'))).toEqual([]);
  });

  test('a cron run does not end the stream: each run restarts it', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startWorker(temporal);
    const options = { cronSchedule: '@every 2s' };
    const handle = await launch(worker.taskQueue, 'laps', [1], options);
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, 'next cron run', 15_000);
    const starts = () => linesOf(stream).filter((line) => line === '1 workflow_start').length;
    await stream.until(() => starts() >= 2, 'the next run', 15_000);
    expect(linesOf(stream)).toContain('0 reset run');
    // Between two runs nothing can be queried, and that is no reason for a warning.
    expect(linesOf(stream).filter((line) => /NO_WORKER|WORKER_SLOW/.test(line))).toEqual([]);
    await temporal.client.workflow.getHandle(handle.workflowId).terminate('no more');
    await stream.ended(10_000);
    expect(linesOf(stream).filter((line) => /complete|error/.test(line))).toEqual([linesOf(stream).at(-1)]);
  }, 40_000);

  test('an ended workflow without log and worker still has its state and its end, also without a row', async () => {
    await using watching = await startWatching(temporal.address);
    const worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [1]);
    const id = handle.workflowId;
    using stream = await watchRest(watching.url, id);
    await waitForLine(stream, 'workflow_start');
    await handle.signal('go');
    await stream.ended(10_000);
    await until(async () => (await watching.store.get(id))?.end);
    await worker.stop();
    const { store } = watching;
    await using later = await startWatching(temporal.address, { parts: { log: createMemoryLog(), store } });
    const state = await fetch(`${later.url}/api/v0/executions/workflows/${id}`);
    expect(await state.json()).toMatchObject({ status: 'SUCCESS', result: 1 });
    using back = await watchRest(later.url, id, '', lastCursor(stream));
    expect(back.status).toBe(204);
    using fromStart = await watchRest(later.url, id);
    await fromStart.ended(10_000);
    expect(linesOf(fromStart).at(-1)).toBe('3 complete SUCCESS');
    // Without a row, its history is read.
    await using other = await startWatching(temporal.address);
    using first = await watchRest(other.url, id);
    await first.ended(20_000);
    expect(linesOf(first).filter((line) => !line.includes('warning'))).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal go',
      '3 complete SUCCESS',
    ]);
  }, 60_000);

  test('a stopped worker causes a warning, and the stream continues when another one starts', async () => {
    await using watching = await startWatching(temporal.address);
    const worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [2]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await handle.signal('go');
    await waitForLine(stream, 'signal 1');
    await worker.stop();
    await handle.signal('go');
    await waitForLine(stream, /warning (WORKER_SLOW|NO_WORKER)/, 15_000);
    expect(stream.end).toBeUndefined();
    // The workflow completes immediately: its last events must precede its end.
    await using _next = await startWorker(temporal, { taskQueue: worker.taskQueue });
    await stream.ended(30_000);
    expect(linesOf(stream).filter((line) => !line.includes('warning'))).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal 1',
      '3 workflow_status RUNNING signal 2',
      '4 complete SUCCESS',
    ]);
  }, 60_000);

  test('viewers of every server receive a warning, and see when it is cleared', async () => {
    const parts = { log: createMemoryLog(), store: createMemoryStore() };
    await using first = await startWatching(temporal.address, { parts });
    await using second = await startWatching(temporal.address, { parts });
    const worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [3]);
    using one = await watchRest(first.url, handle.workflowId);
    await handle.signal('go');
    await waitForLine(one, 'signal 1');
    using two = await watchRest(second.url, handle.workflowId);
    await waitForLine(two, 'signal 1');
    await worker.stop();
    await handle.signal('go');
    for (const stream of [one, two]) await waitForLine(stream, /warning (WORKER_SLOW|NO_WORKER)/, 15_000);
    await using _next = await startWorker(temporal, { taskQueue: worker.taskQueue });
    for (const stream of [one, two]) await waitForLine(stream, 'signal 2', 20_000);
    // A viewer that joins afterwards receives no warning.
    await until(async () => {
      using late = await watchRest(second.url, handle.workflowId, '', lastCursor(one));
      await new Promise((resolve) => setTimeout(resolve, 100));
      return linesOf(late).length === 0;
    });
    await handle.terminate();
  }, 60_000);

  test('the end waits for the events before it if the worker is too slow when its workflow ends', async () => {
    let failures = 0;
    await using watching = await startWatching(temporal.address, {
      temporal: (client) => ({
        ...client,
        async query(...args) {
          if (failures === 0) return client.query(...args);
          failures -= 1;
          throw new TemporalError('slow-worker', 'no response in time');
        },
      }),
    });
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [2]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await handle.signal('go');
    await waitForLine(stream, 'signal 1');
    failures = 5;
    await handle.signal('go');
    await stream.ended(30_000);
    expect(failures).toBe(0);
    expect(linesOf(stream).filter((line) => !line.includes('warning'))).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal 1',
      '3 workflow_status RUNNING signal 2',
      '4 complete SUCCESS',
    ]);
  }, 40_000);

  test('the end of a terminated workflow is not delayed if the log has all of its events', async () => {
    await using watching = await startWatching(temporal.address);
    const worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [2]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await handle.signal('go');
    await waitForLine(stream, 'signal 1');
    // The log is up to date once no query follows.
    let queries = -1;
    while (queries < watching.queries) {
      queries = watching.queries;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    await worker.stop();
    await handle.terminate('enough');
    await stream.ended(10_000);
    expect(linesOf(stream).at(-1)).toBe('3 error TERMINATED');
    expect(watching.queries).toBe(queries);
  }, 40_000);

  test('a delayed start shows no warning', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [1], { startDelay: '4 s' });
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, '1 workflow_start', 2_000);
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await handle.signal('go');
    await stream.ended(10_000);
    expect(linesOf(stream)).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal 1',
      '3 complete SUCCESS',
    ]);
  });

  test('a workflow without any worker has a stream, and its end', async () => {
    await using watching = await startWatching(temporal.address);
    const handle = await launch(uniqueId('nobody'), 'onSignal', [2]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, /warning (WORKER_SLOW|NO_WORKER)/, 15_000);
    await handle.terminate('given up');
    await stream.ended(20_000);
    expect(linesOf(stream).filter((line) => !line.includes('warning'))).toEqual([
      '1 workflow_start',
      '2 error TERMINATED',
    ]);
  }, 60_000);

  test('the end of a workflow whose task keeps failing is read, though its event id was shown for the next task', async () => {
    let newest = 0;
    await using watching = await startWatching(temporal.address, {
      temporal: (client) => ({
        ...client,
        async history(...args) {
          const page = await client.history(...args);
          newest = Math.max(newest, ...page.events.map(({ eventId }) => Number(eventId)));
          return page;
        },
      }),
    });
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'nobodyWroteThis');
    const attempts = async () => (await handle.describe()).raw.pendingWorkflowTask?.attempt ?? 0;
    await until(async () => (await attempts()) > 1, { timeoutMs: 10_000 });
    using stream = await watchRest(watching.url, handle.workflowId);
    // The history has 4 events: started, and a task scheduled, started and failed. Later ids are not assigned yet.
    await until(() => newest > 4, { what: 'the next task', timeoutMs: 10_000 });
    await handle.terminate('given up');
    await stream.ended(20_000);
    expect(linesOf(stream).at(-1)).toContain('error TERMINATED');
    expect((await handle.fetchHistory()).events).toHaveLength(5);
  }, 60_000);

  test('a query handler that throws causes a warning, and the end is appended', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startForeignWorker(temporal);
    const handle = await launch(worker.taskQueue, 'badQuery');
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, 'warning QUERY_FAILED', 15_000);
    await handle.signal('go');
    await stream.ended(15_000);
    expect(linesOf(stream).at(-1)).toMatch(/complete SUCCESS$/);
  }, 40_000);

  test('another server takes over from a dead watcher within the lease, without a gap', async () => {
    const parts = {
      log: createMemoryLog(),
      store: createMemoryStore(),
    };
    const watcher = { isDead: false };
    const hang = () => new Promise<never>(() => {});
    // As for a killed process, its calls hang and its lease expires.
    const mortal = {
      ...parts.log,
      renewLease: (...args: Parameters<typeof parts.log.renewLease>) =>
        watcher.isDead ? hang() : parts.log.renewLease(...args),
    };
    await using first = await startWatching(temporal.address, {
      parts: { ...parts, log: mortal },
      temporal: (client) => ({
        ...client,
        query: (...args) => (watcher.isDead ? hang() : client.query(...args)),
        history: (...args) => (watcher.isDead ? hang() : client.history(...args)),
      }),
    });
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'onSignal', [3]);
    using one = await watchRest(first.url, handle.workflowId);
    await handle.signal('go');
    await waitForLine(one, 'signal 1');
    await using second = await startWatching(temporal.address, { parts });
    using two = await watchRest(second.url, handle.workflowId);
    watcher.isDead = true;
    const diedAt = performance.now();
    await handle.signal('go');
    await waitForLine(two, 'signal 2', 10_000);
    console.log(
      `another watcher took over after ${Math.round(performance.now() - diedAt)} ms (lease 1500 ms)`,
    );
    await handle.signal('go');
    await two.ended(10_000);
    expect(linesOf(two)).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal 1',
      '3 workflow_status RUNNING signal 2',
      '4 workflow_status RUNNING signal 3',
      '5 complete SUCCESS',
    ]);
    expect(linesOf(one)).toEqual(linesOf(two));
  }, 40_000);
});

describeOwnTemporal('a Temporal server', () => {
  test('that is unavailable for 10 s causes no gap and ends no stream', async () => {
    await using server = await startTemporal({ persistent: true });
    const connections = await connectTo(server.address);
    try {
      await using watching = await startWatching(server.address);
      await using worker = await startWorker(connections);
      const workflowId = uniqueId('away');
      const { taskQueue } = worker;
      await connections.client.workflow.start('onSignal', { taskQueue, workflowId, args: [3] });
      const handle = connections.client.workflow.getHandle(workflowId);
      using stream = await watchRest(watching.url, workflowId);
      await handle.signal('go');
      await waitForLine(stream, 'signal 1');
      await server.kill();
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      expect(stream.end).toBeUndefined();
      expect(linesOf(stream).filter((line) => line.includes('warning SOURCE_UNAVAILABLE'))).toHaveLength(1);
      await server.restart();
      await until(() => handle.signal('go').then(() => true), { timeoutMs: 20_000, everyMs: 200 });
      await waitForLine(stream, 'signal 2', 20_000);
      await handle.signal('go');
      await stream.ended(20_000);
      expect(linesOf(stream).filter((line) => !line.includes('warning'))).toEqual([
        '1 workflow_start',
        '2 workflow_status RUNNING signal 1',
        '3 workflow_status RUNNING signal 2',
        '4 workflow_status RUNNING signal 3',
        '5 complete SUCCESS',
      ]);
    } finally {
      await connections.close();
    }
  }, 90_000);
});
