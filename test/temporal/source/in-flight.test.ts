// Activities in flight on a real server: what viewers see before the history has it.
import { heartbeat } from '@temporalio/activity';
import { Client } from '@temporalio/client';
import type { WorkerOptions, WorkflowBundle } from '@temporalio/worker';
import { beforeAll, expect, test } from 'vitest';
import { decodePlainJson } from '../../../src/temporal/shared/payloads.ts';
import { createRedactingDecoder } from '../../../src/temporal/source/payload-decoder.ts';
import type { TemporalClient } from '../../../src/temporal/source/temporal-client.ts';
import type { SseStream } from '../../support/sse.ts';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { startWorker, uniqueId } from '../rig.ts';
import { bundleWorkflows } from '../workflow-bundles.ts';
import { encryption, startCodecServer } from './codec-server.ts';
import {
  lastCursor,
  linesOf,
  startWatching,
  type WatchingOptions,
  waitForLine,
  watchGraphql,
  watchRest,
} from './rig.ts';

let workflowBundle: WorkflowBundle;
beforeAll(async () => {
  const workflowsPath = new URL('./in-flight-workflows.ts', import.meta.url).pathname;
  workflowBundle = await bundleWorkflows(workflowsPath);
});

/** An activity that does what the test orders. */
function createOrders() {
  const orders: ((result: string | Error) => void)[] = [];
  let beats: unknown[][] = [];
  let beating: NodeJS.Timeout | undefined;
  return {
    get started() {
      return orders.length;
    },
    /** Sends a heartbeat with these details from the running activity, again and again. */
    beat: (...details: unknown[]) => {
      beats = [details];
    },
    finish: (result: string | Error = 'done') => orders.at(-1)!(result),
    work: async (): Promise<string> => {
      beating = setInterval(() => {
        for (const details of beats) heartbeat(details.length > 1 ? details : details[0]);
      }, 50);
      try {
        return await new Promise((resolve, reject) => {
          orders.push((result) => (result instanceof Error ? reject(result) : resolve(result)));
        });
      } finally {
        clearInterval(beating);
      }
    },
  };
}

type Orders = ReturnType<typeof createOrders>;

const IN_FLIGHT = { activitiesMs: 200 };

/** Tests wait for a worker, Temporal and a server on what may be a busy machine. */
const PATIENCE_MS = 30_000;

/** The data of the statuses that only `describe` can know. */
function inFlight({ frames }: SseStream): Record<string, unknown>[] {
  return frames
    .filter(({ event }) => event === 'task_status')
    .map(({ data }) => JSON.parse(data))
    .filter(({ taskAttempt }) => taskAttempt !== undefined);
}

const eventsOf = ({ frames }: SseStream) => frames.map(({ id, event, data }) => [id, event, data]);

describeTemporal('an activity in flight', () => {
  const temporal = useTemporal();
  const launch = (taskQueue: string, name: string, args: unknown[] = []) =>
    temporal.client.workflow.start(name, { taskQueue, workflowId: uniqueId(name), args });
  const startOrdered = (orders: Orders, options: Partial<WorkerOptions> = {}) =>
    startWorker(temporal, {
      ...{ workflowBundle, sinks: {}, activities: { work: orders.work }, ...options },
      maxHeartbeatThrottleInterval: '20 ms',
    });
  const watch = (options: WatchingOptions = {}) =>
    startWatching(temporal.address, { ...options, workflows: { ...IN_FLIGHT, ...options.workflows } });

  test('runs for the viewers of all servers, under the same cursors, before its history says so', async () => {
    const orders = createOrders();
    await using one = await watch();
    await using two = await watch({ parts: one });
    await using worker = await startOrdered(orders);
    const { workflowId: id } = await launch(worker.taskQueue, 'worker');
    using rest = await watchRest(one.url, id);
    using other = await watchRest(two.url, id);
    using graphql = await watchGraphql(two.url, id);
    for (const stream of [rest, other, graphql]) await waitForLine(stream, 'work#1 RUNNING', PATIENCE_MS);
    expect(orders.started).toBe(1);
    orders.finish();
    for (const stream of [rest, other, graphql]) await stream.ended(PATIENCE_MS);
    expect(
      linesOf(rest)
        .map((line) => line.replace(/^\d+ /, ''))
        .filter((line) => !line.includes('PENDING')),
    ).toEqual([
      'workflow_start',
      'task_start work#1',
      'task_status work#1 RUNNING',
      'task_status work#1 RUNNING',
      'task_status work#1 SUCCESS',
      'complete SUCCESS',
    ]);
    expect(inFlight(rest).at(-1)).toEqual({ status: 'RUNNING', taskId: 'work#1', taskAttempt: 1 });
    expect(eventsOf(other)).toEqual(eventsOf(rest));
    expect(linesOf(graphql)).toEqual(linesOf(rest));
    using replay = await watchRest(two.url, id);
    await replay.ended(PATIENCE_MS);
    expect(eventsOf(replay)).toEqual(eventsOf(rest));
  }, 90_000);

  test('is pending while no worker takes it', async () => {
    await using watching = await watch();
    await using worker = await startOrdered(createOrders());
    const handle = await launch(worker.taskQueue, 'abandoned');
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, 'work#1 PENDING', PATIENCE_MS);
    await handle.terminate();
    await stream.ended(PATIENCE_MS);
    expect(inFlight(stream)).toHaveLength(1);
  }, 90_000);

  test('shows each failed attempt with its error, and the time of the next one', async () => {
    const orders = createOrders();
    await using watching = await watch();
    await using worker = await startOrdered(orders);
    const { workflowId: id } = await launch(worker.taskQueue, 'worker');
    using stream = await watchRest(watching.url, id);
    for (const attempt of [1, 2]) {
      await until(() => orders.started === attempt, { timeoutMs: PATIENCE_MS });
      orders.finish(new Error(`flaked ${attempt}`));
      await waitForLine(stream, `WAITING attempt ${attempt + 1}, after: flaked ${attempt}`, PATIENCE_MS);
    }
    await waitForLine(stream, 'RUNNING attempt 3, after: flaked 2', PATIENCE_MS);
    orders.finish();
    await stream.ended(PATIENCE_MS);
    const warnings = stream.frames
      .filter(({ event }) => event === 'warning')
      .map(({ data }) => JSON.parse(data));
    const waiting = inFlight(stream).filter(({ status }) => status === 'WAITING');
    expect(waiting.map(({ taskAttempt }) => taskAttempt)).toEqual([2, 3]);
    expect(warnings).toEqual(
      [1, 2].map((attempt) => ({
        code: 'ATTEMPT_FAILED',
        message: `work#1, attempt ${attempt}: flaked ${attempt}; retrying at ${waiting[attempt - 1]!.nextAttemptAt}`,
      })),
    );
    const [first, second] = waiting.map(({ nextAttemptAt }) => Date.parse(nextAttemptAt as string));
    expect(second! - first!).toBeGreaterThanOrEqual(2_000);
    // Nothing of the activity follows its end.
    expect(linesOf(stream).slice(-2)).toEqual([
      expect.stringContaining('task_status work#1 SUCCESS'),
      expect.stringContaining('complete SUCCESS'),
    ]);
  }, 90_000);

  test('shows its heartbeats as progress, redacted and of limited size, if payloads are shown', async () => {
    const orders = createOrders();
    await using watching = await watch({ workflows: { decodePayload: createRedactingDecoder() } });
    await using worker = await startOrdered(orders);
    const { workflowId: id } = await launch(worker.taskQueue, 'worker');
    using stream = await watchRest(watching.url, id);
    const progress = () => inFlight(stream).at(-1)?.progress;
    orders.beat({ page: 1, key: `sk-proj-${'a1B2'.repeat(12)}` });
    await until(() => progress(), { timeoutMs: PATIENCE_MS });
    expect(progress()).toEqual({ page: 1, key: '[redacted]' });
    orders.beat(2, 'of 10');
    await until(() => Array.isArray(progress()), { timeoutMs: PATIENCE_MS });
    orders.beat('x'.repeat(3_000));
    await until(() => inFlight(stream).at(-1)?.progressOmitted, { timeoutMs: PATIENCE_MS });
    expect(inFlight(stream).at(-1)).toMatchObject({ status: 'RUNNING', progressBytes: 3_002 });
    // The activity has sent twenty heartbeats a second, and viewers received one of each kind.
    const shown = inFlight(stream).length;
    await until(() => orders.started === 1);
    expect(shown).toBeLessThan(7);
    orders.finish();
    await stream.ended(PATIENCE_MS);
    expect(stream.text).not.toContain('sk-proj');
  }, 90_000);

  test('does not show its heartbeats otherwise', async () => {
    const orders = createOrders();
    await using watching = await watch();
    await using worker = await startOrdered(orders);
    const { workflowId: id } = await launch(worker.taskQueue, 'worker');
    using stream = await watchRest(watching.url, id);
    orders.beat('hush hush');
    await waitForLine(stream, 'work#1 RUNNING', PATIENCE_MS);
    await until(
      async () => {
        const { raw } = await temporal.client.workflow.getHandle(id).describe();
        return raw.pendingActivities?.[0]?.heartbeatDetails;
      },
      { timeoutMs: PATIENCE_MS },
    );
    orders.finish(new Error('flaked'));
    await waitForLine(stream, 'WAITING attempt 2', PATIENCE_MS);
    expect(stream.text).not.toMatch(/hush|progress/);
    await temporal.client.workflow.getHandle(id).terminate();
  }, 90_000);

  test('shows heartbeats and failures that a codec has encrypted', async () => {
    const orders = createOrders();
    await using server = await startCodecServer();
    const workflows = { decodePayload: decodePlainJson };
    await using watching = await watch({ codecUrl: server.url, workflows });
    const dataConverter = {
      payloadCodecs: [encryption],
      failureConverterPath: new URL('./encoding-failures.ts', import.meta.url).pathname,
    };
    await using worker = await startOrdered(orders, { dataConverter });
    const client = new Client({ connection: temporal.client.connection, dataConverter });
    const id = uniqueId('worker');
    await client.workflow.start('worker', { taskQueue: worker.taskQueue, workflowId: id });
    using stream = await watchRest(watching.url, id);
    orders.beat({ page: 7 });
    await until(() => inFlight(stream).at(-1)?.progress, { timeoutMs: PATIENCE_MS });
    expect(inFlight(stream).at(-1)).toMatchObject({ progress: { page: 7 } });
    orders.finish(new Error('flaked'));
    await waitForLine(stream, 'WAITING attempt 2, after: flaked', PATIENCE_MS);
    expect(stream.text).not.toContain('Encoded failure');
    await client.workflow.getHandle(id).terminate();
  }, 90_000);

  test('shows that it was paused, and continued', async () => {
    const orders = createOrders();
    await using watching = await watch();
    await using worker = await startOrdered(orders);
    const { workflowId: id } = await launch(worker.taskQueue, 'worker');
    using stream = await watchRest(watching.url, id);
    await waitForLine(stream, 'work#1 RUNNING', PATIENCE_MS);
    const { workflowService } = temporal.client;
    const target = { namespace: 'default', execution: { workflowId: id }, identity: 'test', id: '1' };
    await workflowService.pauseActivity({ ...target, reason: 'lunch' });
    await waitForLine(stream, 'work#1 RUNNING pause requested: lunch', PATIENCE_MS);
    orders.finish(new Error('flaked'));
    await waitForLine(stream, 'work#1 PAUSED lunch; attempt 2, after: flaked');
    await workflowService.unpauseActivity(target);
    await until(() => orders.started === 2, { timeoutMs: PATIENCE_MS });
    // Temporal forgets the failure of a paused activity that continues.
    await waitForLine(stream, 'work#1 RUNNING attempt 2', PATIENCE_MS);
    orders.finish();
    await stream.ended(PATIENCE_MS);
  }, 90_000);

  test('continues on another server without a reset, a gap or a repetition', async () => {
    const orders = createOrders();
    await using first = await watch();
    await using worker = await startOrdered(orders);
    const { workflowId: id } = await launch(worker.taskQueue, 'worker');
    using one = await watchRest(first.url, id);
    await waitForLine(one, 'work#1 RUNNING', PATIENCE_MS);
    orders.finish(new Error('flaked'));
    await waitForLine(one, 'WAITING attempt 2', PATIENCE_MS);
    await first.close();
    // Its last events may still be on the way.
    await one.ended();
    let described = 0;
    const counting = (client: TemporalClient): TemporalClient => ({
      ...client,
      async pendingTasks(...args) {
        const tasks = await client.pendingTasks(...args);
        described += 1;
        return tasks;
      },
    });
    await using second = await watch({ parts: first, temporal: counting });
    using two = await watchRest(second.url, id, '', lastCursor(one));
    await until(() => described > 1 && orders.started === 2, { timeoutMs: PATIENCE_MS });
    await waitForLine(two, 'RUNNING attempt 2', PATIENCE_MS);
    orders.finish();
    await two.ended(PATIENCE_MS);
    const seqs = [...one.frames, ...two.frames].map((frame) => Number(frame.id?.split('-')[0]));
    expect(seqs).toEqual(seqs.map((_, i) => i + 1));
    const all = [...linesOf(one), ...linesOf(two)].map((line) => line.replace(/^\d+ /, ''));
    expect(all.filter((line) => line === 'warning ATTEMPT_FAILED')).toHaveLength(1);
    expect(all.filter((line) => line.includes('WAITING'))).toHaveLength(1);
    expect(all.join()).not.toContain('reset');
  }, 90_000);

  test('does not disturb the numbering of the runs that follow', async () => {
    const orders = createOrders();
    await using first = await watch();
    await using worker = await startOrdered(orders);
    const { workflowId: id } = await launch(worker.taskQueue, 'shifts', [3]);
    using one = await watchRest(first.url, id);
    for (const shift of [1, 2]) {
      await until(
        () =>
          orders.started === shift &&
          linesOf(one).filter((line) => line.endsWith('work#1 RUNNING')).length === 2 * shift - 1,
        {
          timeoutMs: PATIENCE_MS,
        },
      );
      orders.finish();
    }
    await until(() => orders.started === 3, { timeoutMs: PATIENCE_MS });
    await first.close();
    // Its last events may still be on the way.
    await one.ended();
    await using second = await watch({ parts: first });
    using two = await watchRest(second.url, id, '', lastCursor(one));
    await until(
      () => [...linesOf(one), ...linesOf(two)].filter((line) => line.endsWith('work#1 RUNNING')).length === 5,
      {
        timeoutMs: PATIENCE_MS,
      },
    );
    orders.finish();
    await two.ended(PATIENCE_MS);
    const lines = [...linesOf(one), ...linesOf(two)];
    expect(lines.map((line) => Number(line.split(' ')[0]))).toEqual(lines.map((_, i) => i + 1));
    expect(lines.filter((line) => line.includes('continued as new'))).toHaveLength(2);
    expect(lines.filter((line) => line.includes('work#1 SUCCESS'))).toHaveLength(3);
    expect(lines.at(-1)).toContain('complete SUCCESS');
  }, 90_000);

  test('costs one description per interval for all viewers, and none without activities', async () => {
    const orders = createOrders();
    const described: string[] = [];
    const counting = (client: TemporalClient): TemporalClient => ({
      ...client,
      pendingTasks(run, signal) {
        described.push(run.workflowId);
        return client.pendingTasks(run, signal);
      },
    });
    await using one = await watch({ temporal: counting, workflows: { activitiesMs: 60_000 } });
    await using two = await watch({ parts: one, temporal: counting, workflows: { activitiesMs: 60_000 } });
    await using worker = await startOrdered(orders);
    const busy = await launch(worker.taskQueue, 'worker');
    const quiet = await launch(worker.taskQueue, 'idle');
    await until(() => orders.started === 1, { timeoutMs: PATIENCE_MS });
    const streams = await Promise.all(
      [one, two, one, two].flatMap(({ url }) =>
        [busy, quiet].map(({ workflowId }) => watchRest(url, workflowId)),
      ),
    );
    for (const stream of streams.filter((_, i) => i % 2 === 0))
      await waitForLine(stream, 'work#1 RUNNING', PATIENCE_MS);
    await quiet.signal('go');
    orders.finish();
    for (const stream of streams) await stream.ended(PATIENCE_MS);
    expect(described).toEqual([busy.workflowId]);
    for (const stream of streams) stream[Symbol.dispose]();
  }, 90_000);

  test('shows the attempts to start a Nexus operation', async () => {
    await using watching = await watch();
    const taskQueue = uniqueId('nexus');
    const rpc = 'nexus-rpc';
    const nexus = await import(rpc);
    let attempts = 0;
    const service = nexus.service('slow', { answer: nexus.operation() });
    const handler = nexus.serviceHandler(service, {
      answer: async () => {
        attempts += 1;
        if (attempts === 1) throw new nexus.HandlerError('UNAVAILABLE', 'come back later');
        return 42;
      },
    });
    await using _worker = await startOrdered(createOrders(), { taskQueue, nexusServices: [handler] });
    const name = uniqueId('slow');
    const target = { worker: { namespace: 'default', taskQueue } };
    await temporal.client.connection.operatorService.createNexusEndpoint({ spec: { name, target } });
    const { workflowId: id } = await launch(taskQueue, 'caller', [name]);
    using stream = await watchRest(watching.url, id);
    await stream.ended(PATIENCE_MS);
    const shown = inFlight(stream);
    expect(shown.length).toBeGreaterThan(0);
    expect(shown[0]).toMatchObject({
      ...{ status: 'WAITING', taskAttempt: 2, taskId: expect.stringMatching(/^slow\.answer#\d+$/) },
      step: expect.stringContaining('come back later'),
    });
    expect(linesOf(stream).join()).toMatch(/slow.answer#\d+ SUCCESS/);
  }, 90_000);
});
