// Runs of a workflow that are named by their run ids: streams, states and lists of runs, on a real server.
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
  watchRest,
} from './rig.ts';

interface Run {
  readonly runId: string;
  readonly status: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
}

interface State {
  readonly id: string;
  readonly status: string;
  readonly runId: string;
  readonly startedAt: string;
  readonly durationMs: number | null;
  readonly children: readonly string[];
  readonly lastCursor: string | null;
  readonly runs: readonly Run[] | null;
  readonly runsCursor: string | null;
}

describeTemporal('a run of a workflow that is named by its run id', () => {
  const temporal = useTemporal();

  const launch = launcherOf(temporal);
  const stateOf = fetchState<State>;

  const pathOf = (id: string) => `/api/v0/executions/workflows/${encodeURIComponent(id)}`;

  async function graphql({ url }: Watching, query: string) {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: results of many queries.
    return (await response.json()) as { data: any; errors?: { message: string; extensions: object }[] };
  }

  /** The runs that Temporal's visibility has, once they are as many as expected. */
  const listed = (watching: Watching, id: string, count: number) =>
    until(async () => {
      const { runs } = await stateOf(watching, id, '?runs_first=100');
      return runs?.length === count && runs;
    });

  const runIdOf = ({ frames }: SseStream): string =>
    JSON.parse(frames.find(({ event }) => event === 'workflow_start')!.data).runId;

  test('each run is shown with its start, end, cursor and state, while the id shows the latest one', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('pinned');
    const runIds: string[] = [];
    for (let round = 1; round <= 3; round += 1) {
      const handle = await launch(worker.taskQueue, 'delivery', id);
      await handle.result();
      runIds.push(handle.firstExecutionRunId);
    }
    using latest = await watchRest(watching.url, id);
    await latest.ended(10_000);
    expect(runIdOf(latest)).toBe(runIds[2]);
    for (const runId of runIds) {
      const query = `?run_id=${runId}`;
      expect(await stateOf(watching, id, query)).toMatchObject({ id, runId, status: 'SUCCESS' });
      using stream = await watchRest(watching.url, id, query);
      expect(await stream.ended(10_000)).toBe('clean');
      expect(linesOf(stream)).toEqual([
        '1 workflow_start',
        '2 workflow_status RUNNING timer 1 (0.05 s)',
        '3 workflow_status RUNNING timer 1 (0.05 s) fired',
        '4 complete SUCCESS',
      ]);
      expect(runIdOf(stream)).toBe(runId);
      const cursor = lastCursor(stream);
      using ended = await watchRest(watching.url, id, query, cursor);
      expect(ended.status).toBe(204);
      using resumed = await watchRest(watching.url, id, query, `2-${cursor.split('-')[1]}`);
      await resumed.ended(10_000);
      expect(linesOf(resumed)).toHaveLength(2);
      const { startTime, closeTime } = await temporal.client.workflow.getHandle(id, runId).describe();
      const state = await stateOf(watching, id, query);
      expect(state).toMatchObject({ lastCursor: cursor, startedAt: startTime.toISOString() });
      expect(state.durationMs).toBe(closeTime!.getTime() - startTime.getTime());
    }
    expect(await stateOf(watching, id)).toMatchObject({ runId: runIds[2], lastCursor: lastCursor(latest) });
    using again = await watchRest(watching.url, id, '', lastCursor(latest));
    expect(again.status).toBe(204);
  }, 60_000);

  test('the stream of an open run ends with the run, and not with the one that replaces it', async () => {
    await using watching = await startWatching(temporal.address, { workflows: { queryGraceMs: 250 } });
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('pinned');
    const first = (await launch(worker.taskQueue, 'patient', id)).firstExecutionRunId;
    using pinned = await watchRest(watching.url, id, `?run_id=${first}`);
    using byId = await watchRest(watching.url, id);
    await waitForLine(pinned, '1 workflow_start');
    await waitForLine(byId, '1 workflow_start');
    const next = await launch(worker.taskQueue, 'patient', id);
    using second = await watchRest(watching.url, id, `?run_id=${next.firstExecutionRunId}`);
    await pinned.ended(10_000);
    await byId.ended(10_000);
    expect(linesOf(pinned).at(-1)).toContain('error TERMINATED');
    expect(linesOf(pinned).filter((line) => line.includes('reset'))).toEqual([]);
    await waitForLine(second, '1 workflow_start');
    expect(second.end).toBeUndefined();
    expect(await stateOf(watching, id, `?run_id=${first}`)).toMatchObject({ status: 'TERMINATED' });
    await next.signal('go');
    await second.ended(10_000);
    expect(linesOf(second).at(-1)).toMatch(/complete SUCCESS$/);
  }, 40_000);

  test('a run of a chain is shown alone, and the id shows the chain', async () => {
    await using watching = await startWatching(temporal.address, { workflows: { queryGraceMs: 250 } });
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('pinned');
    const handle = await launch(worker.taskQueue, 'lapper', id, [2]);
    using whole = await watchRest(watching.url, id);
    using first = await watchRest(watching.url, id, `?run_id=${handle.firstExecutionRunId}`);
    await waitForLine(whole, '1 workflow_start');
    await handle.signal('go');
    await first.ended(10_000);
    expect(linesOf(first)).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal go',
      '3 workflow_status RUNNING continued as new',
      '4 complete SUCCESS',
    ]);
    await waitForLine(whole, 'continued as new');
    await temporal.client.workflow.getHandle(id).signal('go');
    await whole.ended(10_000);
    const runs = await listed(watching, id, 2);
    expect(runs.map(({ status }) => status)).toEqual(['SUCCESS', 'SUCCESS']);
    expect(runs[1]!.runId).toBe(handle.firstExecutionRunId);
    using last = await watchRest(watching.url, id, `?run_id=${runs[0]!.runId}`);
    await last.ended(10_000);
    expect(runIdOf(last)).toBe(runs[0]!.runId);
    expect(linesOf(last)).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal go',
      '3 complete SUCCESS',
    ]);
    // The chain is one execution, whose run id is that of its first run.
    expect(await stateOf(watching, id)).toMatchObject({ runId: handle.firstExecutionRunId });
  }, 40_000);

  test('a failed run that is retried ends as failed, and the retry as it ends', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('pinned');
    const retry = { initialInterval: '50 ms', maximumAttempts: 3 };
    const handle = await launch(worker.taskQueue, 'stumbler', id, [], { retry });
    await handle.result();
    const [retried, failed] = await listed(watching, id, 2);
    using first = await watchRest(watching.url, id, `?run_id=${failed!.runId}`);
    await first.ended(10_000);
    expect(linesOf(first).at(-1)).toContain('error FAILED StumbleError');
    using second = await watchRest(watching.url, id, `?run_id=${retried!.runId}`);
    await second.ended(10_000);
    expect(linesOf(second).at(-1)).toContain('complete SUCCESS');
    expect(await stateOf(watching, id, `?run_id=${failed!.runId}`)).toMatchObject({ status: 'FAILED' });
  }, 40_000);

  test('a run that streams itself is shown with its events, with and without a sink', async () => {
    for (const hasSink of [false, true]) {
      await using watching = await startWatching(temporal.address);
      const parts = { log: watching.log, store: watching.store };
      await using worker = await startWorker(temporal, hasSink ? { parts } : {});
      const id = uniqueId('pinned');
      const runIds: string[] = [];
      for (let round = 1; round <= 2; round += 1) {
        const handle = await launch(worker.taskQueue, 'onSignal', id, [1]);
        await handle.signal('go');
        await handle.result();
        runIds.push(handle.firstExecutionRunId);
      }
      for (const runId of runIds) {
        using stream = await watchRest(watching.url, id, `?run_id=${runId}`);
        await stream.ended(15_000);
        expect(linesOf(stream).filter((line) => !line.includes('reset source'))).toEqual([
          '1 workflow_start',
          '2 workflow_status RUNNING signal 1',
          '3 complete SUCCESS',
        ]);
        expect(runIdOf(stream)).toBe(runId);
        expect(await stateOf(watching, id, `?run_id=${runId}`)).toMatchObject({ result: 1 });
      }
    }
  }, 60_000);

  test('the row and the cursor of a run outlive the server and the log', async () => {
    const store = createMemoryStore();
    await using watching = await startWatching(temporal.address, {
      parts: { log: createMemoryLog(), store },
    });
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('pinned');
    const { firstExecutionRunId: runId } = await launch(worker.taskQueue, 'delivery', id);
    const query = `?run_id=${runId}`;
    using stream = await watchRest(watching.url, id, query);
    await stream.ended(10_000);
    const before = await until(async () => {
      const state = await stateOf(watching, id, query);
      return state.lastCursor === lastCursor(stream) && state;
    });
    await launch(worker.taskQueue, 'delivery', id);
    await using later = await startWatching(temporal.address, { parts: { log: createMemoryLog(), store } });
    expect(await stateOf(later, id, query)).toEqual(before);
    using ended = await watchRest(later.url, id, query, lastCursor(stream));
    expect(ended.status).toBe(204);
  }, 40_000);

  test('the end of a run reaches its row without viewers', async () => {
    await using watching = await startWatching(temporal.address, { workflows: { sweepMs: 500 } });
    const id = uniqueId('pinned');
    const handle = await launch(uniqueId('nobody'), 'patient', id);
    const query = `?run_id=${handle.firstExecutionRunId}`;
    expect(await stateOf(watching, id, query)).toMatchObject({ status: 'RUNNING' });
    const key = (await watching.store.openWorkflows!('', 100)).find((row) => row.id !== id)!.id;
    await handle.terminate('enough');
    const row = await until(async () => {
      const now = await watching.store.get(key);
      return now?.end && now;
    });
    expect(row).toMatchObject({ status: 'TERMINATED', error: { message: 'enough' } });
  }, 20_000);

  test('lists contain executions and no runs, and children belong to the id', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('pinned');
    const handle = await launch(worker.taskQueue, 'order', id, ['c']);
    using stream = await watchRest(watching.url, id, `?run_id=${handle.firstExecutionRunId}`);
    await handle.signal('go');
    await stream.ended(15_000);
    const { data } = await graphql(
      watching,
      `{ executions { edges { node { id } } }
         execution(kind: WORKFLOW, id: "${id}", runId: "${handle.firstExecutionRunId}") {
           id childrenCount children { edges { node { id parent { id } } } }
         } }`,
    );
    const ids = data.executions.edges.map(({ node }: { node: { id: string } }) => node.id);
    expect(ids.toSorted()).toEqual([id, `${id}/delivery`]);
    expect(data.execution).toEqual({
      id,
      childrenCount: 1,
      children: { edges: [{ node: { id: `${id}/delivery`, parent: { id } } }] },
    });
  }, 40_000);

  test('over GraphQL, runs are streamed, queried and listed in pages', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('pinned');
    const runIds: string[] = [];
    for (let round = 1; round <= 5; round += 1) {
      const handle = await launch(worker.taskQueue, 'delivery', id);
      await handle.result();
      runIds.unshift(handle.firstExecutionRunId);
    }
    await listed(watching, id, 5);
    const oldest = runIds.at(-1)!;
    const document = `subscription { workflowStream(id: "${id}", runId: "${oldest}") { executionId type seq data } }`;
    using stream = await openSse(`${watching.url}/graphql?query=${encodeURIComponent(document)}`);
    await stream.ended(10_000);
    const events = stream.frames.flatMap(({ data }) =>
      data === '' ? [] : JSON.parse(data).data.workflowStream,
    );
    expect(new Set(events.map(({ executionId }) => executionId))).toEqual(new Set([id]));
    expect(events[0].data.runId).toBe(oldest);
    const found: string[] = [];
    let after = '';
    do {
      const { data } = await graphql(
        watching,
        `{ execution(kind: WORKFLOW, id: "${id}", runId: "${oldest}") { id runId status
             runs(first: 2, after: "${after}") {
               edges { cursor node { runId status startedAt finishedAt } }
               pageInfo { hasNextPage hasPreviousPage endCursor }
             } } }`,
      );
      const { runs, ...rest } = data.execution;
      expect(rest).toEqual({ id, runId: oldest, status: 'SUCCESS' });
      expect(runs.pageInfo.hasPreviousPage).toBe(after !== '');
      for (const { node } of runs.edges) {
        expect(node.status).toBe('SUCCESS');
        expect(Date.parse(node.finishedAt)).toBeGreaterThanOrEqual(Date.parse(node.startedAt));
        found.push(node.runId);
      }
      after = runs.pageInfo.hasNextPage ? runs.pageInfo.endCursor : '';
    } while (after !== '');
    expect(found).toEqual(runIds);
  }, 60_000);

  test('over REST, runs are listed in pages, with the status of open ones', async () => {
    await using watching = await startWatching(temporal.address);
    // Such characters have a meaning in Temporal's list filters.
    const id = `${uniqueId('pinned')} 'a' % _ * "b" \\ c\n'`;
    const queue = uniqueId('nobody');
    const runIds: string[] = [];
    for (let round = 1; round <= 3; round += 1) {
      runIds.unshift((await launch(queue, 'patient', id)).firstExecutionRunId);
    }
    const runs = await until(async () => {
      const all = await listed(watching, id, 3);
      return all.filter(({ status }) => status === 'TERMINATED').length === 2 && all;
    });
    expect(runs.map(({ runId }) => runId)).toEqual(runIds);
    expect(runs.map(({ status }) => status)).toEqual(['RUNNING', 'TERMINATED', 'TERMINATED']);
    expect(runs.map(({ finishedAt }) => finishedAt === null)).toEqual([true, false, false]);
    const first = await stateOf(watching, id, '?runs_first=2');
    expect(first.runs?.map(({ runId }) => runId)).toEqual(runIds.slice(0, 2));
    const next = await stateOf(watching, id, `?runs_after=${first.runsCursor}`);
    expect(next.runs?.map(({ runId }) => runId)).toEqual(runIds.slice(2));
    expect(next.runsCursor).toBeNull();
    expect(await stateOf(watching, id)).toMatchObject({ runs: null, runsCursor: null });
  }, 30_000);

  test('an unknown run is 404, and a malformed run id 400', async () => {
    await using watching = await startWatching(temporal.address);
    const id = uniqueId('pinned');
    const other = await launch(uniqueId('nobody'), 'patient', uniqueId('other'));
    const { firstExecutionRunId: runId } = await launch(uniqueId('nobody'), 'patient', id);
    const statusOf = async (path: string) => {
      const response = await fetch(`${watching.url}${pathOf(id)}${path}`);
      const { code, detail } = (await response.json()) as { code: string; detail: string };
      return [response.status, code, detail];
    };
    for (const unknown of [other.firstExecutionRunId, '01a20483-4f89-7122-a2dc-a89593dd9aaf']) {
      const detail = `no such execution, or no such run of it: ${id}, run ${unknown}`;
      expect(await statusOf(`?run_id=${unknown}`)).toEqual([404, 'NOT_FOUND', detail]);
      expect(await statusOf(`/stream?run_id=${unknown}`)).toEqual([404, 'NOT_FOUND', detail]);
    }
    const malformed = 'run_id: expected the id of a run, a UUID, got "latest"';
    expect(await statusOf('?run_id=latest')).toEqual([400, 'BAD_USER_INPUT', malformed]);
    expect(await statusOf('/stream?run_id=latest')).toEqual([400, 'BAD_USER_INPUT', malformed]);
    const { errors } = await graphql(
      watching,
      `{ execution(kind: WORKFLOW, id: "${id}", runId: "latest") { id } }`,
    );
    expect(errors?.[0]).toMatchObject({
      message: 'runId: expected the id of a run, a UUID, got "latest"',
      extensions: { code: 'BAD_USER_INPUT' },
    });
    // UUIDs may be written in capitals.
    expect(await stateOf(watching, id, `?run_id=${runId.toUpperCase()}`)).toMatchObject({ runId });
    expect(await stateOf(watching, id, '?run_id=')).toMatchObject({ runId });
  });
});
