// Lists of workflows that nobody has viewed, and of those that a schedule started, on a real server.
import { expect, test } from 'vitest';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { uniqueId } from '../rig.ts';
import { createNamespace, startForeignWorker, startWatching, type Watching, watchRest } from './rig.ts';

interface Listed {
  readonly id: string;
  readonly status: string;
  readonly name: string;
}

describeTemporal('lists with workflows from Temporal', () => {
  const temporal = useTemporal();

  async function list({ url }: Watching, args: string) {
    const query = `{ executions(${args}) { edges { node { id status name } } pageInfo { hasNextPage endCursor } } }`;
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    const { data, errors } = (await response.json()) as {
      data: {
        executions: {
          edges: { node: Listed }[];
          pageInfo: { hasNextPage: boolean; endCursor: string };
        };
      } | null;
      errors?: { message: string }[];
    };
    const nodes = data?.executions.edges.map(({ node }) => node) ?? [];
    return { nodes, errors, ...data?.executions.pageInfo };
  }

  const launch = (name: string, client = temporal.client, taskQueue = uniqueId('nobody')) =>
    client.workflow.start(name, { taskQueue, workflowId: uniqueId(name) });

  test('workflows are listed once, with their status, in stable pages, though nobody has viewed them', async () => {
    // The other namespace has the workflows of all suites.
    const client = await createNamespace(temporal);
    const { namespace } = client.options;
    await using watching = await startWatching(temporal.address, {
      namespace,
      workflows: { lists: true, sweepMs: 3_600_000, queryGraceMs: 250 },
    });
    await using worker = await startForeignWorker(temporal, undefined, { namespace });
    const handles = [await launch('delivery', client, worker.taskQueue)];
    await handles[0]!.result();
    for (let i = 0; i < 3; i += 1) handles.unshift(await launch('patient', client));
    await handles[1]!.terminate('enough');
    const ids = handles.map(({ workflowId }) => workflowId);
    const statusesOf = async () =>
      (await list(watching, 'kind: WORKFLOW, first: 100')).nodes.map(({ id, status }) => [id, status]);
    const expected = ['RUNNING', 'TERMINATED', 'RUNNING', 'SUCCESS'].map((status, i) => [ids[i], status]);
    // Visibility needs a moment.
    await until(async () => JSON.stringify(await statusesOf()) === JSON.stringify(expected), {
      timeoutMs: 20_000,
    });
    const paged: string[] = [];
    let after: string | undefined = '';
    for (let pages = 0; pages < 4 && after !== undefined; pages += 1) {
      const page = await list(watching, `first: 2, after: "${after}"`);
      paged.push(...page.nodes.map(({ id }) => id));
      after = page.hasNextPage ? page.endCursor : undefined;
    }
    expect(paged).toEqual(ids);
    const terminated = await list(watching, 'status: TERMINATED, first: 100');
    expect(terminated.nodes.map(({ id }) => id)).toEqual([ids[1]]);
    using stream = await watchRest(watching.url, ids[3]!);
    await stream.ended(10_000);
    const { nodes } = await list(watching, 'first: 100');
    expect(nodes.filter(({ id }) => id === ids[3])).toHaveLength(1);
  }, 90_000);

  test('the workflows of a schedule are listed by its id', async () => {
    await using watching = await startWatching(temporal.address, {
      workflows: { lists: true, queryGraceMs: 250 },
    });
    const scheduleId = uniqueId("nightly's");
    const workflowId = uniqueId('patient');
    const schedule = await temporal.client.schedule.create({
      scheduleId,
      spec: {},
      action: { type: 'startWorkflow', workflowType: 'patient', taskQueue: uniqueId('nobody'), workflowId },
      policies: { overlap: 'ALLOW_ALL' },
    });
    try {
      await schedule.trigger();
      const other = await launch('patient');
      const { nodes } = await until(
        async () => {
          const page = await list(watching, `scheduleId: ${JSON.stringify(scheduleId)}, first: 100`);
          return page.nodes.length === 1 && page;
        },
        { timeoutMs: 20_000 },
      );
      expect(nodes[0]).toMatchObject({ status: 'RUNNING', name: 'patient' });
      expect(nodes[0]!.id.startsWith(workflowId)).toBe(true);
      expect(nodes[0]!.id).not.toBe(other.workflowId);
      expect((await list(watching, 'scheduleId: "no-such-schedule"')).nodes).toEqual([]);
    } finally {
      await schedule.delete();
    }
  }, 40_000);

  test('workflows are listed by their type, their parent and the time of their start', async () => {
    const client = await createNamespace(temporal);
    const { namespace } = client.options;
    await using watching = await startWatching(temporal.address, {
      namespace,
      workflows: { lists: true, sweepMs: 3_600_000, queryGraceMs: 250 },
    });
    await using worker = await startForeignWorker(temporal, undefined, { namespace });
    const startedAt = async (handle: Awaited<ReturnType<typeof launch>>) =>
      (await handle.describe()).startTime.toISOString();
    const first = await launch('patient', client, worker.taskQueue);
    const parent = await launch('order', client, worker.taskQueue);
    const childId = `${parent.workflowId}/delivery`;
    const child = client.workflow.getHandle(childId);
    await until(() => child.result().catch(() => undefined), { timeoutMs: 20_000 });
    const other = await launch('delivery', client, worker.taskQueue);
    const last = await launch('patient', client, worker.taskQueue);
    const idsOf = async (args: string) =>
      (await list(watching, `${args}, first: 100`)).nodes.map(({ id }) => id);
    // Visibility needs a moment.
    await until(async () => (await idsOf('kind: WORKFLOW')).length === 5, { timeoutMs: 20_000 });
    expect(await idsOf('workflowType: "patient"')).toEqual([last.workflowId, first.workflowId]);
    expect(await idsOf('workflowType: "patient", status: SUCCESS')).toEqual([]);
    expect(await idsOf(`parentId: "${parent.workflowId}"`)).toEqual([childId]);
    expect(await idsOf(`parentId: "${first.workflowId}"`)).toEqual([]);
    const from = `startedFrom: "${await startedAt(other)}"`;
    const before = `startedBefore: "${await startedAt(last)}"`;
    expect(await idsOf(from)).toEqual([last.workflowId, other.workflowId]);
    expect(await idsOf(before)).not.toContain(last.workflowId);
    expect(await idsOf(`${from}, ${before}`)).toEqual([other.workflowId]);
    const page = await list(watching, 'workflowType: "patient", first: 1');
    expect([page.nodes.map(({ id }) => id), page.hasNextPage]).toEqual([[last.workflowId], true]);
    const next = await list(watching, `workflowType: "patient", first: 1, after: "${page.endCursor}"`);
    expect([next.nodes.map(({ id }) => id), next.hasNextPage]).toEqual([[first.workflowId], false]);
    for (const wrong of ['yesterday', '2026-11-28', '2026-11-28T10:00:00', '2026-13-01T00:00:00Z']) {
      const { errors } = await list(watching, `startedFrom: "${wrong}"`);
      expect(errors?.[0]?.message).toBe(`startedFrom: expected a date and time (RFC 3339), got "${wrong}"`);
    }
  }, 90_000);

  test('without the setting, lists have no workflows that nobody has viewed, and no schedules', async () => {
    await using watching = await startWatching(temporal.address);
    const { workflowId } = await launch('patient');
    expect((await list(watching, 'first: 100')).nodes).toEqual([]);
    await fetch(`${watching.url}/api/v0/executions/workflows/${workflowId}`);
    expect((await list(watching, 'first: 100')).nodes.map(({ id }) => id)).toEqual([workflowId]);
    for (const [name, value] of [
      ['scheduleId', 's'],
      ['workflowType', 't'],
      ['parentId', 'p'],
      ['startedFrom', '2026-11-28T10:00:00+01:00'],
      ['startedBefore', '2026-11-28T10:00:00.5Z'],
    ]) {
      const { errors } = await list(watching, `${name}: "${value}"`);
      expect(errors?.[0]?.message).toBe(
        `${name}: this server does not list workflows from Temporal (TEMPORAL_LIST)`,
      );
    }
  });
});
