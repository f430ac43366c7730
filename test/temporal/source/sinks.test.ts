// Sinks and the source together on a real server: the sink is fast, and the source corrects what it lost or got wrong.
import { expect, test } from 'vitest';
import type { EventLog } from '../../../src/log/log.ts';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { startWorker, uniqueId } from '../rig.ts';
import { linesOf, startWatching, waitForLine, watchRest } from './rig.ts';

describeTemporal('a workflow whose worker has a sink', () => {
  const temporal = useTemporal();
  const launch = (taskQueue: string, name: string, args: unknown[] = []) =>
    temporal.client.workflow.start(name, { taskQueue, workflowId: uniqueId(name), args });
  const signals = (count: number) => [
    '1 workflow_start',
    ...Array.from({ length: count }, (_, i) => `${i + 2} workflow_status RUNNING signal ${i + 1}`),
    `${count + 2} complete SUCCESS`,
  ];

  test('streams each event once; the median time to a viewer is printed', async () => {
    const parts = { log: createMemoryLog(), store: createMemoryStore() };
    await using watching = await startWatching(temporal.address, { parts });
    await using worker = await startWorker(temporal, { parts });
    const count = 40;
    const handle = await launch(worker.taskQueue, 'onSignal', [count]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, 'workflow_start');
    const times: number[] = [];
    for (let i = 1; i <= count; i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      const arrived = waitForLine(stream, `signal ${i}`).then(() => Date.now());
      await handle.signal('go');
      const at = await arrived;
      const page = await parts.log.read(handle.workflowId, i, 1);
      times.push(at - new Date(page!.events[0]!.ts).getTime());
    }
    times.sort((a, b) => a - b);
    console.log(
      `with sinks: median ${times[count / 2]} ms, ${watching.queries} queries for ${count} changes`,
    );
    await stream.ended(10_000);
    expect(linesOf(stream)).toEqual(signals(count));
    expect(watching.queries).toBeLessThan(count);
  }, 40_000);

  test('reports the same events by its sink and by the query, in whichever order their fields are', async () => {
    const parts = { log: createMemoryLog(), store: createMemoryStore() };
    await using worker = await startWorker(temporal, { parts });
    const handle = await launch(worker.taskQueue, 'unordered');
    await until(async () => (await parts.log.head(handle.workflowId))?.head === 4);
    await using watching = await startWatching(temporal.address, { parts });
    using stream = await watchRest(watching.url, handle.workflowId);
    await until(() => watching.queries > 0);
    await handle.signal('go');
    await stream.ended(15_000);
    expect(linesOf(stream).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      '1 workflow_start',
      '2 tool_call',
      '3 workflow_status',
      '4 agent_start',
      '5 complete',
    ]);
  });

  test('streams in order the events that the sink lost', async () => {
    const log = createMemoryLog();
    const store = createMemoryStore();
    let calls = 0;
    const leaky: EventLog = {
      ...log,
      // Two of three appends are lost.
      append: async (...args) => {
        calls += 1;
        return calls % 3 === 0 ? log.append(...args) : { outcome: 'fenced' };
      },
    };
    await using watching = await startWatching(temporal.address, { parts: { log, store } });
    await using worker = await startWorker(temporal, { parts: { log: leaky, store } });
    const handle = await launch(worker.taskQueue, 'onSignal', [10]);
    using stream = await watchRest(watching.url, handle.workflowId);
    for (let i = 1; i <= 10; i += 1) {
      await handle.signal('go');
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    await stream.ended(15_000);
    expect(linesOf(stream)).toEqual(signals(10));
  });

  test('restarts in a new epoch if committed history contradicts an event of the sink', async () => {
    const parts = { log: createMemoryLog(), store: createMemoryStore() };
    await using watching = await startWatching(temporal.address, { parts });
    await using worker = await startWorker(temporal, { parts });
    const handle = await launch(worker.taskQueue, 'onSignal', [3]);
    const id = handle.workflowId;
    using stream = await watchRest(watching.url, id);
    await handle.signal('go');
    await waitForLine(stream, 'signal 1');
    // As from a workflow task that was lost and ran again differently.
    const head = (await parts.log.head(id))!;
    const ts = new Date().toISOString();
    const wrong = { type: 'workflow_status', ts, data: { status: 'RUNNING', step: 'never was' } } as const;
    await parts.log.append(id, { epoch: head.epoch, acknowledged: 0, events: [{ ...wrong, seq: 3 }] });
    await handle.signal('go');
    await handle.signal('go');
    await stream.ended(15_000);
    const lines = linesOf(stream);
    const contradicted = lines.indexOf('3 workflow_status RUNNING never was');
    expect(lines.slice(contradicted + 1)).toEqual(['0 reset source', ...signals(3)]);
  });

  test('has its end from the source if the worker has died', async () => {
    const parts = { log: createMemoryLog(), store: createMemoryStore() };
    // The final query takes up to this time, regardless of the longer retry delay.
    const workflows = { finalQueryTimeoutMs: 3_000, retryMs: { firstMs: 60_000, maxMs: 60_000 } };
    await using watching = await startWatching(temporal.address, { parts, workflows });
    const worker = await startWorker(temporal, { parts });
    const handle = await launch(worker.taskQueue, 'onSignal', [9]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await handle.signal('go');
    await waitForLine(stream, 'signal 1');
    await worker.stop();
    await handle.terminate('gone');
    await stream.ended(20_000);
    expect(linesOf(stream).filter((line) => !line.includes('warning'))).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal 1',
      '3 error TERMINATED',
    ]);
    const row = await until(async () => (await parts.store.get(handle.workflowId))?.end);
    expect(row.seq).toBe(3);
  }, 40_000);
});
