// On a real server: the log has the events of workflows immediately, completely and once, also after failures.
import { afterEach, expect, test } from 'vitest';
import type { EventLog } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { describeRedis, sharedRedisUrl } from '../support/redis.ts';
import { describeTemporal, type TemporalConnections, useTemporal } from '../support/temporal.ts';
import { until } from '../support/wait.ts';
import { queryStream, readAll, startWorker, summaryOf, uniqueId } from './rig.ts';
import type * as workflows from './workflows.ts';

const open: EventLog[] = [];
afterEach(async () => {
  for (const log of open.splice(0)) await log.close();
});

function parts(log: EventLog = createMemoryLog()) {
  open.push(log);
  return { log, store: createMemoryStore() };
}

async function events(log: EventLog, id: string) {
  return (await log.read(id, 0, 10_000))?.events ?? [];
}

function hasEnded(log: EventLog, id: string) {
  return until(async () => (await log.head(id))?.end, { what: 'the end', timeoutMs: 10_000 });
}

function launch(
  temporal: TemporalConnections,
  taskQueue: string,
  name: keyof typeof workflows,
  args: unknown[],
) {
  return temporal.client.workflow.start(name, { taskQueue, workflowId: uniqueId(name), args });
}

function sinkSuite(make: () => EventLog): void {
  const temporal = useTemporal();

  test('has every event once and in order, and the row has the cursor of the end', async () => {
    const { log, store } = parts(make());
    await using worker = await startWorker(temporal, { parts: { log, store } });
    const handle = await launch(temporal, worker.taskQueue, 'everything', ['ants']);
    const id = handle.workflowId;
    await handle.result();
    await hasEnded(log, id);
    const stored = await events(log, id);
    const queried = await readAll(handle);
    expect(stored.map(({ seq, type, ts, data }) => ({ seq, type, ts, data }))).toEqual(queried);
    const row = await until(async () => (await store.get(id))?.end && store.get(id));
    const { epoch } = (await log.head(id))!;
    expect(row).toMatchObject({
      kind: 'workflow',
      status: 'SUCCESS',
      name: 'everything',
      workflowId: id,
      runId: handle.firstExecutionRunId,
      result: { topic: 'ants' },
      usage: { totalTokens: 3 },
      end: { seq: 11, epoch },
    });
  });

  test('continues without duplicates when a worker stops and another one replays', async () => {
    const { log, store } = parts(make());
    const first = await startWorker(temporal, { parts: { log, store } });
    const { taskQueue } = first;
    const handle = await launch(temporal, taskQueue, 'onSignal', [4]);
    const id = handle.workflowId;
    await handle.signal('go');
    await handle.signal('go');
    await until(async () => (await log.head(id))?.head === 3);
    await first.stop();
    await using _second = await startWorker(temporal, { taskQueue, parts: { log, store } });
    await handle.signal('go');
    await handle.signal('go');
    await handle.result();
    await hasEnded(log, id);
    expect((await events(log, id)).map((event) => summaryOf(event))).toEqual([
      '1 workflow_start',
      '2 workflow_status signal 1',
      '3 workflow_status signal 2',
      '4 workflow_status signal 3',
      '5 workflow_status signal 4',
      '6 complete SUCCESS',
    ]);
  });

  test('accepts the same events from the query as duplicates', async () => {
    const { log, store } = parts(make());
    await using worker = await startWorker(temporal, { parts: { log, store } });
    const handle = await launch(temporal, worker.taskQueue, 'onSignal', [2]);
    const id = handle.workflowId;
    await handle.signal('go');
    const head = await until(async () => {
      const now = await log.head(id);
      return now && now.head >= 2 && now;
    });
    const page = await queryStream(handle);
    // As the server does, with a fencing token, concurrently with the sink.
    const append = { epoch: head.epoch, acknowledged: 0, fence: 7, events: page.events };
    expect(await log.append(id, append)).toEqual({ outcome: 'appended', head: 2 });
    await handle.signal('go');
    await handle.result();
    await hasEnded(log, id);
    const all = await readAll(handle);
    expect(await log.append(id, { ...append, events: all })).toEqual({ outcome: 'appended', head: 4 });
    expect((await events(log, id)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  test('continues in one epoch through continue-as-new', async () => {
    const { log, store } = parts(make());
    await using worker = await startWorker(temporal, { parts: { log, store } });
    const handle = await launch(temporal, worker.taskQueue, 'laps', [3]);
    await handle.result();
    await hasEnded(log, handle.workflowId);
    expect((await events(log, handle.workflowId)).map((event) => summaryOf(event)).slice(-3)).toEqual([
      '9 workflow_status 1b',
      '10 workflow_status 1c',
      '11 complete SUCCESS',
    ]);
  });
}

describeTemporal('the memory log behind a sink', () => sinkSuite(() => createMemoryLog()));
describeRedis('the Redis log behind a sink', () => {
  describeTemporal('', () =>
    sinkSuite(() => createRedisLog({ redis: sharedRedisUrl(), prefix: 'temporal:' })),
  );
});

describeTemporal('a sink', () => {
  const temporal = useTemporal();

  test('appends no end that Temporal rejected because a signal had arrived', async () => {
    const { log, store } = parts();
    await using worker = await startWorker(temporal, { parts: { log, store } });
    const handle = await launch(temporal, worker.taskQueue, 'hasty', []);
    const id = handle.workflowId;
    // The second workflow task has started: it computes for a while and returns.
    await until(
      async () =>
        (await handle.fetchHistory()).events!.filter((e) => e.workflowTaskStartedEventAttributes).length ===
        2,
    );
    await handle.signal('go');
    expect(await handle.result()).toBe(1);
    const history = await handle.fetchHistory();
    expect(history.events!.some((event) => event.workflowTaskFailedEventAttributes)).toBe(true);
    await hasEnded(log, id);
    expect((await events(log, id)).map((event) => summaryOf(event))).toEqual([
      '1 workflow_start',
      '2 workflow_status a signal came after all',
      '3 complete SUCCESS',
    ]);
    expect((await events(log, id))[2]!.data).toMatchObject({ result: 1 });
  });

  test('starts a new epoch and the row’s next attempt for a workflow that is retried', async () => {
    const { log, store } = parts();
    await using worker = await startWorker(temporal, { parts: { log, store } });
    const workflowId = uniqueId('retried');
    const handle = await temporal.client.workflow.start('failing', {
      taskQueue: worker.taskQueue,
      workflowId,
      args: ['retried'],
      retry: { maximumAttempts: 2, initialInterval: '300 ms' },
    });
    const before = await until(async () => {
      const head = await log.head(workflowId);
      return head?.head === 2 && head;
    });
    await expect(handle.result()).rejects.toThrow();
    await hasEnded(log, workflowId);
    const stored = await events(log, workflowId);
    expect(stored.map((event) => summaryOf(event))).toEqual(['1 workflow_start', '2 error InkError']);
    expect(stored.map(({ attempt }) => attempt)).toEqual([2, 2]);
    expect((await log.head(workflowId))!.epoch).not.toBe(before.epoch);
    expect(await store.get(workflowId)).toMatchObject({ attempt: 2, status: 'FAILED' });
  });

  test('appends a cancellation once the run has closed', async () => {
    const { log, store } = parts();
    await using worker = await startWorker(temporal, { parts: { log, store } });
    const handle = await launch(temporal, worker.taskQueue, 'cancellable', [false]);
    await until(async () => (await log.head(handle.workflowId))?.head === 2);
    await handle.cancel();
    await hasEnded(log, handle.workflowId);
    expect((await store.get(handle.workflowId))?.status).toBe('CANCELED');
  });

  test('never fails or delays a workflow while log and store are unavailable', async () => {
    const { log, store } = parts();
    const hang = async () => new Promise<never>(() => {});
    await using worker = await startWorker(temporal, {
      parts: { log: { ...log, head: hang, append: hang }, store },
      shutdownGraceTime: 0,
    });
    const handle = await launch(temporal, worker.taskQueue, 'everything', ['ants']);
    const startedAt = performance.now();
    await handle.result();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  test('appends an event within ms (printed)', async () => {
    const { log, store } = parts();
    await using worker = await startWorker(temporal, { parts: { log, store } });
    const handle = await launch(temporal, worker.taskQueue, 'onSignal', [100]);
    const id = handle.workflowId;
    await until(async () => (await log.head(id))?.head === 1);
    const delays: number[] = [];
    const unlisten = await log.listen(id, {
      onAnnouncement: ({ events }) => {
        // `ts` is the start of the workflow task.
        for (const event of events) delays.push(Date.now() - Date.parse(event.ts));
      },
      onInterruption: () => {},
    });
    for (let i = 0; i < 100; i += 1) await handle.signal('go');
    await hasEnded(log, id);
    await unlisten();
    const sorted = delays.slice(0, 100).sort((a, b) => a - b);
    console.log(
      `from the start of the workflow task to the log, by the sink: median ${sorted[50]} ms, p95 ${sorted[95]} ms`,
    );
    expect(sorted[50]).toBeLessThan(200);
  });
});
