// Parents of executions: which a caller may name, and that children of one tenant do not affect another's lists.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bearer, type GuardedApp, startGuarded, tokenOf } from './guarded.ts';

let app: GuardedApp;
beforeEach(async () => {
  app = await startGuarded();
});
afterEach(() => app.close());

const AGENTS = '/api/v0/executions/agents';

async function begin(id: string, body: object, claims: object = { tenant: 'acme' }) {
  const headers = bearer(await tokenOf({ scope: 'publish', ...claims }));
  const init = { method: 'PUT', headers, body: JSON.stringify({ mode: 'TEXT', ...body }) };
  const response = await fetch(`${app.url}${AGENTS}/${id}`, init);
  return { status: response.status, ...((await response.json()) as { code?: string; detail?: string }) };
}

async function query(text: string, claims: object = { tenant: 'acme' }) {
  const headers = {
    ...bearer(await tokenOf({ scope: 'read', ...claims })),
    'content-type': 'application/json',
  };
  const init = { method: 'POST', headers, body: JSON.stringify({ query: text }) };
  return (await (await fetch(`${app.url}/graphql`, init)).json()) as {
    // biome-ignore lint/suspicious/noExplicitAny: the shape is the test's to assert
    data: any;
    errors?: { message: string; extensions: { code: string } }[];
  };
}

test('a parent of another tenant gets the response of an unknown one, and nothing begins', async () => {
  await app.store.begin({ id: 'theirs', kind: 'workflow', mode: 'STRUCTURED', tenant: 'globex' });
  for (const parentId of ['theirs', 'nobody']) {
    expect(await begin('child', { parentId })).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
      detail: `parentId: no such execution: ${parentId}`,
    });
  }
  expect(await app.store.get('child')).toBeUndefined();
});

test('an execution begins under a parent of its tenant and under one without a tenant', async () => {
  await app.store.begin({ id: 'mine', kind: 'workflow', mode: 'STRUCTURED', tenant: 'acme' });
  await app.store.begin({ id: 'shared', kind: 'workflow', mode: 'STRUCTURED' });
  for (const parentId of ['mine', 'shared']) {
    expect(await begin(`child-of-${parentId}`, { parentId })).toMatchObject({ status: 201 });
    expect(await app.store.get(`child-of-${parentId}`)).toMatchObject({ parentId, tenant: 'acme' });
  }
});

test('a caller limited to named executions names no other parent', async () => {
  await app.store.begin({ id: 'mine', kind: 'workflow', mode: 'STRUCTURED', tenant: 'acme' });
  const limited = { tenant: 'acme', executions: ['child*'] };
  expect(await begin('child', { parentId: 'mine' }, limited)).toMatchObject({ status: 404 });
  const withMine = { ...limited, executions: ['child*', 'mine'] };
  expect(await begin('child', { parentId: 'mine' }, withMine)).toMatchObject({ status: 201 });
});

test('a publisher for all tenants does not mix them', async () => {
  await app.store.begin({ id: 'theirs', kind: 'workflow', mode: 'STRUCTURED', tenant: 'globex' });
  const anyTenant = { tenant: undefined };
  for (const tenant of ['acme', undefined]) {
    expect(await begin('child', { parentId: 'theirs', tenant }, anyTenant)).toMatchObject({
      status: 403,
      detail: 'parentId: execution "theirs" belongs to another tenant',
    });
  }
  expect(await begin('child', { parentId: 'theirs', tenant: 'globex' }, anyTenant)).toMatchObject({
    status: 201,
  });
});

test("children of another tenant that began before their parent neither hide the tenant's own nor fill a page", async () => {
  for (let i = 0; i < 1_000; i += 1) {
    await app.store.begin({
      id: `foreign-${i}`,
      kind: 'task',
      mode: 'TEXT',
      tenant: 'globex',
      parentId: 'w',
    });
  }
  await app.store.begin({ id: 'w', kind: 'workflow', mode: 'STRUCTURED', tenant: 'acme' });
  await app.store.begin({ id: 'own', kind: 'task', mode: 'TEXT', tenant: 'acme', parentId: 'w' });
  const text =
    '{ execution(kind: WORKFLOW, id: "w") { children(first: 5) { edges { node { id } } pageInfo { hasNextPage } } } }';
  const { data } = await query(text);
  expect(data.execution.children).toEqual({
    edges: [{ node: { id: 'own' } }],
    pageInfo: { hasNextPage: false },
  });
});

test('a list continues after the same position, whether or not a hidden execution exists', async () => {
  const startedAt = new Date();
  await app.store.begin({ id: 'secret', kind: 'task', mode: 'TEXT', tenant: 'globex' });
  const forged = ['secret', 'nobody'].map((id) =>
    Buffer.from(`${startedAt.getTime() + 1_000}:${id}`).toString('base64url'),
  );
  const results = await Promise.all(
    ['secret', 'nobody', ...forged].map((after) =>
      query(`{ executions(after: "${after}") { edges { node { id } } } }`),
    ),
  );
  expect(results[0]).toEqual({ ...results[1], errors: results[0]!.errors });
  expect(results[0]!.errors![0]).toEqual(results[1]!.errors![0]);
  expect(results[2]).toEqual(results[3]);
  expect(results[2]!.data).toEqual({ executions: { edges: [] } });
});
