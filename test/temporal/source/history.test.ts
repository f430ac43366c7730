// Workflows that do not use execstream, watched by their history on a real server.
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findPart, TEMPORAL } from '../../../scripts/test-services.ts';
import { decodePlainJson } from '../../../src/temporal/shared/payloads.ts';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { uniqueId } from '../rig.ts';
import {
  lastCursor,
  linesOf,
  startForeignWorker,
  startWatching,
  waitForLine,
  watchGraphql,
  watchRest,
} from './rig.ts';

describeTemporal('a workflow that does not use execstream', () => {
  const temporal = useTemporal();
  const launch = (taskQueue: string, name: string, args: unknown[] = [], options: object = {}) =>
    temporal.client.workflow.start(name, { taskQueue, workflowId: uniqueId(name), args, ...options });

  // A listener for each event of a long history would be a leak.
  const warnings: string[] = [];
  const onWarning = ({ name }: Error) => void warnings.push(name);
  beforeEach(() => void process.on('warning', onWarning));
  afterEach(() => {
    process.off('warning', onWarning);
    expect(warnings).not.toContain('MaxListenersExceededWarning');
  });

  test('is streamed live over REST and GraphQL with activities, retries, child, timer, signal and end, without payloads', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('order');
    const { taskQueue } = worker;
    const cli = findPart(TEMPORAL);
    if (cli) {
      // As users start it, with the CLI.
      const input = ['--input', '"hush hush"', '--workflow-id', id, '--type', 'order'];
      const at = ['--address', temporal.address, '--task-queue', taskQueue];
      const started = spawnSync(cli, ['workflow', 'start', ...at, ...input], { encoding: 'utf8' });
      expect(started.status, started.stderr).toBe(0);
    } else {
      await temporal.client.workflow.start('order', { taskQueue, workflowId: id, args: ['hush hush'] });
    }
    const handle = temporal.client.workflow.getHandle(id);
    using rest = await watchRest(watching.url, id);
    using graphql = await watchGraphql(watching.url, id);
    await waitForLine(rest, `delivery#${id}/delivery SUCCESS`);
    expect(rest.end).toBeUndefined();
    await handle.signal('go');
    await rest.ended(10_000);
    await graphql.ended(10_000);
    const lines = [
      '1 workflow_start',
      '2 task_start fetchPage#1',
      '3 task_status fetchPage#1 RUNNING',
      '4 task_status fetchPage#1 SUCCESS',
      '5 task_start flaky#2',
      '6 task_status flaky#2 RUNNING attempt 3, after: flaked 2',
      '7 task_status flaky#2 SUCCESS',
      '8 task_start fetchPage#3',
      '9 task_status fetchPage#3 RUNNING',
      '10 task_status fetchPage#3 FAILED page not found',
      `11 task_start delivery#${id}/delivery`,
      `12 task_status delivery#${id}/delivery RUNNING`,
      `13 task_status delivery#${id}/delivery SUCCESS`,
      '14 workflow_status RUNNING signal go',
      '15 complete SUCCESS',
    ];
    for (const stream of [rest, graphql]) expect(linesOf(stream)).toEqual(lines);
    expect(rest.text + graphql.text).not.toMatch(/hush|secret/);
    const row = await until(async () => (await watching.store.get(id))?.end && watching.store.get(id));
    expect(row).toMatchObject({ status: 'SUCCESS', name: 'order', workflowId: id, end: { seq: 15 } });
    expect(row?.result).toBeUndefined();
    // Its child has the execution id in its event.
    using child = await watchRest(watching.url, `${id}/delivery`);
    await child.ended(10_000);
    expect(linesOf(child)).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING timer 1 (0.05 s)',
      '3 workflow_status RUNNING timer 1 (0.05 s) fired',
      '4 complete SUCCESS',
    ]);
    using resumed = await watchRest(watching.url, id, '', lastCursor(rest));
    expect(resumed.status).toBe(204);
  }, 40_000);

  test('shows payloads if a decoder is configured', async () => {
    await using watching = await startWatching(temporal.address, {
      workflows: { decodePayload: decodePlainJson },
    });
    await using worker = await startForeignWorker(temporal);
    const handle = await launch(worker.taskQueue, 'lapper', [1]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, 'workflow_start');
    await handle.signal('go');
    await stream.ended(10_000);
    expect(JSON.parse(stream.frames.at(-1)!.data)).toMatchObject({ status: 'SUCCESS', result: 1 });
    expect(await watching.store.get(handle.workflowId)).toMatchObject({ input: 1, result: 1 });
  });

  test('shows inputs and results of tasks too, if payloads are shown', async () => {
    await using watching = await startWatching(temporal.address, {
      workflows: { decodePayload: decodePlainJson },
    });
    await using worker = await startForeignWorker(temporal);
    const handle = await launch(worker.taskQueue, 'order', ['Ann']);
    const id = handle.workflowId;
    using stream = await watchRest(watching.url, id);
    await waitForLine(stream, 'workflow_start');
    await handle.signal('go');
    await stream.ended(10_000);
    const shown = stream.frames.flatMap(({ data }) => {
      const { taskId, input, result, resultOmitted, resultBytes } = JSON.parse(data);
      const fields = { input, result, resultOmitted, resultBytes };
      const present = Object.entries(fields).filter(([, value]) => value !== undefined);
      return taskId && present.length > 0 ? [[taskId, Object.fromEntries(present)]] : [];
    });
    expect(shown).toEqual([
      ['fetchPage#1', { input: 'https://example.com/secret' }],
      ['fetchPage#1', { result: 'page' }],
      ['flaky#2', { result: 'ok' }],
      ['fetchPage#3', { input: 'bad' }],
      [`delivery#${id}/delivery`, { result: 'delivered' }],
    ]);
  });

  test('has the last attempt of a retried activity, if activities in flight are not shown', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startForeignWorker(temporal);
    const handle = await launch(worker.taskQueue, 'persistent');
    using stream = await watchRest(watching.url, handle.workflowId);
    await stream.ended(10_000);
    expect(linesOf(stream)).toEqual([
      '1 workflow_start',
      '2 task_start stubborn#1',
      '3 task_status stubborn#1 RUNNING attempt 3, after: failed 2',
      '4 task_status stubborn#1 SUCCESS',
      '5 complete SUCCESS',
    ]);
  });

  test('continues through continue-as-new in one numbering, also with another watcher', async () => {
    await using first = await startWatching(temporal.address);
    await using worker = await startForeignWorker(temporal);
    const handle = await launch(worker.taskQueue, 'lapper', [3]);
    const id = handle.workflowId;
    const latest = temporal.client.workflow.getHandle(id);
    using one = await watchRest(first.url, id);
    await waitForLine(one, 'workflow_start');
    await latest.signal('go');
    await waitForLine(one, 'continued as new');
    await first.close();
    await one.ended();
    await using second = await startWatching(temporal.address, { parts: first });
    using two = await watchRest(second.url, id, '', lastCursor(one));
    await latest.signal('go');
    await waitForLine(two, '5 workflow_status RUNNING continued as new');
    await latest.signal('go');
    await two.ended(10_000);
    expect([...linesOf(one), ...linesOf(two)]).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal go',
      '3 workflow_status RUNNING continued as new',
      '4 workflow_status RUNNING signal go',
      '5 workflow_status RUNNING continued as new',
      '6 workflow_status RUNNING signal go',
      '7 complete SUCCESS',
    ]);
  });

  test('is retried with a warning, a new epoch and the row’s next attempt', async () => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startForeignWorker(temporal);
    const options = { retry: { initialInterval: '1500 ms', maximumAttempts: 2 } };
    const handle = await launch(worker.taskQueue, 'stumbler', [], options);
    using stream = await watchRest(watching.url, handle.workflowId);
    await stream.ended(15_000);
    expect(linesOf(stream)).toEqual([
      '1 workflow_start',
      '2 warning ATTEMPT_FAILED',
      '0 reset attempt',
      '1 workflow_start',
      '2 workflow_status RUNNING timer 1 (0.05 s)',
      '3 workflow_status RUNNING timer 1 (0.05 s) fired',
      '4 complete SUCCESS',
    ]);
    expect(await watching.store.get(handle.workflowId)).toMatchObject({ status: 'SUCCESS', attempt: 2 });
  });
});
