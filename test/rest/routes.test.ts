// The routing table on a running server: rules for every route, and for paths and methods without a route.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { matchRoute, ROUTES } from '../../src/rest/routes.ts';
import { RESPONSE_HEADERS } from '../../src/rest/security-headers.ts';
import { bearer, type GuardedApp, startGuarded, tokenOf } from '../auth/guarded.ts';
import { directLog } from '../support/app.ts';

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH'];

/** Routes left out of the OpenAPI document. A route without an operation must be added here deliberately. */
const UNDOCUMENTED = [
  'GET /docs/',
  'GET /docs/{file}',
  'ANY /graphql',
  'ANY /graphql/stream',
  'ANY /graphql/*',
];

let app: GuardedApp;
beforeEach(async () => {
  app = await startGuarded();
  for (const kind of ['agent', 'task', 'workflow'] as const) {
    const log = await directLog(app, { id: `an-ended-${kind}`, kind });
    await log.complete();
  }
});
afterEach(() => app.close());

/** A path that exists on the server. */
function pathOf(template: string): string {
  const kind = /executions\/(\w+)s\//.exec(template)?.[1];
  return template.replace('{id}', `an-ended-${kind}`).replace('{file}', 'start.js').replace('*', 'nope');
}

async function send(method: string, path: string, headers: Record<string, string> = {}): Promise<Response> {
  const response = await fetch(`${app.url}${path}`, { method, headers });
  await response.body?.cancel();
  return response;
}

const sendAs = async (method: string, path: string) =>
  send(method, path, bearer(await tokenOf({ scope: 'read publish' })));

const rows = ROUTES.map((route) => ({
  name: `${route.method} ${route.path}`,
  path: pathOf(route.path),
  method: route.method === 'ANY' ? 'GET' : route.method,
  route,
}));

describe.each(rows)('$name', ({ name, method, path, route }) => {
  test('the route is found by its path and method', () => {
    expect(matchRoute({ method, url: `http://localhost${path}` }).route).toBe(route);
  });

  test('the route has a handler, whose response has the headers of every response', async () => {
    const response = await sendAs(method, path);
    // Only the handlers of GraphQL may reject a method or a path that the table accepts.
    if (route.errors !== 'graphql') expect([404, 405]).not.toContain(response.status);
    expect(response.status).toBeLessThan(500);
    const isHtml = response.headers.get('content-type')?.startsWith('text/html') ?? false;
    for (const [header, value] of Object.entries(RESPONSE_HEADERS)) {
      if (isHtml && header === 'Content-Security-Policy') continue;
      expect(response.headers.get(header), header).toBe(value);
    }
  });

  test('the route sends HTML only with the content security policy of its page', async () => {
    const response = await send(method, path, { accept: 'text/html', ...bearer(await tokenOf()) });
    const isHtml = response.headers.get('content-type')?.startsWith('text/html') ?? false;
    if (!isHtml) return expect(route.path).not.toBe('/');
    expect(route.pagePolicy).toBeDefined();
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*script-src /);
    expect(response.headers.get('cross-origin-opener-policy')).toBe('same-origin');
  });

  test('the route is served without credentials only if it is open', async () => {
    const { status } = await send(method, path);
    if (route.access === 'open') expect(status).toBe(200);
    else expect(status).toBe(401);
  });

  test('the route accepts a stream token only if its access allows it', async () => {
    const caller = { id: 'ann' };
    const { token } = await app.services.streamTokens.mint(caller, ['*']);
    const { status } = await send(method, `${path}?access_token=${token}`);
    if (route.access === 'caller') expect(status).toBe(401);
    else expect(status).not.toBe(401);
  });

  test('the route is in the OpenAPI document, unless deliberately left out', () => {
    expect(route.openApi === false).toBe(UNDOCUMENTED.includes(name));
  });

  test('the path rejects methods without a route, and lists the allowed ones', async () => {
    if (route.method === 'ANY') return expect(route.errors).toBe('graphql');
    const ofPath = ROUTES.filter((other) => other.path === route.path).map((other) => other.method as string);
    const allowed = ofPath.includes('GET') ? [...ofPath, 'HEAD'] : ofPath;
    for (const other of METHODS.filter((each) => !allowed.includes(each))) {
      const response = await sendAs(other, path);
      expect(response.status, other).toBe(405);
      expect(response.headers.get('allow')).toBe(allowed.join(', '));
    }
  });
});

test('no two routes have the same method and path', () => {
  expect(new Set(rows.map(({ name }) => name)).size).toBe(ROUTES.length);
});

test('a route that responds immediately is open, and has no parameters', () => {
  const immediate = ROUTES.filter((route) => route.immediate);
  expect(immediate.map(({ path }) => path)).toEqual(['/health/live']);
  for (const { access, method, path } of immediate) {
    expect({ access, method }).toEqual({ access: 'open', method: 'GET' });
    expect(path).not.toMatch(/[{*]/);
  }
});

test.each([
  '/nope',
  '/graphqlx',
  '/docs/a/b',
  '/health',
  '/api/v0/executions/foo/a1',
  '/api/v0/stream-tokens/',
])('%s is 404 for a caller and 401 without credentials, so that paths cannot be probed', async (path) => {
  for (const method of METHODS) {
    expect((await sendAs(method, path)).status, method).toBe(404);
    expect((await send(method, path)).status, method).toBe(401);
  }
});
