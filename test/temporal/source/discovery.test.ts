// Which requests to Temporal's visibility a page of a list causes, and which rows are created.
import { beforeEach, expect, test, vi } from 'vitest';
import type { DiscoveryQuery } from '../../../src/execution/discovery.ts';
import { createDiscovery } from '../../../src/temporal/source/discovery.ts';
import { TemporalError } from '../../../src/temporal/source/errors.ts';
import { idsWithin } from '../../../src/temporal/source/namespace-ids.ts';
import type { VisibilityRequest, VisibleRun } from '../../../src/temporal/source/temporal-client.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { fakeClient } from './fake-client.ts';

const NOW = Date.parse('2026-11-28T10:00:00.000Z');

let store: MemoryStore;
let visible: VisibleRun[];
let requests: VisibilityRequest[];
let failure: TemporalError | undefined;
let settled: string[];
/** When the chains of runs started, if not with the run that visibility has. */
let chainStarts: Map<string, Date>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  store = createMemoryStore();
  visible = [];
  requests = [];
  failure = undefined;
  settled = [];
  chainStarts = new Map();
  return () => vi.useRealTimers();
});

/** A workflow that started this long before now. */
function started(workflowId: string, secondsAgo: number, runId = `run-of-${workflowId}`): VisibleRun {
  const startedAt = new Date(NOW - secondsAgo * 1_000).toISOString().replace('Z', '000000Z');
  return { workflowId, runId, status: 'RUNNING', startedAt, finishedAt: undefined };
}

function setUp(options: { tenant?: string; namespaces?: string[] } = {}) {
  const temporal = fakeClient({
    async list(request) {
      requests.push(request);
      if (failure) throw failure;
      const [, to, from] = /StartTime <= '(.*?)' AND StartTime > '(.*?)'/.exec(request.query)!;
      const isIn = ({ startedAt }: VisibleRun) =>
        Date.parse(startedAt) <= Date.parse(to!) && Date.parse(startedAt) > Date.parse(from!);
      return visible.filter(isIn).slice(0, request.limit);
    },
  });
  const resolution = {
    idsFrom: () => idsWithin('default'),
    resolveWorkflow(id: string) {
      const [namespace, workflowId] = id.includes(':') ? id.split(':') : ['default', id];
      return id === 'nothing' ? undefined : { namespace, workflowId: workflowId! };
    },
    async find(id: string, tenant: string | undefined) {
      const run = visible.find(({ workflowId }) => workflowId === id);
      if (!run || id === 'broken') throw new TemporalError('unavailable', 'no response');
      const startedAt = chainStarts.get(id) ?? new Date(run.startedAt);
      const owner = tenant !== undefined && { tenant };
      return store.begin({ id, kind: 'workflow', mode: 'STRUCTURED', workflowId: id, startedAt, ...owner });
    },
  };
  const latest = async <Row extends { readonly id: string }>(row: Row) => {
    settled.push(row.id);
    return row;
  };
  return createDiscovery({ temporal, store, resolution, latest, ...options });
}

const listed = async (query: DiscoveryQuery) => (await store.list(query)).executions.map(({ id }) => id);

test('a page gets the rows that it lacks, and the next one those after it', async () => {
  const discover = setUp();
  visible = Array.from({ length: 7 }, (_, i) => started(`w${i}`, i * 40));
  await discover({ first: 3 });
  expect(await listed({ first: 3 })).toEqual(['w0', 'w1', 'w2']);
  // One more than a page shows that there is another one.
  expect(await listed({ first: 10 })).toEqual(['w0', 'w1', 'w2', 'w3']);
  expect(settled.toSorted()).toEqual(['w0', 'w1', 'w2', 'w3']);
  const after = (await store.list({ first: 3 })).executions.at(-1)!;
  await discover({ first: 3, after });
  expect(await listed({ first: 10 })).toEqual(['w0', 'w1', 'w2', 'w3', 'w4', 'w5', 'w6']);
});

test('windows grow until there are enough workflows, and rows that exist end them', async () => {
  const discover = setUp();
  visible = [started('old', 30 * 24 * 3_600), started('new', 1)];
  await discover({ first: 1 });
  expect(await listed({ first: 10 })).toEqual(['new', 'old']);
  expect(requests.length).toBeGreaterThan(3);
  expect(requests.length).toBeLessThanOrEqual(12);
  const calls = requests.length;
  vi.setSystemTime(NOW + 3_000);
  await discover({ first: 1 });
  // Nothing older than the rows belongs on the page.
  expect(requests.length).toBe(calls + 1);
});

test('a window with more runs than one response holds is made smaller', async () => {
  const discover = setUp();
  visible = Array.from({ length: 1_500 }, (_, i) => started(`w${i}`, i / 100));
  await discover({ first: 2 });
  expect(await listed({ first: 2 })).toEqual(['w0', 'w1']);
});

test('the runs of one workflow are one execution, and a run after the end of its row replaces that', async () => {
  const discover = setUp();
  visible = [started('w', 1, 'r3'), started('w', 5, 'r2'), started('w', 9, 'r1')];
  await discover({ first: 10 });
  expect(await listed({ first: 10 })).toEqual(['w']);
  settled = [];
  vi.setSystemTime(NOW + 3_000);
  await discover({ first: 10 });
  expect(settled).toEqual([]);
  await store.finish('w', 1, { status: 'SUCCESS', finishedAt: new Date(NOW - 500) });
  visible.unshift(started('w', 0, 'r4'));
  vi.setSystemTime(NOW + 6_000);
  await discover({ first: 10 });
  expect(settled).toEqual(['w']);
});

test('a workflow whose chain of runs started before the page does not take the place of another one', async () => {
  const discover = setUp();
  const chains = Array.from({ length: 5 }, (_, i) => started(`chain${i}`, i));
  chainStarts = new Map(chains.map(({ workflowId }) => [workflowId, new Date(NOW - 86_400_000)]));
  visible = [...chains, started('w0', 300), started('w1', 3_000)];
  await discover({ first: 2 });
  expect(await listed({ first: 2 })).toEqual(['w0', 'w1']);
  expect((await store.list({ first: 2 })).hasNextPage).toBe(true);
});

test('requests for the same page within two seconds share the requests to Temporal', async () => {
  const discover = setUp();
  visible = [started('w', 1)];
  await Promise.all([discover({ first: 1 }), discover({ first: 1 })]);
  const calls = requests.length;
  await discover({ first: 1 });
  expect(requests.length).toBe(calls);
  await discover({ first: 2 });
  expect(requests.length).toBeGreaterThan(calls);
});

test('the status and the schedule are parts of the query', async () => {
  const discover = setUp();
  await discover({ first: 1, status: 'TIMED_OUT' });
  expect(requests[0]).toEqual({
    namespace: 'default',
    query:
      "StartTime <= '2026-11-28T10:00:10.000Z' AND StartTime > '2026-11-28T09:59:10.000Z' AND ExecutionStatus = 'TimedOut'",
    limit: 1_000,
  });
  requests = [];
  visible = [started('w', 1)];
  expect(await discover({ first: 1, scheduleId: "nightly's" })).toEqual(['w']);
  expect(requests[0]?.query).toMatch(/ AND TemporalScheduledById = 'nightly\\'s'$/);
});

test('the type, the parent and the time of the start are parts of the query', async () => {
  const discover = setUp({ namespaces: ['billing'] });
  visible = [started('w', 100)];
  const startedFrom = new Date(NOW - 110_000);
  const startedBefore = new Date(NOW - 60_000);
  expect(await discover({ first: 1, startedFrom, startedBefore, workflowType: "cook's" })).toEqual(['w']);
  expect(requests.slice(0, 2)).toMatchObject([{ namespace: 'default' }, { namespace: 'billing' }]);
  expect(requests.at(-1)?.query).toBe(
    "StartTime <= '2026-11-28T09:59:00.000Z' AND StartTime > '2026-11-28T09:58:09.999Z' AND WorkflowType = 'cook\\'s'",
  );
  requests = [];
  await discover({ first: 1, parentId: 'billing:order' });
  // The children of a workflow are in its namespace.
  expect(new Set(requests.map(({ namespace }) => namespace))).toEqual(new Set(['billing']));
  expect(requests[0]?.query).toMatch(/ AND ParentWorkflowId = 'order'$/);
  requests = [];
  expect(await discover({ first: 1, parentId: 'nothing' })).toEqual([]);
  expect(requests).toEqual([]);
});

test('the time of the start is that of the chain of runs, and of the latest workflow under an id', async () => {
  const discover = setUp();
  visible = [started('in', 50), started('chain', 40), started('again', 60, 'r1'), started('at', 90)];
  chainStarts = new Map([['chain', new Date(NOW - 86_400_000)]]);
  const row = { kind: 'workflow', mode: 'STRUCTURED', runId: 'r2' } as const;
  await store.begin({ ...row, id: 'again', workflowId: 'again', startedAt: new Date(NOW - 5_000) });
  const startedFrom = new Date(NOW - 90_000);
  const startedBefore = new Date(NOW - 30_000);
  const query = { first: 2, startedFrom, startedBefore };
  expect(await discover(query)).toEqual(['in', 'at']);
  expect(await discover({ ...query, startedBefore: new Date(NOW - 50_000) })).toEqual(['at']);
});

test('a row that does not know that Temporal has paused its workflow is brought up to date', async () => {
  const discover = setUp();
  visible = [started('w', 1)];
  await discover({ first: 1, status: 'PAUSED' });
  settled = [];
  visible = [{ ...visible[0]!, status: 'PAUSED' }];
  vi.setSystemTime(NOW + 3_000);
  await discover({ first: 1, status: 'PAUSED' });
  expect(settled).toEqual(['w']);
  await store.setStatus('w', 1, 'PAUSED');
  vi.setSystemTime(NOW + 6_000);
  await discover({ first: 1, status: 'PAUSED' });
  expect(settled).toEqual(['w']);
});

test('each namespace is queried', async () => {
  const discover = setUp({ namespaces: ['default', 'billing'] });
  await discover({ first: 1 });
  expect(new Set(requests.map(({ namespace }) => namespace))).toEqual(new Set(['default', 'billing']));
});

test('lists of agents or tasks, and of other tenants, cause no requests', async () => {
  const discover = setUp({ tenant: 'acme' });
  visible = [started('w', 1)];
  expect(await discover({ first: 1, kind: 'agent' })).toBeUndefined();
  expect(await discover({ first: 1, tenants: ['other'] })).toBeUndefined();
  expect(await discover({ first: 1, tenants: ['other'], scheduleId: 's' })).toEqual([]);
  expect(await discover({ first: 1, kind: 'agent', workflowType: 't' })).toEqual([]);
  expect(requests).toEqual([]);
  await discover({ first: 1, tenants: ['acme'] });
  expect(await store.get('w')).toMatchObject({ tenant: 'acme' });
});

test.each([
  { scheduleId: 's' },
  { workflowType: 't' },
  { parentId: 'p' },
  { startedFrom: new Date(0) },
  { startedBefore: new Date() },
])('without Temporal, a list has the rows that exist, and one with %o fails', async (filter) => {
  const discover = setUp();
  failure = new TemporalError('unavailable', 'no response');
  expect(await discover({ first: 1 })).toBeUndefined();
  await expect(discover({ first: 1, ...filter })).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
});

test('a workflow that cannot be read does not hide the others', async () => {
  const discover = setUp();
  visible = [started('broken', 1), started('w', 2)];
  await discover({ first: 10 });
  expect(await listed({ first: 10 })).toEqual(['w']);
});
