// Permission to read a run, which is that of its workflow; and runs of executions that are not Temporal workflows.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pinnedRunKey } from '../../../src/event/execution-key.ts';
import { TemporalError } from '../../../src/temporal/source/errors.ts';
import type { VisibilityRequest, VisibleRun } from '../../../src/temporal/source/temporal-client.ts';
import { bearer, type GuardedApp, startGuarded, tokenOf } from '../../auth/guarded.ts';
import { directLog } from '../../support/app.ts';
import { fakeClient } from './fake-client.ts';
import { RUN } from './history-samples.ts';

const RUN_ID = '01a20483-4f89-7122-a2dc-a89593dd9aaf';
const OTHER_RUN = '01a20483-4f89-7122-a2dc-a89593dd9ab0';

let app: GuardedApp;
let requests: VisibilityRequest[];
let visible: VisibleRun[];

beforeEach(async () => {
  requests = [];
  visible = [];
  app = await startGuarded({
    temporal: fakeClient({
      async describe({ namespace, workflowId, runId = RUN_ID }) {
        if (!workflowId.startsWith('w') || runId !== RUN_ID) {
          throw new TemporalError('unknown-workflow', 'not found');
        }
        return { ...RUN, namespace, workflowId, runId, firstRunId: RUN_ID };
      },
      async list(request) {
        requests.push(request);
        return visible.slice(0, request.limit);
      },
    }),
    workflows: { tenant: 'acme', lists: true, sweepMs: 3_600_000 },
  });
});
afterEach(() => app.close());

const PATH = '/api/v0/executions';

async function get(
  path: string,
  claims: object,
): Promise<{ status: number; detail: string; runs: object[] }> {
  const headers = bearer(await tokenOf({ tenant: 'acme', ...claims }));
  const response = await fetch(`${app.url}${path}`, { headers });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
  if (isStream) await response.body!.cancel();
  const body = isStream ? {} : ((await response.json()) as object);
  return { ...body, status: response.status } as never;
}

const paths = (id: string, runId: string) => [
  `${PATH}/workflows/${id}?run_id=${runId}`,
  `${PATH}/workflows/${id}/stream?run_id=${runId}`,
];

test('a caller reads the runs of the workflows that it may read', async () => {
  for (const path of paths('w1', RUN_ID)) {
    expect((await get(path, {})).status).toBe(200);
    expect((await get(path, { executions: ['w1'] })).status).toBe(200);
    expect((await get(path, { executions: ['w*'] })).status).toBe(200);
    expect((await get(path, { executions: ['w2'] })).status).toBe(404);
    expect((await get(path, { executions: ['~execstream/*'] })).status).toBe(404);
    expect((await get(path, { tenant: 'other' })).status).toBe(404);
    expect((await get(path, { scope: 'publish' })).status).toBe(403);
  }
  expect(await app.store.get(pinnedRunKey('w1', RUN_ID))).toMatchObject({ tenant: 'acme', runId: RUN_ID });
});

test('the response to a caller that may not know the workflow does not depend on the run', async () => {
  for (const claims of [{ executions: ['w2'] }, { tenant: 'other' }]) {
    const details = new Set<string>();
    for (const runId of [RUN_ID, OTHER_RUN]) {
      for (const path of paths('w1', runId)) {
        const { status, detail } = await get(path, claims);
        expect(status).toBe(404);
        details.add(detail.replace(runId, '…'));
      }
    }
    expect(details).toEqual(new Set(['no such execution, or no such run of it: w1, run …']));
  }
  expect(await app.store.get(pinnedRunKey('w1', RUN_ID))).toBeUndefined();
});

test('a stream token for a workflow reads its runs, and no other workflow', async () => {
  const headers = { ...bearer(await tokenOf({ tenant: 'acme' })), 'Content-Type': 'application/json' };
  const body = JSON.stringify({ executions: ['w1'] });
  const minted = await fetch(`${app.url}/api/v0/stream-tokens`, { method: 'POST', headers, body });
  const { token } = (await minted.json()) as { token: string };
  const statusOf = async (path: string) => {
    const response = await fetch(`${app.url}${path}&access_token=${token}`);
    await response.body?.cancel();
    return response.status;
  };
  expect(await statusOf(paths('w1', RUN_ID)[1]!)).toBe(200);
  expect(await statusOf(paths('w1', OTHER_RUN)[1]!)).toBe(404);
  expect(await statusOf(paths('w2', RUN_ID)[1]!)).toBe(404);
});

test('a run cannot be requested, published or permitted by the key of its row', async () => {
  for (const path of paths('w1', RUN_ID)) expect((await get(path, {})).status).toBe(200);
  const key = pinnedRunKey('w1', RUN_ID);
  const path = `${PATH}/workflows/${encodeURIComponent(key)}`;
  for (const suffix of ['', '/stream']) expect((await get(`${path}${suffix}`, {})).status).toBe(400);
  const headers = { ...bearer(await tokenOf({ tenant: 'acme', scope: 'read publish' })) };
  const json = { ...headers, 'Content-Type': 'application/json' };
  const put = await fetch(`${app.url}${path}`, { method: 'PUT', headers: json, body: '{}' });
  expect(put.status).toBe(400);
  const body = JSON.stringify({ executions: [key] });
  const mint = await fetch(`${app.url}/api/v0/stream-tokens`, { method: 'POST', headers: json, body });
  expect(mint.status).toBe(400);
});

test('a run of an execution that is not a Temporal workflow is a clear error', async () => {
  const detail = (id: string) =>
    `only Temporal workflows have runs, and execution ${id} is not known as one; omit the run id`;
  for (const kind of ['agent', 'task', 'workflow'] as const) {
    await directLog(app, { id: `published-${kind}`, kind });
    await app.store.begin({ id: `mine-${kind}`, kind, mode: 'STRUCTURED', tenant: 'acme' });
    const id = `mine-${kind}`;
    for (const suffix of ['', '/stream']) {
      const path = `${PATH}/${kind}s/${id}${suffix}?run_id=${RUN_ID}`;
      expect(await get(path, {})).toMatchObject({ status: 400, code: 'BAD_USER_INPUT', detail: detail(id) });
    }
    expect(await get(`${PATH}/${kind}s/${id}?runs_first=10`, {})).toMatchObject({ status: 200, runs: null });
  }
  expect(requests).toEqual([]);
});

const visibleRun = (n: number, second: number): VisibleRun => ({
  workflowId: 'w1',
  runId: `01a20483-4f89-7122-a2dc-${String(n).padStart(12, '0')}`,
  status: 'SUCCESS',
  startedAt: `2026-11-28T10:00:${String(second).padStart(2, '0')}.000000001Z`,
  finishedAt: undefined,
});

test('a list of runs has those of the workflow alone, and its pages neither repeat nor skip one', async () => {
  // Two runs may have the same start in Temporal's database.
  const runs = [visibleRun(1, 9), visibleRun(2, 8), visibleRun(3, 8), visibleRun(4, 7)];
  visible = [runs[0]!, { ...visibleRun(9, 9), workflowId: 'W1' }, ...runs.slice(1)];
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const after: string = cursor ? `&runs_after=${cursor}` : '';
    const { runs: page, runsCursor } = (await get(
      `${PATH}/workflows/w1?runs_first=2${after}`,
      {},
    )) as never as {
      runs: { runId: string }[];
      runsCursor: string | null;
    };
    found.push(...page.map(({ runId }) => runId));
    cursor = runsCursor;
    visible = visible.filter(({ startedAt }) => startedAt <= runs[1]!.startedAt);
  } while (cursor !== null);
  expect(found).toEqual(runs.map(({ runId }) => runId));
  expect(requests[0]).toEqual({ namespace: 'default', query: "WorkflowId = 'w1'", limit: 3 });
  expect(requests[1]?.query).toBe(`WorkflowId = 'w1' AND StartTime <= '${runs[1]!.startedAt}'`);
});

test.each([
  ['runs_first=0', 'runs_first: expected 1 to 100, got "0"'],
  ['runs_first=101', 'runs_first: expected 1 to 100, got "101"'],
  ['runs_after=x', 'runs_after: expected the `runsCursor` of a state'],
  ['runs_first=1&runs_first=2', 'runs_first: expected one value, got 2'],
  [`run_id=${RUN_ID}&run_id=${OTHER_RUN}`, 'run_id: expected one value, got 2'],
])('the parameter %s is 400, and is named', async (query, detail) => {
  expect(await get(`${PATH}/workflows/w1?${query}`, {})).toMatchObject({ status: 400, detail });
});

test('the workflows of a schedule are those that the caller may read', async () => {
  visible = [visibleRun(1, 9), { ...visibleRun(2, 8), workflowId: 'w2' }];
  const idsFor = async (claims: object) => {
    const headers = {
      ...bearer(await tokenOf({ tenant: 'acme', ...claims })),
      'Content-Type': 'application/json',
    };
    const body = JSON.stringify({ query: '{ executions(scheduleId: "s") { edges { node { id } } } }' });
    const response = await fetch(`${app.url}/graphql`, { method: 'POST', headers, body });
    const { data } = (await response.json()) as {
      data: { executions: { edges: { node: { id: string } }[] } };
    };
    return data.executions.edges.map(({ node }) => node.id).toSorted();
  };
  expect(await idsFor({})).toEqual(['w1', 'w2']);
  expect(await idsFor({ executions: ['w2'] })).toEqual(['w2']);
  expect(await idsFor({ executions: ['w1*', 'x'] })).toEqual(['w1']);
  expect(await idsFor({ executions: ['x'] })).toEqual([]);
  expect(await idsFor({ tenant: 'other' })).toEqual([]);
  expect(await idsFor({ scope: 'publish' })).toEqual([]);
});

test('an operation reads up to 10 lists of runs', async () => {
  for (let n = 1; n <= 11; n += 1) await get(`${PATH}/workflows/w${n}`, {});
  const query = async (first: number) => {
    const headers = { ...bearer(await tokenOf({ tenant: 'acme' })), 'Content-Type': 'application/json' };
    const document = `{ executions(first: ${first}) { edges { node { runs(first: 1) { edges { node { runId } } } } } } }`;
    const body = JSON.stringify({ query: document });
    return (await (await fetch(`${app.url}/graphql`, { method: 'POST', headers, body })).json()) as {
      data: unknown;
      errors?: { message: string }[];
    };
  };
  expect((await query(10)).errors).toBeUndefined();
  const { data, errors } = await query(11);
  expect(data).toBeNull();
  expect(errors?.map(({ message }) => message)).toEqual([
    'runs: expected up to 10 lists in one operation; request fewer executions',
  ]);
});

test.each([
  ["w a'b", "WorkflowId = 'w a\\'b'", 3],
  ['w%_*é', "WorkflowId = 'w%_*é'", 3],
  // Temporal does not find these characters.
  ['w a"b', "WorkflowId STARTS_WITH 'w a'", 1_000],
  ["w'\\b", "WorkflowId STARTS_WITH 'w'", 1_000],
  ['w\nb', "WorkflowId STARTS_WITH 'w'", 1_000],
  ["wb'", "WorkflowId STARTS_WITH 'wb'", 1_000],
])('the list of runs of %j is read with %s', async (id, query, limit) => {
  visible = [{ ...visibleRun(1, 9), workflowId: id }, visibleRun(2, 8)];
  const { runs } = await get(`${PATH}/workflows/${encodeURIComponent(id)}?runs_first=2`, {});
  expect(runs).toMatchObject([{ runId: visibleRun(1, 9).runId }]);
  expect(requests).toEqual([{ namespace: 'default', query, limit }]);
});
