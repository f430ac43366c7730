// A workflow id that is used again: the id names the latest run, for streams, states and lists, on a real server.
import { expect, test } from 'vitest';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { openSse, type SseStream } from '../../support/sse.ts';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { startWorker, uniqueId } from '../rig.ts';
import {
  fetchState,
  lastCursor,
  launcherOf,
  linesOf,
  startForeignWorker,
  startWatching,
  type Watching,
  waitForLine,
  watchGraphql,
  watchRest,
} from './rig.ts';

describeTemporal('a workflow id that is used again', () => {
  const temporal = useTemporal();

  const launch = launcherOf(temporal);
  const stateOf = fetchState<{ status: string; runId: string; result: unknown; durationMs: number }>;

  const endsOf = (stream: SseStream) => linesOf(stream).filter((line) => /complete|error/.test(line));

  test('each run of an id is shown with one end, and a viewer that returns with its cursor gets the next one', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('again');
    let cursor: string | undefined;
    for (let round = 1; round <= 5; round += 1) {
      const handle = await launch(worker.taskQueue, 'delivery', id);
      using stream = await watchRest(watching.url, id, '', cursor);
      await stream.ended(10_000);
      const lines = linesOf(stream);
      expect(lines[0]).toBe(round === 1 ? '1 workflow_start' : '0 reset run');
      expect(lines.filter((line) => line.includes('workflow_start'))).toEqual(['1 workflow_start']);
      expect(endsOf(stream)).toEqual([lines.at(-1)]);
      expect(lines.at(-1)).toMatch(/complete SUCCESS$/);
      cursor = lastCursor(stream);
      expect(await stateOf(watching, id)).toMatchObject({
        ...{ status: 'SUCCESS', runId: handle.firstExecutionRunId },
      });
      using ended = await watchRest(watching.url, id, '', cursor);
      expect(ended.status).toBe(204);
    }
  }, 60_000);

  /** Follows an id as an EventSource does, until a run has this id; returns the lines of each stream. */
  async function follow(watching: Watching, id: string, lastRunId: () => string | undefined) {
    const shown: { readonly runId: string; readonly lines: string[] }[] = [];
    for (let cursor: string | undefined; shown.at(-1)?.runId !== (lastRunId() ?? ''); ) {
      using stream = await watchRest(watching.url, id, '', cursor);
      // Nothing new: the next run has not started.
      if (stream.status === 204) continue;
      await stream.ended(10_000);
      const start = stream.frames.find(({ event }) => event === 'workflow_start')!;
      shown.push({ runId: JSON.parse(start.data).runId, lines: linesOf(stream) });
      cursor = lastCursor(stream);
    }
    return shown;
  }

  test.each([
    ['without states', false],
    ['with states in between', true],
  ])(
    'five runs without pauses are shown one after another to a viewer that stays, %s',
    async (_, hasStates) => {
      await using watching = await startWatching(temporal.address, { workflows: { queryGraceMs: 250 } });
      await using worker = await startForeignWorker(temporal);
      const id = uniqueId('again');
      const runIds: string[] = [];
      let isDone = false;
      const first = await launch(worker.taskQueue, 'delivery', id);
      runIds.push(first.firstExecutionRunId);
      const following = follow(watching, id, () => (isDone ? runIds.at(-1) : undefined));
      using _first = await watchRest(watching.url, id);
      await first.result();
      for (let round = 2; round <= 5; round += 1) {
        const handle = await launch(worker.taskQueue, 'delivery', id);
        runIds.push(handle.firstExecutionRunId);
        if (hasStates) expect(await stateOf(watching, id)).toMatchObject({ runId: runIds.at(-1) });
        await handle.result();
        if (!hasStates) continue;
        expect(await stateOf(watching, id)).toMatchObject({ status: 'SUCCESS', runId: runIds.at(-1) });
      }
      isDone = true;
      const shown = await following;
      expect(shown.map(({ runId }) => runId)).toEqual(runIds);
      for (const [i, { lines }] of shown.entries()) {
        expect(lines).toEqual([
          ...(i === 0 ? [] : ['0 reset run']),
          '1 workflow_start',
          '2 workflow_status RUNNING timer 1 (0.05 s)',
          '3 workflow_status RUNNING timer 1 (0.05 s) fired',
          '4 complete SUCCESS',
        ]);
      }
    },
    60_000,
  );

  test.each([
    ['without a sink', false],
    ['with a sink', true],
  ])(
    'five runs without pauses that stream themselves are shown one after another, %s',
    async (_, hasSink) => {
      await using watching = await startWatching(temporal.address);
      const parts = { log: watching.log, store: watching.store };
      await using worker = await startWorker(temporal, hasSink ? { parts } : {});
      const id = uniqueId('again');
      const runIds: string[] = [];
      let isDone = false;
      const first = await launch(worker.taskQueue, 'onSignal', id, [1]);
      runIds.push(first.firstExecutionRunId);
      using connected = await watchRest(watching.url, id);
      await waitForLine(connected, 'workflow_start');
      const following = follow(watching, id, () => (isDone ? runIds.at(-1) : undefined));
      await first.signal('go');
      await first.result();
      for (let round = 2; round <= 5; round += 1) {
        const handle = await launch(worker.taskQueue, 'onSignal', id, [1]);
        runIds.push(handle.firstExecutionRunId);
        await handle.signal('go');
        await handle.result();
      }
      isDone = true;
      const shown = await following;
      expect(shown.map(({ runId }) => runId)).toEqual(runIds);
      for (const { lines } of shown) {
        expect(lines.filter((line) => line.includes('complete'))).toEqual([lines.at(-1)]);
      }
    },
    60_000,
  );

  test('a viewer that left in the middle of a run gets that run, and those that it has missed', async () => {
    await using watching = await startWatching(temporal.address, { workflows: { queryGraceMs: 250 } });
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('again');
    const runs = [await launch(worker.taskQueue, 'patient', id)];
    let cursor: string;
    {
      using stream = await watchRest(watching.url, id);
      await waitForLine(stream, '1 workflow_start');
      cursor = lastCursor(stream);
    }
    for (let round = 1; round <= 3; round += 1) {
      const run = round === 1 ? runs[0]! : await launch(worker.taskQueue, 'patient', id);
      if (round > 1) runs.push(run);
      await run.signal('go');
      await run.result();
      expect(await stateOf(watching, id)).toMatchObject({ runId: run.firstExecutionRunId });
    }
    const seen: string[] = [];
    for (let round = 1; round <= 3; round += 1) {
      using stream = await watchRest(watching.url, id, '', cursor);
      await stream.ended(10_000);
      expect(linesOf(stream)).toEqual([
        ...['0 reset run', '1 workflow_start', '2 workflow_status RUNNING signal go', '3 complete SUCCESS'],
      ]);
      seen.push(JSON.parse(stream.frames.find(({ event }) => event === 'workflow_start')!.data).runId);
      cursor = lastCursor(stream);
    }
    expect(seen).toEqual(runs.map(({ firstExecutionRunId }) => firstExecutionRunId));
    using ended = await watchRest(watching.url, id, '', cursor);
    expect(ended.status).toBe(204);
  }, 60_000);

  test('over GraphQL, a cursor of an earlier run gets the next one', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('again');
    await launch(worker.taskQueue, 'delivery', id);
    using first = await watchGraphql(watching.url, id);
    await first.ended(10_000);
    const after = lastCursor(first);
    await launch(worker.taskQueue, 'delivery', id);
    const query = `subscription { workflowStream(id: "${id}", after: "${after}") { seq type data } }`;
    using second = await openSse(`${watching.url}/graphql?query=${encodeURIComponent(query)}`);
    await second.ended(10_000);
    expect(linesOf(second)[0]).toBe('0 reset run');
    expect(linesOf(second)[1]).toBe('1 workflow_start');
    expect(linesOf(second).at(-1)).toMatch(/complete SUCCESS$/);
  }, 30_000);

  test('a viewer of a run that is terminated by a new start gets its end, and then the new run', async () => {
    await using watching = await startWatching(temporal.address, { workflows: { queryGraceMs: 250 } });
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('again');
    await launch(worker.taskQueue, 'patient', id);
    using first = await watchRest(watching.url, id);
    await waitForLine(first, 'workflow_start');
    const next = await launch(worker.taskQueue, 'patient', id);
    // Another viewer that comes with the new start must not hide that end.
    using other = await watchRest(watching.url, id);
    await first.ended(10_000);
    expect(linesOf(first).at(-1)).toContain('error TERMINATED');
    expect(linesOf(first).filter((line) => line.includes('reset'))).toEqual([]);
    using second = await watchRest(watching.url, id, '', lastCursor(first));
    await waitForLine(second, '1 workflow_start');
    expect(linesOf(second)[0]).toBe('0 reset run');
    await waitForLine(other, '1 workflow_start');
    expect(await stateOf(watching, id)).toMatchObject({ status: 'RUNNING', runId: next.firstExecutionRunId });
    const list = await fetch(`${watching.url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        query: '{ executions(kind: WORKFLOW) { edges { node { id runId status } } } }',
      }),
    });
    const { data } = (await list.json()) as { data: { executions: { edges: { node: object }[] } } };
    expect(data.executions.edges.map(({ node }) => node)).toContainEqual({
      ...{ id, runId: next.firstExecutionRunId, status: 'RUNNING' },
    });
    await next.signal('go');
    await second.ended(10_000);
    expect(endsOf(second)).toHaveLength(1);
  }, 40_000);

  test('a reset of a closed run is shown', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('again');
    const handle = await launch(worker.taskQueue, 'patient', id);
    using first = await watchRest(watching.url, id);
    await handle.signal('go');
    await first.ended(10_000);
    await handle.result();
    await temporal.client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: id, runId: handle.firstExecutionRunId },
      reason: 'again',
      workflowTaskFinishEventId: 4,
      requestId: crypto.randomUUID(),
      resetReapplyExcludeTypes: [1],
    } as never);
    using second = await watchRest(watching.url, id, '', lastCursor(first));
    await waitForLine(second, '1 workflow_start');
    expect(linesOf(second)[0]).toBe('0 reset run');
    expect(await stateOf(watching, id)).toMatchObject({ status: 'RUNNING' });
    await temporal.client.workflow.getHandle(id).signal('go');
    await second.ended(10_000);
    expect(endsOf(second)).toHaveLength(1);
    expect(await stateOf(watching, id)).toMatchObject({ status: 'SUCCESS' });
    using ended = await watchRest(watching.url, id, '', lastCursor(second));
    expect(ended.status).toBe(204);
  }, 40_000);

  test('the next run is also shown if the log of the one before has expired', async () => {
    const store = createMemoryStore();
    await using watching = await startWatching(temporal.address, {
      parts: { log: createMemoryLog(), store },
    });
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('again');
    await launch(worker.taskQueue, 'delivery', id);
    using first = await watchRest(watching.url, id);
    await first.ended(10_000);
    await until(async () => (await store.get(id))?.end);
    await using later = await startWatching(temporal.address, { parts: { log: createMemoryLog(), store } });
    await launch(worker.taskQueue, 'delivery', id);
    using second = await watchRest(later.url, id, '', lastCursor(first));
    await second.ended(10_000);
    expect(linesOf(second).slice(0, 2)).toEqual(['0 reset run', '1 workflow_start']);
    expect(endsOf(second)).toHaveLength(1);
  }, 40_000);

  test('a workflow that streams itself, with and without a sink, is shown run by run', async () => {
    for (const hasSink of [false, true]) {
      await using watching = await startWatching(temporal.address);
      const parts = { log: watching.log, store: watching.store };
      await using worker = await startWorker(temporal, hasSink ? { parts } : {});
      const id = uniqueId('again');
      let cursor: string | undefined;
      for (let round = 1; round <= 3; round += 1) {
        const handle = await launch(worker.taskQueue, 'onSignal', id, [1]);
        await handle.signal('go');
        using stream = await watchRest(watching.url, id, '', cursor);
        await stream.ended(15_000);
        const reset = round === 1 ? [] : ['0 reset run'];
        expect(linesOf(stream).filter((line) => !line.includes('reset source'))).toEqual([
          ...reset,
          '1 workflow_start',
          '2 workflow_status RUNNING signal 1',
          '3 complete SUCCESS',
        ]);
        cursor = lastCursor(stream);
        const { firstExecutionRunId: runId } = handle;
        expect(await stateOf(watching, id)).toMatchObject({ status: 'SUCCESS', runId, result: 1 });
      }
    }
  }, 60_000);

  test('a sink shows the next run although nobody requests it', async () => {
    const parts = { log: createMemoryLog(), store: createMemoryStore() };
    await using worker = await startWorker(temporal, { parts });
    const id = uniqueId('again');
    const runIds: string[] = [];
    for (let round = 1; round <= 2; round += 1) {
      const handle = await launch(worker.taskQueue, 'onSignal', id, [1]);
      runIds.push(handle.firstExecutionRunId);
      await handle.signal('go');
      await handle.result();
      await until(async () => {
        const row = await parts.store.get(id);
        return row?.runId === handle.firstExecutionRunId && row.end;
      });
    }
    const page = await parts.log.read(id, 0, 100);
    expect(page?.resetReason).toBe('run');
    expect(page?.events.map(({ type }) => type)).toEqual(['workflow_start', 'workflow_status', 'complete']);
    expect(page?.events[0]?.data).toMatchObject({ runId: runIds[1] });
  }, 30_000);
});
