// The rows of child workflows that the history of their parent reports as started.
import { expect, test } from 'vitest';
import { createChildCollector, createChildRows } from '../../../src/temporal/source/child-rows.ts';
import { createNamespaceIds, idsWithin } from '../../../src/temporal/source/namespace-ids.ts';
import type { ResolveWorkflow } from '../../../src/temporal/source/resolve.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { historyEvent, type Sample } from './history-samples.ts';

const RUN = { namespace: 'default' };
const child = (workflowId: string) => ({
  workflowId,
  runId: `run-${workflowId}`,
  name: 'C',
  namespace: undefined,
});

function setUp(resolveWorkflow: ResolveWorkflow = (workflowId) => ({ workflowId })) {
  const store = createMemoryStore();
  const resolution = { resolveWorkflow, idsFrom: () => idsWithin('default') };
  return { store, begin: createChildRows({ store, resolution, namespace: 'default' }) };
}

test('children get a row with their parent, run and name', async () => {
  const { store, begin } = setUp();
  const ids = Array.from({ length: 45 }, (_, i) => `c${i}`);
  await begin('parent', RUN, ids.map(child));
  const rows = await store.getMany(ids);
  expect(rows).toHaveLength(45);
  expect(await store.get('c7')).toMatchObject({
    ...{ kind: 'workflow', mode: 'STRUCTURED', status: 'RUNNING', attempt: 1, name: 'C' },
    ...{ parentId: 'parent', workflowId: 'c7', runId: 'run-c7' },
  });
});

test('a row that exists stays as it is', async () => {
  const { store, begin } = setUp();
  await store.begin({ id: 'c', kind: 'task', mode: 'TEXT' });
  await begin('parent', RUN, [child('c')]);
  expect(await store.get('c')).toMatchObject({ kind: 'task', revision: 1 });
});

test('the application decides which children get a row, and their tenant', async () => {
  const { store, begin } = setUp((workflowId) => {
    if (workflowId === 'broken') throw new Error('no answer');
    if (workflowId === 'hidden') return undefined;
    if (workflowId === 'renamed') return { workflowId: 'other' };
    if (workflowId === 'far') return { workflowId, namespace: 'elsewhere' };
    return { workflowId, tenant: 'acme' };
  });
  await begin('parent', RUN, ['broken', 'hidden', 'renamed', 'far', 'own'].map(child));
  const rows = await store.getMany(['broken', 'hidden', 'renamed', 'far', 'own', 'other']);
  expect(rows).toMatchObject([{ id: 'own', tenant: 'acme' }]);
});

test('a child of another namespace, or whose parent belongs to another tenant, gets no row', async () => {
  const { store, begin } = setUp((workflowId) => ({ workflowId, tenant: 'acme' }));
  await store.begin({ id: 'parent', kind: 'workflow', mode: 'STRUCTURED', tenant: 'umbrella' });
  await begin('parent', RUN, [{ ...child('far'), namespace: 'elsewhere' }, child('c')]);
  expect(await store.getMany(['far', 'c'])).toEqual([]);
});

test('a store that is unavailable stops the stream of the parent, which tries again', async () => {
  const { store, begin } = setUp();
  store.isAway = true;
  await expect(begin('parent', RUN, [child('c')])).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
});

test('started children are collected with their names; those without an execution id are not', () => {
  const summary = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"Deliver it"') };
  const started = (workflowId: string, initiatedEventId: number): Sample => [
    'CHILD_WORKFLOW_EXECUTION_STARTED',
    {
      workflowExecution: { workflowId, runId: 'r' },
      workflowType: { name: 'C' },
      initiatedEventId,
      namespace: 'n',
    },
  ];
  const samples: Sample[] = [
    ['START_CHILD_WORKFLOW_EXECUTION_INITIATED', { workflowId: 'a' }, { userMetadata: { summary } }],
    ['TIMER_FIRED', {}],
    started('a', 1),
    started('b', 99),
    started('c\0', 99),
  ];
  const collect = createChildCollector();
  const events = samples.map((sample, i) => historyEvent(sample, i + 1));
  expect(collect(events.slice(0, 1))).toEqual([]);
  expect(collect(events.slice(1))).toEqual([
    { workflowId: 'a', runId: 'r', name: 'Deliver it', namespace: 'n' },
    { workflowId: 'b', runId: 'r', name: 'C', namespace: 'n' },
  ]);
});

test('with several namespaces, a child of another one gets a row under its id', async () => {
  const store = createMemoryStore();
  const ids = createNamespaceIds('default', ['billing']);
  const resolution = { resolveWorkflow: ids.parse, idsFrom: () => ids.format };
  const begin = createChildRows({ store, resolution, namespace: 'default' });
  await begin('parent', RUN, [
    child('c'),
    { ...child('c'), namespace: 'billing' },
    { ...child('c'), namespace: 'elsewhere' },
  ]);
  await begin('billing:parent', { namespace: 'billing' }, [child('d')]);
  const rows = await store.getMany(['c', 'billing:c', 'elsewhere:c', 'billing:d', 'd']);
  expect(rows.map(({ id, parentId, workflowId }) => [id, parentId, workflowId])).toEqual([
    ['c', 'parent', 'c'],
    ['billing:c', 'parent', 'c'],
    ['billing:d', 'billing:parent', 'd'],
  ]);
});
