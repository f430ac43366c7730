// Runs that continued as new, and attempts of a workflow that was retried, viewed from the first run on and when the last one
// is open or has closed, on a real server.
import { expect, test } from 'vitest';
import { TemporalError } from '../../../src/temporal/source/errors.ts';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { startWorker, uniqueId } from '../rig.ts';
import {
  fetchState,
  linesOf,
  startForeignWorker,
  startWatching,
  type Watching,
  waitForLine,
  watchRest,
} from './rig.ts';

const GRACE = { workflows: { queryGraceMs: 250 } };

describeTemporal('a chain of runs that continued as new', () => {
  const temporal = useTemporal();
  const launch = (taskQueue: string, name: string, args: unknown[]) =>
    temporal.client.workflow.start(name, { taskQueue, workflowId: uniqueId(name), args });

  /** The lines of a stream that starts now, up to the end. */
  async function linesToEnd(url: string, id: string): Promise<string[]> {
    using stream = await watchRest(url, id);
    await stream.ended(15_000);
    return linesOf(stream).filter((line) => !line.includes('warning'));
  }

  test('is shown with all of its runs and the same cursors, whenever it is viewed first', async () => {
    await using live = await startWatching(temporal.address, GRACE);
    await using open = await startWatching(temporal.address, GRACE);
    await using worker = await startForeignWorker(temporal);
    const handle = await launch(worker.taskQueue, 'lapper', [3]);
    const id = handle.workflowId;
    using fromStart = await watchRest(live.url, id);
    const current = temporal.client.workflow.getHandle(id);
    for (let run = 1; run <= 2; run += 1) {
      const { runId } = await current.describe();
      await current.signal('go');
      await until(async () => (await current.describe()).runId !== runId);
    }
    using late = await watchRest(open.url, id);
    await waitForLine(fromStart, '5 workflow_status RUNNING continued as new');
    await waitForLine(late, '5 workflow_status RUNNING continued as new');
    await current.signal('go');
    for (const stream of [fromStart, late]) await stream.ended(15_000);
    expect(linesOf(fromStart)).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal go',
      '3 workflow_status RUNNING continued as new',
      '4 workflow_status RUNNING signal go',
      '5 workflow_status RUNNING continued as new',
      '6 workflow_status RUNNING signal go',
      '7 complete SUCCESS',
    ]);
    expect(linesOf(late)).toEqual(linesOf(fromStart));
    await using after = await startWatching(temporal.address, GRACE);
    expect(await linesToEnd(after.url, id)).toEqual(linesOf(fromStart));
    await worker.stop();
    await using without = await startWatching(temporal.address, GRACE);
    expect(await linesToEnd(without.url, id)).toEqual(linesOf(fromStart));
  }, 60_000);

  test('that streams itself has all of its events when it is viewed after its end', async () => {
    await using worker = await startWorker(temporal);
    const handle = await launch(worker.taskQueue, 'laps', [25]);
    const id = handle.workflowId;
    await handle.result();
    await using after = await startWatching(temporal.address, GRACE);
    // A server that knows the worker waits for it on a busy machine.
    const { workflowId } = await launch(worker.taskQueue, 'laps', [1]);
    using _known = await watchRest(after.url, workflowId);
    await until(() => after.requests('query') > 0);
    const late = await linesToEnd(after.url, id);
    const steps = Array.from({ length: 25 }, (_, i) => ['a', 'b', 'c'].map((step) => `${25 - i}${step}`));
    expect(late).toEqual([
      '1 workflow_start',
      ...steps.flat().map((step, i) => `${i + 2} workflow_status RUNNING ${step}`),
      '77 complete SUCCESS',
    ]);
  }, 60_000);

  test('starts with a gap if Temporal no longer has its first run', async () => {
    await using worker = await startForeignWorker(temporal);
    const handle = await launch(worker.taskQueue, 'lapper', [2]);
    const id = handle.workflowId;
    const current = temporal.client.workflow.getHandle(id);
    await handle.signal('go');
    await until(async () => (await current.describe()).runId !== handle.firstExecutionRunId);
    await current.signal('go');
    await current.result();
    await using watching = await startWatching(temporal.address, {
      ...GRACE,
      temporal: (client) => ({
        ...client,
        async describe(ref, priority) {
          if (ref.runId === handle.firstExecutionRunId) throw new TemporalError('unknown-workflow', 'gone');
          return client.describe(ref, priority);
        },
      }),
    });
    expect(await linesToEnd(watching.url, id)).toEqual([
      '1 gap',
      '2 workflow_start',
      '3 workflow_status RUNNING signal go',
      '4 complete SUCCESS',
    ]);
  }, 30_000);
});

describeTemporal('a workflow that is retried', () => {
  const temporal = useTemporal();

  test.each([
    ['streams itself', 'onSignal', startWorker],
    ['is shown by its history', 'patient', startForeignWorker],
  ] as const)(
    'and %s ends with the events of its last attempt, for a live viewer and for later ones',
    async (_, name, start) => {
      await using live = await startWatching(temporal.address, GRACE);
      await using worker = await start(temporal);
      const handle = await temporal.client.workflow.start(name, {
        ...{ taskQueue: worker.taskQueue, workflowId: uniqueId(name), args: [1] },
        workflowRunTimeout: '1500 ms',
        retry: { initialInterval: '100 ms', backoffCoefficient: 1, maximumAttempts: 2 },
      });
      const id = handle.workflowId;
      using stream = await watchRest(live.url, id);
      await stream.ended(20_000);
      const lines = linesOf(stream);
      expect(lines).toContain('0 reset attempt');
      const last = lines.slice(lines.lastIndexOf('0 reset attempt') + 1);
      expect([last[0], last.at(-1)]).toEqual(['1 workflow_start', `${last.length} error TIMED_OUT`]);
      await using after = await startWatching(temporal.address, GRACE);
      using late = await watchRest(after.url, id);
      await late.ended(20_000);
      expect(linesOf(late).filter((line) => !line.includes(' warning '))).toEqual(last);
      using again = await watchRest(live.url, id);
      await again.ended(20_000);
      expect(linesOf(again)).toEqual(last);
      const stateOf = async (watching: Watching) => {
        const { lastCursor: _, ...state } = await fetchState<{ lastCursor: string }>(watching, id);
        return state;
      };
      expect(await stateOf(after)).toMatchObject({ status: 'TIMED_OUT', attempt: 2 });
      expect(await stateOf(after)).toEqual(await stateOf(live));
      // Each attempt is a run, which can be viewed alone.
      using first = await watchRest(after.url, id, `?run_id=${handle.firstExecutionRunId}`);
      await first.ended(20_000);
      expect(linesOf(first).filter((line) => !line.includes(' warning '))).toEqual(last);
    },
    40_000,
  );
});
