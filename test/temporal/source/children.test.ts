// The rows of child workflows that nobody has viewed, on a real server: they have the times and the run that Temporal has.
import { expect, test } from 'vitest';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { uniqueId } from '../rig.ts';
import { startForeignWorker, startWatching, waitForLine, watchRest } from './rig.ts';

interface Row {
  readonly id: string;
  readonly runId: string;
  readonly status: string;
  readonly startedAt: string;
  readonly durationMs: number | null;
}

describeTemporal('children that nobody has viewed', () => {
  const temporal = useTemporal();

  async function runOrder(taskQueue: string, workflowId: string): Promise<void> {
    const handle = await temporal.client.workflow.start('order', { taskQueue, workflowId, args: ['secret'] });
    await handle.signal('go');
    await handle.result();
  }

  /** The children of a workflow, as its parent lists them. */
  async function childrenOf(url: string, id: string): Promise<Row[]> {
    const query = `{ execution(kind: WORKFLOW, id: "${id}") {
      children { edges { node { id runId status startedAt durationMs } } }
    } }`;
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ query }),
    });
    const { data } = (await response.json()) as {
      data: { execution: { children: { edges: { node: Row }[] } } };
    };
    return data.execution.children.edges.map(({ node }) => node);
  }

  async function describe(workflowId: string) {
    const { runId, startTime, closeTime } = await temporal.client.workflow.getHandle(workflowId).describe();
    return { runId, startedAt: startTime.toISOString(), durationMs: +closeTime! - +startTime };
  }

  test('have the start and the duration of Temporal if the parent is first viewed after its end', async () => {
    await using watching = await startWatching(temporal.address, { workflows: { sweepMs: 250 } });
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('family');
    await runOrder(worker.taskQueue, id);
    using stream = await watchRest(watching.url, id);
    await stream.ended(10_000);
    const child = await describe(`${id}/delivery`);
    const [row] = await childrenOf(watching.url, id);
    expect(row).toMatchObject({ runId: child.runId, startedAt: child.startedAt });
    const ended = await until(async () => {
      const [now] = await childrenOf(watching.url, id);
      return now?.status === 'SUCCESS' && now;
    });
    expect(ended).toMatchObject(child);
  }, 60_000);

  test('are those of the second run of the parent, whose children have the same ids', async () => {
    await using watching = await startWatching(temporal.address, { workflows: { sweepMs: 250 } });
    await using worker = await startForeignWorker(temporal);
    const id = uniqueId('family');
    const rowOfRun = (runId: string) =>
      until(async () => {
        const [now] = await childrenOf(watching.url, id);
        return now?.status === 'SUCCESS' && now.runId === runId && now;
      });

    await runOrder(worker.taskQueue, id);
    using first = await watchRest(watching.url, id);
    await first.ended(10_000);
    const former = await describe(`${id}/delivery`);
    expect(await rowOfRun(former.runId)).toMatchObject(former);

    await runOrder(worker.taskQueue, id);
    using second = await watchRest(watching.url, id);
    await waitForLine(second, 'complete');
    const latest = await describe(`${id}/delivery`);
    expect(latest.runId).not.toBe(former.runId);
    expect(await rowOfRun(latest.runId)).toMatchObject(latest);
  }, 60_000);
});
