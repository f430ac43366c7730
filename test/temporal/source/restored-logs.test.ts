// Workflows that have ended and whose logs have expired: streamed again from Temporal's history, on a real server.
import { expect, test } from 'vitest';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { TemporalError } from '../../../src/temporal/source/errors.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
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

describeTemporal('a workflow whose log has expired', () => {
  const temporal = useTemporal();

  const launchAs = launcherOf(temporal);
  const launch = (taskQueue: string, name: string, args: unknown[] = []) =>
    launchAs(taskQueue, name, uniqueId(name), args);
  const stateOf = fetchState<{ status: string; result: unknown; lastCursor: string }>;

  /** The same rows, and none of the logs. */
  const startLater = (store: Watching['store']) =>
    startWatching(temporal.address, {
      parts: { log: createMemoryLog(), store },
      // The worker may have stopped a moment ago.
      workflows: { queryGraceMs: 250 },
    });

  async function watchToEnd(watching: Watching, id: string, cursor?: string) {
    using stream = await watchRest(watching.url, id, '', cursor);
    await stream.ended(15_000);
    const complete = stream.frames.find(({ event }) => event === 'complete');
    return {
      lines: linesOf(stream),
      cursor: lastCursor(stream),
      end: complete && JSON.parse(complete.data),
    };
  }

  /** The state of a row that has the position of its end. */
  const settledState = (watching: Watching, id: string) =>
    until(async () => ((await watching.store.get(id))?.end ? stateOf(watching, id) : undefined));

  test('is streamed again from its start, with the end and the state as before', async () => {
    const store = createMemoryStore();
    await using watching = await startWatching(temporal.address, {
      parts: { log: createMemoryLog(), store },
    });
    await using worker = await startForeignWorker(temporal);
    const handle = await launch(worker.taskQueue, 'delivery');
    const id = handle.workflowId;
    const before = await watchToEnd(watching, id);
    const state = await settledState(watching, id);
    await worker.stop();
    await using later = await startLater(store);
    expect(await stateOf(later, id)).toEqual(state);
    // A viewer that has read the end gets nothing more.
    using ended = await watchRest(later.url, id, '', before.cursor);
    expect(ended.status).toBe(204);
    const again = await watchToEnd(later, id, `2-${before.cursor.split('-')[1]}`);
    expect(again.lines).toEqual(['0 reset log_lost', ...before.lines]);
    expect(again.end).toEqual(before.end);
    const { lastCursor: cursor, ...rest } = await stateOf(later, id);
    expect(cursor).toBe(again.cursor);
    expect({ ...rest, lastCursor: state.lastCursor }).toEqual(state);
    expect((await watchToEnd(later, id)).lines).toEqual(before.lines);
    using done = await watchRest(later.url, id, '', again.cursor);
    expect(done.status).toBe(204);
  }, 40_000);

  test('is streamed with the runs that continued as new', async () => {
    const store = createMemoryStore();
    await using watching = await startWatching(temporal.address, {
      parts: { log: createMemoryLog(), store },
      workflows: { queryGraceMs: 250 },
    });
    await using worker = await startForeignWorker(temporal);
    const handle = await launch(worker.taskQueue, 'lapper', [2]);
    const id = handle.workflowId;
    using stream = await watchRest(watching.url, id);
    await waitForLine(stream, '1 workflow_start');
    await handle.signal('go');
    await waitForLine(stream, 'continued as new');
    await temporal.client.workflow.getHandle(id).signal('go');
    await stream.ended(15_000);
    await settledState(watching, id);
    await using later = await startLater(store);
    const { lines } = await watchToEnd(later, id);
    expect(lines).toEqual(linesOf(stream));
    expect(lines.filter((line) => line.includes('signal go'))).toHaveLength(2);
  }, 40_000);

  test('that streamed itself has its events with a worker, and its history and result without', async () => {
    const store = createMemoryStore();
    const log = createMemoryLog();
    await using watching = await startWatching(temporal.address, { parts: { log, store } });
    await using worker = await startWorker(temporal, { parts: { log, store } });
    const handle = await launch(worker.taskQueue, 'onSignal', [1]);
    const id = handle.workflowId;
    await handle.signal('go');
    const before = await watchToEnd(watching, id);
    expect(before.end).toMatchObject({ status: 'SUCCESS', result: 1 });
    const state = await settledState(watching, id);
    {
      await using later = await startLater(store);
      const again = await watchToEnd(later, id);
      expect(again.lines.slice(-3)).toEqual(before.lines.slice(-3));
      expect(again.end).toEqual(before.end);
    }
    await worker.stop();
    await using later = await startLater(store);
    const again = await watchToEnd(later, id);
    expect(again.lines[0]).toBe('1 workflow_start');
    expect(again.lines.at(-1)).toMatch(/complete SUCCESS$/);
    expect(again.end).toMatchObject({ status: 'SUCCESS', result: 1 });
    expect({ ...(await stateOf(later, id)), lastCursor: state.lastCursor }).toEqual(state);
  }, 60_000);

  test('is restored once, for viewers on several servers', async () => {
    const store = createMemoryStore();
    await using watching = await startWatching(temporal.address, {
      parts: { log: createMemoryLog(), store },
    });
    await using worker = await startForeignWorker(temporal);
    const id = (await launch(worker.taskQueue, 'delivery')).workflowId;
    const before = await watchToEnd(watching, id);
    await settledState(watching, id);
    const parts = { log: createMemoryLog(), store };
    await using one = await startWatching(temporal.address, { parts });
    await using two = await startWatching(temporal.address, { parts });
    const viewers = await Promise.all([one, two, one, two].map((server) => watchToEnd(server, id)));
    for (const { lines } of viewers) expect(lines).toEqual(before.lines);
    expect(new Set(viewers.map(({ cursor }) => cursor)).size).toBe(1);
  }, 40_000);

  test('and that Temporal no longer has, ends with the end of its row', async () => {
    const store = createMemoryStore();
    await using watching = await startWatching(temporal.address, {
      parts: { log: createMemoryLog(), store },
    });
    await using worker = await startForeignWorker(temporal);
    const id = (await launch(worker.taskQueue, 'delivery')).workflowId;
    const before = await watchToEnd(watching, id);
    const state = await settledState(watching, id);
    const unknown = async () => {
      throw new TemporalError('unknown-workflow', 'not found');
    };
    await using later = await startWatching(temporal.address, {
      parts: { log: createMemoryLog(), store },
      temporal: (client) => ({ ...client, describe: unknown, history: unknown }),
    });
    const again = await watchToEnd(later, id, `2-${before.cursor.split('-')[1]}`);
    expect(again.lines.map((line) => line.split(' ')[1])).toEqual(['gap', 'complete']);
    expect(again.cursor).toBe(before.cursor);
    expect(await stateOf(later, id)).toEqual(state);
  }, 40_000);
});
