// Workflows that Temporal has paused: when their streams continue, and what lists show, on a real server.
import { expect, test } from 'vitest';
import type { OpenStatus } from '../../../src/event/events.ts';
import { connectTo, describeOwnTemporal, startTemporal } from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { startWorker, uniqueId } from '../rig.ts';
import {
  launcherOf,
  linesOf,
  startForeignWorker,
  startWatching,
  type Watching,
  type WatchingOptions,
  waitForLine,
  watchRest,
} from './rig.ts';

/** The next query after one that failed would come much later than a test waits. */
const LONG_BACKOFF = { slowPollMs: 200, retryMs: { firstMs: 120_000, maxMs: 120_000 } };

describeOwnTemporal('a workflow that Temporal has paused', () => {
  /** Runs with a server whose workflows can be paused. */
  async function withPauses(
    options: WatchingOptions,
    run: (
      parts: Awaited<ReturnType<typeof connectTo>>,
      watching: Watching,
      setPause: (workflowId: string, isPaused: boolean) => Promise<unknown>,
    ) => Promise<void>,
  ) {
    const args = ['--dynamic-config-value', 'frontend.WorkflowPauseEnabled=true'];
    await using server = await startTemporal({ args });
    const temporal = await connectTo(server.address);
    try {
      await using watching = await startWatching(temporal.address, options);
      const { workflowService } = temporal.client;
      await run(temporal, watching, (workflowId, isPaused) => {
        const request = { namespace: 'default', workflowId, identity: 'test', reason: 'lunch' };
        return isPaused
          ? workflowService.pauseWorkflowExecution(request)
          : workflowService.unpauseWorkflowExecution(request);
      });
    } finally {
      await temporal.close();
    }
  }

  test('continues its stream when it continues, though queries have failed in the meantime', async () => {
    await withPauses({ workflows: LONG_BACKOFF }, async (temporal, watching, setPause) => {
      await using worker = await startWorker(temporal);
      const id = uniqueId('onSignal');
      const handle = await launcherOf(temporal)(worker.taskQueue, 'onSignal', id, [2]);
      using stream = await watchRest(watching.url, id);
      await handle.signal('go');
      await waitForLine(stream, 'signal 1');
      await setPause(id, true);
      const failed = watching.failures();
      await until(() => watching.failures() > failed);
      await handle.signal('go');
      await setPause(id, false);
      await waitForLine(stream, 'signal 2', 5_000);
      await stream.ended(10_000);
      expect(linesOf(stream).at(-1)).toBe('4 complete SUCCESS');
    });
  }, 60_000);

  test('that was viewed first while it was paused is shown by its own events when it continues', async () => {
    await withPauses(
      { workflows: { ...LONG_BACKOFF, queryGraceMs: 250 } },
      async (temporal, watching, setPause) => {
        await using worker = await startWorker(temporal);
        const id = uniqueId('onSignal');
        const handle = await launcherOf(temporal)(worker.taskQueue, 'onSignal', id, [2]);
        // A pause during the first workflow task fails that task.
        await until(async () => (await handle.describe()).historyLength >= 4);
        await setPause(id, true);
        using stream = await watchRest(watching.url, id);
        await until(() => watching.failures() > 0);
        await setPause(id, false);
        await handle.signal('go');
        await waitForLine(stream, 'signal 1', 5_000);
        await handle.signal('go');
        await stream.ended(10_000);
        expect(linesOf(stream).at(-1)).toBe('4 complete SUCCESS');
      },
    );
  }, 60_000);

  test('is PAUSED in lists until it continues, viewed or not', async () => {
    await withPauses({ workflows: { queryGraceMs: 250 } }, async (temporal, watching, setPause) => {
      await using own = await startWorker(temporal);
      await using foreign = await startForeignWorker(temporal);
      const listed = async (status?: OpenStatus) => {
        const query = `{ executions(kind: WORKFLOW${status ? `, status: ${status}` : ''}) { edges { node { id status } } } }`;
        const response = await fetch(`${watching.url}/graphql`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ query }),
        });
        const { data } = (await response.json()) as {
          data: { executions: { edges: { node: { id: string; status: string } }[] } };
        };
        return data.executions.edges.map(({ node }) => node);
      };
      const streams = [];
      const ids: string[] = [];
      for (const [taskQueue, name, isViewed] of [
        [own.taskQueue, 'onSignal', true],
        [own.taskQueue, 'onSignal', false],
        [foreign.taskQueue, 'patient', true],
        [foreign.taskQueue, 'patient', false],
      ] as const) {
        const id = uniqueId(name);
        const handle = await launcherOf(temporal)(taskQueue, name, id, [1]);
        ids.push(id);
        await until(async () => (await handle.describe()).historyLength >= 4);
        const stream = await watchRest(watching.url, id);
        await waitForLine(stream, 'workflow_start');
        if (isViewed) streams.push(stream);
        else stream[Symbol.dispose]();
      }
      // Visibility needs a moment.
      const untilAll = (status: OpenStatus) =>
        until(
          async () => {
            const all = await listed();
            return all.length === ids.length && all.every((node) => node.status === status);
          },
          { timeoutMs: 15_000 },
        );
      await untilAll('RUNNING');
      for (const id of ids) await setPause(id, true);
      await untilAll('PAUSED');
      expect((await listed('PAUSED')).map(({ id }) => id).sort()).toEqual(ids.toSorted());
      for (const id of ids) await setPause(id, false);
      await untilAll('RUNNING');
      expect(await listed('PAUSED')).toEqual([]);
      for (const stream of streams) stream[Symbol.dispose]();
    });
  }, 90_000);
});
