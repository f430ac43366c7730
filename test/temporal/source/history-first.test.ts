// A workflow's history is shown from the first moment, whatever its worker and its query do; a workflow that turns out to
// stream itself continues with its own events.
import { expect, test } from 'vitest';
import { delay } from '../../../src/async/delay.ts';
import type { EventLog } from '../../../src/log/log.ts';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { TemporalError } from '../../../src/temporal/source/errors.ts';
import type { TemporalClient } from '../../../src/temporal/source/temporal-client.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { startWorker, uniqueId } from '../rig.ts';
import { linesOf, startForeignWorker, startWatching, waitForLine, watchRest } from './rig.ts';

/** For tests in which the query does not respond in time. */
const GRACE = { workflows: { queryGraceMs: 250 } };
/** Waits until the log has the numbering of the workflow itself. */
const untilOwnNumbering = (log: EventLog, id: string) =>
  until(async () => !(await log.head(id))!.note!.includes('history:'), { timeoutMs: 20_000 });
const withoutWarnings = (lines: string[]) => lines.filter((line) => !line.includes('warning'));

describeTemporal('the history of a workflow comes first', () => {
  const temporal = useTemporal();
  const launch = (taskQueue: string, name: string, args: unknown[] = [], options: object = {}) =>
    temporal.client.workflow.start(name, { taskQueue, workflowId: uniqueId(name), args, ...options });

  test('if its worker is away from start to end: everything, within 500 ms (printed)', async () => {
    const taskQueue = uniqueId('nobody');
    const handle = await launch(taskQueue, 'order', ['x']);
    await handle.signal('go');
    await handle.signal('go');
    await handle.terminate('given up');
    await using watching = await startWatching(temporal.address, GRACE);
    const startedAt = performance.now();
    using stream = await watchRest(watching.url, handle.workflowId);
    await stream.ended(10_000);
    const ms = Math.round(performance.now() - startedAt);
    console.log(`history and end of a workflow without a worker after ${ms} ms, ${watching.queries} queries`);
    expect(watching.queries).toBe(0);
    expect(linesOf(stream)).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal go',
      '3 workflow_status RUNNING signal go',
      '4 error TERMINATED',
    ]);
  });

  test.each([
    ['before its first task', false],
    ['after a task', true],
  ])(
    'if its worker has left a moment ago, %s: everything, within 500 ms (printed)',
    async (_, hasTask) => {
      const worker = await startForeignWorker(temporal);
      const { taskQueue } = worker;
      // Temporal knows its pollers for minutes.
      if (!hasTask) await (await launch(taskQueue, 'delivery')).result();
      if (!hasTask) await worker.stop();
      const handle = await launch(taskQueue, 'lapper', [2]);
      if (hasTask) await until(async () => (await handle.describe()).historyLength >= 4);
      await worker.stop();
      await handle.signal('go');
      await handle.terminate('given up');
      await using watching = await startWatching(temporal.address, GRACE);
      const startedAt = performance.now();
      using stream = await watchRest(watching.url, handle.workflowId);
      await stream.ended(10_000);
      const ms = Math.round(performance.now() - startedAt);
      console.log(`history and end of a workflow whose worker has left after ${ms} ms`);
      expect(linesOf(stream)).toEqual([
        '1 workflow_start',
        '2 workflow_status RUNNING signal go',
        '3 error TERMINATED',
      ]);
      // Twice the time, because other tests use the machine as well.
      expect(ms).toBeLessThan(1_000);
    },
    30_000,
  );

  test('but is not shown to be replaced if the workflow streams itself and its worker is busy with others', async () => {
    let isBusy = false;
    await using watching = await startWatching(temporal.address, {
      ...GRACE,
      temporal: (client) => ({
        ...client,
        async query(run, since, signal, options) {
          const result = await client.query(run, since, signal, options);
          if (isBusy) await delay(600, signal);
          return result;
        },
      }),
    });
    await using worker = await startWorker(temporal);
    const other = await launch(worker.taskQueue, 'onSignal', [1]);
    using otherStream = await watchRest(watching.url, other.workflowId);
    await other.signal('go');
    await otherStream.ended(10_000);
    isBusy = true;
    const handle = await launch(worker.taskQueue, 'onSignal', [2]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, 'workflow_start');
    await handle.signal('go');
    await waitForLine(stream, 'signal 1');
    await handle.signal('go');
    await stream.ended(20_000);
    expect(linesOf(stream)).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal 1',
      '3 workflow_status RUNNING signal 2',
      '4 complete SUCCESS',
    ]);
  }, 40_000);

  test('while its worker is away, and continues without a reset when the worker comes', async () => {
    await using watching = await startWatching(temporal.address, GRACE);
    const taskQueue = uniqueId('late');
    const handle = await launch(taskQueue, 'lapper', [1]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, '1 workflow_start', 1_000);
    await handle.signal('go');
    await waitForLine(stream, '2 workflow_status RUNNING signal go', 1_000);
    await using _worker = await startForeignWorker(temporal, taskQueue);
    await stream.ended(20_000);
    expect(withoutWarnings(linesOf(stream))).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal go',
      '3 complete SUCCESS',
    ]);
  }, 40_000);

  test('with a warning that no worker polls, if none has polled since its start', async () => {
    await using watching = await startWatching(temporal.address, GRACE);
    const handle = await launch(uniqueId('nobody'), 'patient');
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, 'warning NO_WORKER', 10_000);
    await handle.terminate('given up');
    await stream.ended(10_000);
    const codes = linesOf(stream).flatMap((line) => /warning (\S+)/.exec(line)?.[1] ?? []);
    expect(new Set(codes)).toEqual(new Set(['NO_WORKER']));
  }, 30_000);

  test('and its end follows immediately if it closes before its first task, although a worker polls', async () => {
    await using watching = await startWatching(temporal.address, {
      workflows: { finalQueryTimeoutMs: 60_000 },
    });
    await using worker = await startForeignWorker(temporal);
    const handle = await launch(worker.taskQueue, 'patient', [], { startDelay: '1 h' });
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, '1 workflow_start');
    await handle.terminate('not needed');
    await stream.ended(20_000);
    expect(linesOf(stream)).toEqual(['1 workflow_start', '2 error TERMINATED']);
  }, 40_000);

  test('and its end follows soon if the worker leaves with the query', async () => {
    const silent = (client: TemporalClient): TemporalClient => ({
      ...client,
      query: (_run, _since, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new TemporalError('slow-worker', 'no response')));
        }),
    });
    await using watching = await startWatching(temporal.address, {
      temporal: silent,
      workflows: { ...GRACE.workflows, finalQueryTimeoutMs: 60_000 },
    });
    await using worker = await startForeignWorker(temporal);
    const handle = await launch(worker.taskQueue, 'lapper', [1]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, '1 workflow_start');
    await handle.signal('go');
    await stream.ended(20_000);
    expect(linesOf(stream).at(-1)).toBe('3 complete SUCCESS');
  }, 40_000);

  test('until it turns out to stream itself: a reset that names the source, and its own events', async () => {
    await using watching = await startWatching(temporal.address, GRACE);
    const taskQueue = uniqueId('late');
    const handle = await launch(taskQueue, 'onSignal', [3]);
    await handle.signal('go');
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, '2 workflow_status RUNNING signal go', 1_000);
    await using _worker = await startWorker(temporal, { taskQueue });
    await waitForLine(stream, 'signal 1', 20_000);
    await handle.signal('go');
    await handle.signal('go');
    await stream.ended(10_000);
    expect(withoutWarnings(linesOf(stream))).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal go',
      '0 reset source',
      '1 workflow_start',
      ...[1, 2, 3].map((i) => `${i + 1} workflow_status RUNNING signal ${i}`),
      '5 complete SUCCESS',
    ]);
  }, 40_000);

  test('and has no reset if only the start was shown', async () => {
    await using watching = await startWatching(temporal.address);
    const taskQueue = uniqueId('late');
    const handle = await launch(taskQueue, 'onSignal', [1]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, '1 workflow_start', 1_000);
    await using _worker = await startWorker(temporal, { taskQueue });
    await untilOwnNumbering(watching.log, handle.workflowId);
    await handle.signal('go');
    await stream.ended(20_000);
    expect(withoutWarnings(linesOf(stream))).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal 1',
      '3 complete SUCCESS',
    ]);
  }, 40_000);

  test('and a sink that starts later continues the log', async () => {
    const parts = { log: createMemoryLog(), store: createMemoryStore() };
    await using watching = await startWatching(temporal.address, { parts });
    const taskQueue = uniqueId('late');
    const handle = await launch(taskQueue, 'onSignal', [2]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, '1 workflow_start', 1_000);
    await using _worker = await startWorker(temporal, { taskQueue, parts });
    await untilOwnNumbering(watching.log, handle.workflowId);
    await handle.signal('go');
    await waitForLine(stream, 'signal 1', 20_000);
    await handle.signal('go');
    await stream.ended(20_000);
    expect(withoutWarnings(linesOf(stream))).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal 1',
      '3 workflow_status RUNNING signal 2',
      '4 complete SUCCESS',
    ]);
  }, 40_000);

  test('if the query of that name has another purpose', async () => {
    await using watching = await startWatching(temporal.address, GRACE);
    await using worker = await startForeignWorker(temporal);
    const handle = await launch(worker.taskQueue, 'otherQuery');
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, '1 workflow_start', 5_000);
    await handle.signal('go');
    await stream.ended(10_000);
    expect(linesOf(stream)).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal go',
      '3 complete SUCCESS',
    ]);
  });

  test('if its first workflow task fails', async () => {
    await using watching = await startWatching(temporal.address, GRACE);
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'nobodyWroteThis');
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, '1 workflow_start', 5_000);
    await waitForLine(stream, 'warning WORKFLOW_TASK_FAILED', 5_000);
    await handle.terminate('given up');
    await stream.ended(20_000);
    expect(linesOf(stream).at(-1)).toMatch(/error TERMINATED$/);
  }, 40_000);
});
