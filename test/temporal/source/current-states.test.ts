// The state of a workflow at each request after Temporal has acknowledged a start, a close or a pause, on a real server.
import { expect, test } from 'vitest';
import type { SseStream } from '../../support/sse.ts';
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
  fetchState,
  launcherOf,
  startForeignWorker,
  startWatching,
  type Watching,
  waitForLine,
  watchRest,
} from './rig.ts';

/** Without sweeps, so that a request alone brings rows up to date. */
const NO_SWEEP = { workflows: { sweepMs: 3_600_000, queryGraceMs: 250 } };

interface State {
  readonly id: string;
  readonly status: string;
  readonly runId: string;
}

async function graphql({ url }: Watching, query: string) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return ((await response.json()) as { data: Record<string, unknown> }).data;
}

/** The state over REST, and over GraphQL. */
async function statesOf(watching: Watching, id: string): Promise<State[]> {
  const rest = await fetchState<State>(watching, id);
  const data = await graphql(watching, `{ execution(kind: WORKFLOW, id: "${id}") { id status runId } }`);
  return [rest, data.execution as State];
}

async function listOf(watching: Watching, args = ''): Promise<State[]> {
  const query = `{ executions(kind: WORKFLOW${args}) { edges { node { id status runId } } } }`;
  const { executions } = (await graphql(watching, query)) as {
    executions: { edges: { node: State }[] };
  };
  return executions.edges.map(({ node }) => node);
}

describeTemporal('the state of a workflow', () => {
  const temporal = useTemporal();
  const launch = launcherOf(temporal);

  test.each([
    ['without viewers', false],
    ['with a viewer', true],
  ])(
    'is right at each request while its id is used five times, %s',
    async (_, isViewed) => {
      await using watching = await startWatching(temporal.address, NO_SWEEP);
      await using worker = await startForeignWorker(temporal);
      const id = uniqueId('current');
      for (let round = 1; round <= 5; round += 1) {
        const handle = await launch(worker.taskQueue, 'patient', id);
        const runId = handle.firstExecutionRunId;
        expect(await statesOf(watching, id)).toMatchObject(Array(2).fill({ id, runId, status: 'RUNNING' }));
        let stream: SseStream | undefined;
        if (isViewed) {
          stream = await watchRest(watching.url, id);
          await waitForLine(stream, 'workflow_start');
        }
        await handle.signal('go');
        await handle.result();
        expect(await statesOf(watching, id)).toMatchObject(Array(2).fill({ id, runId, status: 'SUCCESS' }));
        stream?.[Symbol.dispose]();
      }
    },
    60_000,
  );

  test('is that of the latest run if runs have started and closed since the last request', async () => {
    await using watching = await startWatching(temporal.address, NO_SWEEP);
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('current');
    for (let round = 1; round <= 4; round += 1) {
      const handle = await launch(worker.taskQueue, 'delivery', id);
      await handle.result();
      if (round % 2 === 1) continue;
      const state = { id, runId: handle.firstExecutionRunId, status: 'SUCCESS' };
      expect(await statesOf(watching, id)).toMatchObject([state, state]);
    }
    // A start that terminates the run before.
    await launch(worker.taskQueue, 'patient', id);
    await statesOf(watching, id);
    const last = await launch(worker.taskQueue, 'patient', id);
    const state = { id, runId: last.firstExecutionRunId, status: 'RUNNING' };
    expect(await statesOf(watching, id)).toMatchObject([state, state]);
    await last.terminate('enough');
    const ended = { ...state, status: 'TERMINATED' };
    expect(await statesOf(watching, id)).toMatchObject([ended, ended]);
  }, 40_000);

  test('is right for a workflow that streams itself, with and without a sink', async () => {
    for (const hasSink of [false, true]) {
      await using watching = await startWatching(temporal.address, NO_SWEEP);
      const parts = { log: watching.log, store: watching.store };
      await using worker = await startWorker(temporal, hasSink ? { parts } : {});
      const id = uniqueId('current');
      for (let round = 1; round <= 3; round += 1) {
        const handle = await launch(worker.taskQueue, 'onSignal', id, [1]);
        const runId = handle.firstExecutionRunId;
        const open = { id, runId, status: 'RUNNING' };
        expect(await statesOf(watching, id)).toMatchObject([open, open]);
        await handle.signal('go');
        await handle.result();
        const ended = { id, runId, status: 'SUCCESS' };
        expect(await statesOf(watching, id)).toMatchObject([ended, ended]);
      }
    }
  }, 60_000);

  test('costs up to twenty calls to Temporal per second, however often it is requested', async () => {
    let describes = 0;
    await using watching = await startWatching(temporal.address, {
      ...NO_SWEEP,
      temporal: (client) => ({
        ...client,
        describe(...args) {
          describes += 1;
          return client.describe(...args);
        },
      }),
    });
    const id = uniqueId('current');
    await launch(uniqueId('nobody'), 'patient', id);
    await statesOf(watching, id);
    describes = 0;
    const started = performance.now();
    while (performance.now() - started < 1_000) {
      await Promise.all(Array.from({ length: 10 }, () => statesOf(watching, id)));
    }
    expect(describes).toBeLessThanOrEqual(2 + (performance.now() - started) / 50);
  }, 20_000);

  test('in lists follows Temporal without a request for the workflow itself', async () => {
    await using watching = await startWatching(temporal.address, NO_SWEEP);
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('current');
    const first = await launch(worker.taskQueue, 'patient', id);
    await statesOf(watching, id);
    const listed = (run: { firstExecutionRunId: string }, status: string, args = '') =>
      until(async () => {
        const node = (await listOf(watching, args)).find((each) => each.id === id);
        return node?.runId === run.firstExecutionRunId && node.status === status;
      });
    await listed(first, 'RUNNING');
    await first.signal('go');
    await first.result();
    await listed(first, 'SUCCESS');
    const second = await launch(worker.taskQueue, 'patient', id);
    await listed(second, 'RUNNING');
    await second.terminate('enough');
    await listed(second, 'TERMINATED', ', status: TERMINATED');
    const third = await launch(worker.taskQueue, 'delivery', id);
    await third.result();
    await listed(third, 'SUCCESS');
    expect((await listOf(watching, ', status: TERMINATED')).map((each) => each.id)).not.toContain(id);
  }, 60_000);
});

describeOwnTemporal('a workflow that is paused', () => {
  test('is PAUSED in its state until it continues, also if it streams itself', async () => {
    const args = ['--dynamic-config-value', 'frontend.WorkflowPauseEnabled=true'];
    await using server = await startTemporal({ args });
    const temporal = await connectTo(server.address);
    try {
      await using watching = await startWatching(temporal.address, NO_SWEEP);
      await using own = await startWorker(temporal);
      await using foreign = await startForeignWorker(temporal);
      const launch = launcherOf(temporal);
      for (const isViewed of [false, true]) {
        for (const [worker, name] of [
          [own, 'onSignal'],
          [foreign, 'patient'],
        ] as const) {
          const id = uniqueId(name);
          const handle = await launch(worker.taskQueue, name, id, [1]);
          const status = async () => (await statesOf(watching, id)).map((state) => state.status);
          // A pause during the first workflow task fails that task.
          await until(async () => (await handle.describe()).historyLength >= 4);
          let stream: SseStream | undefined;
          if (isViewed) {
            stream = await watchRest(watching.url, id);
            await waitForLine(stream, 'workflow_start');
          }
          const { workflowService } = temporal.client;
          const target = { namespace: 'default', workflowId: id, identity: 'test' };
          await workflowService.pauseWorkflowExecution({ ...target, reason: 'lunch' });
          expect(await status()).toEqual(['PAUSED', 'PAUSED']);
          if (stream && name === 'patient') await waitForLine(stream, 'workflow_status PAUSED');
          await workflowService.unpauseWorkflowExecution({ ...target, reason: 'back' });
          expect(await status()).toEqual(['RUNNING', 'RUNNING']);
          await handle.terminate();
          expect(await status()).toEqual(['TERMINATED', 'TERMINATED']);
          stream?.[Symbol.dispose]();
        }
      }
    } finally {
      await temporal.close();
    }
  }, 90_000);
});
