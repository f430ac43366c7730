// The rows of child workflows that the history of their parent reports as started.
import { expect, test } from 'vitest';
import { createChildCollector, createChildRows } from '../../../src/temporal/source/child-rows.ts';
import { TemporalError } from '../../../src/temporal/source/errors.ts';
import type { LatestRun } from '../../../src/temporal/source/latest-run.ts';
import { createResolution, type ResolveWorkflow } from '../../../src/temporal/source/resolve.ts';
import type {
  TemporalClient,
  WorkflowRef,
  WorkflowRun,
} from '../../../src/temporal/source/temporal-client.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { historyEvent, RUN, type Sample } from './history-samples.ts';

const PARENT = { namespace: 'default' };
const REPORTED_AT = Date.parse('2026-01-02T03:04:05Z');
const STARTED_AT = REPORTED_AT - 7;
const child = (workflowId: string) => ({
  workflowId,
  runId: `run-${workflowId}`,
  name: 'C',
  namespace: undefined,
  reportedAt: REPORTED_AT,
});

/** A child's only run. */
function runOf(workflowId: string): WorkflowRun {
  const runId = `run-${workflowId}`;
  return { ...RUN, workflowId, runId, firstRunId: runId, workflowType: 'C', startedAt: STARTED_AT };
}

interface Setting {
  readonly resolve?: ResolveWorkflow;
  readonly namespaces?: readonly string[];
  readonly describe?: (workflowId: string) => WorkflowRun;
}

function setUp({ resolve, namespaces, describe = runOf }: Setting = {}) {
  const store = createMemoryStore();
  const temporal = {
    namespace: 'default',
    describe: async ({ namespace, workflowId }: WorkflowRef) => ({ ...describe(workflowId), namespace }),
  } as unknown as TemporalClient;
  const resolution = createResolution({ temporal, store, resolve, namespaces });
  /** The rows for which the latest run was requested. */
  const requested: string[] = [];
  const latest: LatestRun['latest'] = async (row) => {
    requested.push(row.id);
    return row;
  };
  return { store, requested, begin: createChildRows({ temporal, store, resolution, latest }) };
}

test('children get a row with their parent, run and name', async () => {
  const { store, begin } = setUp();
  const ids = Array.from({ length: 45 }, (_, i) => `c${i}`);
  await begin('parent', PARENT, ids.map(child));
  const rows = await store.getMany(ids);
  expect(rows).toHaveLength(45);
  expect(await store.get('c7')).toMatchObject({
    ...{ kind: 'workflow', mode: 'STRUCTURED', status: 'RUNNING', attempt: 1, name: 'C' },
    ...{ parentId: 'parent', workflowId: 'c7', runId: 'run-c7' },
    startedAt: new Date(STARTED_AT),
  });
});

test('a child whose id a later workflow has gets the row of that workflow', async () => {
  const later = {
    ...runOf('c'),
    runId: 'r9',
    firstRunId: 'r9',
    parentId: 'other',
    startedAt: REPORTED_AT + 60_000,
  };
  const { store, begin } = setUp({ describe: () => later });
  await begin('parent', PARENT, [child('c')]);
  expect(await store.get('c')).toMatchObject({
    ...{ parentId: 'other', runId: 'r9', startedAt: new Date(later.startedAt) },
  });
});

test('a child that Temporal does not return gets the row that its parent describes', async () => {
  const { store, begin } = setUp({
    describe: (workflowId) => {
      throw new TemporalError(workflowId === 'deleted' ? 'unknown-workflow' : 'unavailable', 'no child');
    },
  });
  await begin('parent', PARENT, ['deleted', 'unreachable'].map(child));
  for (const id of ['deleted', 'unreachable']) {
    expect(await store.get(id)).toMatchObject({
      ...{ name: 'C', parentId: 'parent', runId: `run-${id}`, startedAt: new Date(REPORTED_AT) },
    });
  }
});

test('the row of a former run under the id of a child is that of the latest run afterwards', async () => {
  const { store, requested, begin } = setUp();
  for (const [id, runId] of [
    ['former', 'r0'],
    ['known', 'run-known'],
  ] as const) {
    await store.begin({ id, kind: 'workflow', mode: 'STRUCTURED', workflowId: id, runId });
  }
  await begin('parent', PARENT, ['former', 'known'].map(child));
  expect(requested).toEqual(['former']);
});

test('a row that exists stays as it is', async () => {
  const { store, begin } = setUp();
  await store.begin({ id: 'c', kind: 'task', mode: 'TEXT' });
  await begin('parent', PARENT, [child('c')]);
  expect(await store.get('c')).toMatchObject({ kind: 'task', revision: 1 });
});

test('the application decides which children get a row, and their tenant', async () => {
  const resolve: ResolveWorkflow = (workflowId) => {
    if (workflowId === 'broken') throw new Error('no answer');
    if (workflowId === 'hidden') return undefined;
    if (workflowId === 'renamed') return { workflowId: 'other' };
    if (workflowId === 'far') return { workflowId, namespace: 'elsewhere' };
    return { workflowId, tenant: 'acme' };
  };
  const { store, begin } = setUp({ resolve });
  await begin('parent', PARENT, ['broken', 'hidden', 'renamed', 'far', 'own'].map(child));
  const rows = await store.getMany(['broken', 'hidden', 'renamed', 'far', 'own', 'other']);
  expect(rows).toMatchObject([{ id: 'own', tenant: 'acme' }]);
});

test('a child of another namespace, or whose parent belongs to another tenant, gets no row', async () => {
  const { store, begin } = setUp({ resolve: (workflowId) => ({ workflowId, tenant: 'acme' }) });
  await store.begin({ id: 'parent', kind: 'workflow', mode: 'STRUCTURED', tenant: 'umbrella' });
  await begin('parent', PARENT, [{ ...child('far'), namespace: 'elsewhere' }, child('c')]);
  expect(await store.getMany(['far', 'c'])).toEqual([]);
});

test('a store that is unavailable stops the stream of the parent, which tries again', async () => {
  const { store, begin } = setUp();
  store.isAway = true;
  await expect(begin('parent', PARENT, [child('c')])).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
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
  const eventTime = { seconds: REPORTED_AT / 1_000, nanos: 0 };
  const events = samples.map(([type, attributes, fields], i) =>
    historyEvent([type, attributes, { ...fields, eventTime }], i + 1),
  );
  expect(collect(events.slice(0, 1))).toEqual([]);
  expect(collect(events.slice(1))).toEqual([
    { workflowId: 'a', runId: 'r', name: 'Deliver it', namespace: 'n', reportedAt: REPORTED_AT },
    { workflowId: 'b', runId: 'r', name: 'C', namespace: 'n', reportedAt: REPORTED_AT },
  ]);
});

test('with several namespaces, a child of another one gets a row under its id', async () => {
  const { store, begin } = setUp({ namespaces: ['billing'] });
  await begin('parent', PARENT, [
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
