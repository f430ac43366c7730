// Queries over HTTP, the connection of executions, and the GraphiQL page.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Permission } from '../../src/execution/permission.ts';
import type { Execution } from '../../src/execution/store.ts';
import { type App, chunk, createApp, directLog, EVENT_STREAM, graphqlPath } from '../support/app.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';

let app: App;
let store: MemoryStore;
let permission: (row: Execution) => Permission;
beforeEach(() => {
  store = createMemoryStore();
  permission = () => ({ read: 'granted' });
  app = createApp({ store, authorize: (_, row) => permission(row) });
});
afterEach(() => app.close());

async function query(text: string, variables?: object) {
  const response = await app.request('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: text, variables }),
  });
  return { status: response.status, headers: response.headers, ...((await response.json()) as QueryResult) };
}
interface QueryResult {
  // biome-ignore lint/suspicious/noExplicitAny: the shape is the test's to assert
  data?: any;
  errors?: { message: string; extensions: { code: string } }[];
}

const NODES = 'edges { node { id } }';

describe('the query `execution`', () => {
  test('an execution has every field of its row', async () => {
    await store.begin({ id: 'w', kind: 'workflow', mode: 'STRUCTURED', workflowId: 'wf', runId: 'r' });
    await store.begin({ id: '1st', kind: 'agent', mode: 'TEXT', parentId: 'w' });
    const log = await directLog(app, { id: 'a', parentId: 'w', name: 'Ada', input: { q: [1, null] } });
    await log.append(chunk('x'));
    await store.finish('a', 1, {
      status: 'SUCCESS',
      result: 'x',
      usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3, costUsd: 0.25 },
    });
    const fields = `id kind status mode attempt name workflowId runId input result lastCursor durationMs
      parent { id workflowId runId children { ${NODES} } } children { ${NODES} } error { message code }
      usage { inputTokens outputTokens totalTokens model costUsd } startedAt finishedAt`;
    const { data, errors } = await query(`{ execution(kind: AGENT, id: "a") { ${fields} } }`);
    expect(errors).toBeUndefined();
    expect(data.execution).toEqual({
      id: 'a',
      kind: 'AGENT',
      status: 'SUCCESS',
      mode: 'TEXT',
      attempt: 1,
      name: 'Ada',
      workflowId: null,
      runId: null,
      input: { q: [1, null] },
      result: 'x',
      lastCursor: `1-${log.epoch}`,
      durationMs: expect.any(Number),
      parent: {
        id: 'w',
        workflowId: 'wf',
        runId: 'r',
        children: { edges: [{ node: { id: '1st' } }, { node: { id: 'a' } }] },
      },
      children: { edges: [] },
      error: null,
      usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3, model: null, costUsd: 0.25 },
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      finishedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
  });

  test('an execution is null for an unknown id, for another kind, and if the caller must not know of it', async () => {
    await directLog(app);
    expect((await query('{ execution(kind: AGENT, id: "nope") { id } }')).data).toEqual({ execution: null });
    expect((await query('{ execution(kind: TASK, id: "a1") { id } }')).data).toEqual({ execution: null });
    permission = () => ({ read: 'hidden' });
    expect((await query('{ execution(kind: AGENT, id: "a1") { id } }')).data).toEqual({ execution: null });
    permission = () => ({ read: 'denied' });
    expect((await query('{ execution(kind: AGENT, id: "a1") { id } }')).errors![0]!.extensions.code).toBe(
      'FORBIDDEN',
    );
  });

  test('a failed execution has its error, and hidden parents and children are absent', async () => {
    await store.begin({ id: 'w', kind: 'workflow', mode: 'STRUCTURED' });
    await store.begin({ id: 'a', kind: 'agent', mode: 'TEXT', parentId: 'w' });
    await store.finish('a', 1, { status: 'TIMED_OUT', error: { message: 'late', code: 'T' } });
    permission = (row) => ({ read: row.id === 'a' ? 'granted' : 'hidden' });
    const { data } = await query(
      '{ execution(kind: AGENT, id: "a") { status error { message code } parent { id } } }',
    );
    expect(data.execution).toEqual({
      status: 'TIMED_OUT',
      error: { message: 'late', code: 'T' },
      parent: null,
    });
    permission = (row) => ({ read: row.id === 'w' ? 'granted' : 'hidden' });
    const children = await query(`{ execution(kind: WORKFLOW, id: "w") { children { ${NODES} } } }`);
    expect(children.data.execution.children.edges).toEqual([]);
  });

  test('the content of an execution whose id has spaces is its own, and not that of a shorter id', async () => {
    for (const id of ['c', 'c d', ' c', 'result c']) {
      await store.begin({ id, kind: 'task', mode: 'TEXT' });
      await store.finish(id, 1, { status: 'SUCCESS', result: `the result of <${id}>` });
    }
    for (const id of ['c d', ' c', 'result c']) {
      const { data } = await query(`{ execution(kind: TASK, id: "${id}") { id result } }`);
      expect(data.execution).toEqual({ id, result: `the result of <${id}>` });
    }
  });

  test('an invalid id is BAD_USER_INPUT, and an unavailable store is 503 SOURCE_UNAVAILABLE', async () => {
    const bad = await query('{ execution(kind: AGENT, id: "") { id } }');
    expect(bad.errors![0]!.extensions).toEqual({ code: 'BAD_USER_INPUT' });
    store.isAway = true;
    const away = await query('{ execution(kind: AGENT, id: "a") { id } }');
    expect(away.errors![0]!.extensions).toEqual({ code: 'SOURCE_UNAVAILABLE' });
    expect(away.status).toBe(503);
    expect(away.headers.get('retry-after')).toBe('5');
  });

  test('a validation error keeps its message and has one of our codes', async () => {
    const { errors } = await query('{ execution(kind: AGENT, id: "a") { nope } }');
    expect(errors).toEqual([
      expect.objectContaining({
        message: expect.stringMatching(/^Cannot query field "nope" on type "Execution"\./),
        extensions: { code: 'BAD_USER_INPUT' },
      }),
    ]);
  });

  test('invalid JSON is 400 BAD_USER_INPUT', async () => {
    const response = await app.request('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
      body: '{"query":',
    });
    expect(response.status).toBe(400);
    const { errors } = (await response.json()) as QueryResult;
    expect(errors![0]!.extensions).toEqual({ code: 'BAD_USER_INPUT' });
  });

  test('a mutation by GET is 405 with a JSON body', async () => {
    const response = await app.request(graphqlPath('mutation { nope }'), {
      headers: { accept: 'application/json' },
    });
    expect([400, 405]).toContain(response.status);
  });

  test('a query as an event stream is one result and `complete`', async () => {
    await directLog(app);
    const response = await app.request(graphqlPath('{ execution(kind: AGENT, id: "a1") { id } }'), {
      headers: EVENT_STREAM,
    });
    expect(await response.text()).toBe(
      'retry: 1000\n:\n\nevent: next\ndata: {"data":{"execution":{"id":"a1"}}}\n\nevent: complete\ndata: \n\n',
    );
  });
});

const PAGE = `query($kind: ExecutionKind, $status: ExecutionStatus, $first: Int, $after: String) {
  executions(kind: $kind, status: $status, first: $first, after: $after) {
    edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;

async function page(variables: object) {
  const { data, errors } = await query(PAGE, variables);
  if (errors) throw new Error(`${errors[0]!.extensions.code}: ${errors[0]!.message}`);
  const { edges, pageInfo } = data.executions;
  const ids: string[] = edges.map((edge: { node: { id: string } }) => edge.node.id);
  const cursors: string[] = edges.map((edge: { cursor: string }) => edge.cursor);
  return { ids, cursors, pageInfo };
}

describe('the connection `executions`', () => {
  beforeEach(async () => {
    for (let i = 10; i < 35; i += 1) {
      const kind = i % 2 ? 'agent' : 'task';
      await store.begin({ id: `e${i}`, kind, mode: 'TEXT' });
    }
    await store.finish('e11', 1, { status: 'SUCCESS' });
  });

  test('executions are listed newest first, 20 per page by default, up to the last page', async () => {
    const first = await page({});
    expect(first.ids).toEqual(Array.from({ length: 20 }, (_, i) => `e${34 - i}`));
    expect(first.pageInfo).toEqual({
      hasNextPage: true,
      hasPreviousPage: false,
      startCursor: first.cursors[0],
      endCursor: first.cursors[19],
    });
    const second = await page({ after: first.pageInfo.endCursor });
    expect(second.ids).toEqual(['e14', 'e13', 'e12', 'e11', 'e10']);
    expect(second.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  });

  test('executions can be filtered by kind and status', async () => {
    expect((await page({ kind: 'AGENT', first: 3 })).ids).toEqual(['e33', 'e31', 'e29']);
    expect((await page({ status: 'SUCCESS' })).ids).toEqual(['e11']);
    expect((await page({ status: 'SUCCESS', kind: 'TASK' })).ids).toEqual([]);
    expect((await page({ kind: 'WORKFLOW' })).pageInfo).toEqual({
      hasNextPage: false,
      hasPreviousPage: false,
      startCursor: null,
      endCursor: null,
    });
  });

  test.each([0, -1, 101, 1_000_000])('first: %d is rejected with the allowed range', async (first) => {
    await expect(page({ first })).rejects.toThrow(`BAD_USER_INPUT: first: expected 1 to 100, got ${first}`);
  });

  test('first: 1 and 100 are accepted, and null is the default', async () => {
    expect((await page({ first: 1 })).ids).toEqual(['e34']);
    expect((await page({ first: 100 })).ids).toHaveLength(25);
    expect((await page({ first: null })).ids).toHaveLength(20);
  });

  test('a page cursor is opaque: it does not contain an id, and an id is not a cursor', async () => {
    const { cursors, ids } = await page({ first: 3 });
    expect(new Set(cursors).size).toBe(3);
    for (const id of ids) expect(cursors.join()).not.toContain(id);
    await expect(page({ after: 'e30' })).rejects.toThrow(
      'BAD_USER_INPUT: after: expected a cursor of a list',
    );
  });

  test('the page after a cursor is the same, whether its execution is hidden, has ended or was deleted', async () => {
    const { cursors } = await page({ first: 4 });
    const expected = (await page({ after: cursors[3] })).ids;
    permission = (row) => ({ read: row.id === 'e31' ? 'hidden' : 'granted' });
    expect((await page({ after: cursors[3] })).ids).toEqual(expected);
  });

  const encoded = (text: string) => Buffer.from(text).toString('base64url');
  test.each([
    ...['nope', 'a b', '%%%', '🙂', 'x'.repeat(5_000), `${encoded('1:a')}=`],
    ...[':', '1e99:a', '1:a\0', '01:a', '99999999999999999:a', '-62135596800001:a', '1'].map(encoded),
  ])('the malformed page cursor %j is BAD_USER_INPUT', async (after) => {
    await expect(page({ after })).rejects.toThrow('BAD_USER_INPUT: after: expected a cursor of a list');
  });

  test('executions that the caller must not know of are not revealed by a shorter page or a cursor', async () => {
    permission = (row) => ({ read: Number(row.id.slice(1)) % 3 === 0 ? 'granted' : 'hidden' });
    const first = await page({ first: 4 });
    expect(first.ids).toEqual(['e33', 'e30', 'e27', 'e24']);
    const ends = ({ cursors }: { cursors: string[] }) => ({
      startCursor: cursors[0],
      endCursor: cursors.at(-1),
    });
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, ...ends(first) });
    const second = await page({ first: 4, after: first.pageInfo.endCursor });
    expect(second.ids).toEqual(['e21', 'e18', 'e15', 'e12']);
    expect(second.pageInfo).toMatchObject({ hasNextPage: false, ...ends(second) });
    permission = () => ({ read: 'hidden' });
    expect((await page({})).pageInfo).toEqual({
      hasNextPage: false,
      hasPreviousPage: false,
      startCursor: null,
      endCursor: null,
    });
  });
});

describe('the GraphiQL page', () => {
  test('GraphiQL is served to a browser, and refers to no other host', async () => {
    const response = await app.request('/graphql', {
      headers: { accept: 'text/html,application/xhtml+xml' },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/html');
    const html = await response.text();
    expect(html).toContain('execstream');
    expect(html).not.toMatch(/<(script|link|img|iframe)[^>]*(src|href)\s*=\s*["']?(https?:)?\/\//i);
    expect(html).not.toMatch(/@import|unpkg\.com|cdn\.jsdelivr|esm\.sh|fonts\.googleapis/i);
  });
});
