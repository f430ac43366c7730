// Without authentication only this machine may connect; with it, only callers with credentials.
import { request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { readConfig } from '../../src/server/config/config.ts';
import { listen } from '../../src/server/node-server.ts';
import { createApp, directLog, EVENT_STREAM, graphqlPath, unfinishedText } from '../support/app.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { bearer, type GuardedApp, SHARED_KEY, startGuarded, tokenOf } from './guarded.ts';

const STREAM = '/api/v0/executions/agents/a1/stream';
const SUBSCRIPTION = graphqlPath('subscription { agentStream(id: "a1") { id } }');

let app: GuardedApp;
afterEach(() => app?.close());

/** Sends the request of a browser under DNS rebinding. */
function statusFor(host: string, path = '/health/live'): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${app.url}${path}`, { headers: { host }, agent: false }, (response) => {
      let body = '';
      response.on('data', (piece) => {
        body += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode!, body }));
    });
    sent.once('error', reject).end();
  });
}

describe('PROTOCOL.md, Authentication: off', () => {
  test.each(['localhost', 'LOCALHOST:80', 'app.localhost:4000', '127.0.0.1', '127.8.8.8:1', '[::1]:4000'])(
    'the Host %s is accepted without authentication',
    async (host) => {
      app = await startGuarded({ auth: null });
      expect((await statusFor(host)).status).toBe(200);
    },
  );

  test.each(['evil.example', 'evil.example:4000', 'localhost.evil.example', '127.0.0.1.nip.io', '10.0.0.1'])(
    'the Host %s is rejected without authentication, so that DNS rebinding has no effect',
    async (host) => {
      app = await startGuarded({ auth: null });
      for (const path of ['/health/live', '/', STREAM, '/graphql?query={__typename}', '/docs']) {
        const { status, body } = await statusFor(host, path);
        expect(status).toBe(421);
        expect(JSON.parse(body)).toMatchObject({ code: 'MISDIRECTED_REQUEST', status: 421 });
      }
    },
  );

  test.each(['0.0.0.0', '::', '10.0.0.1', 'example.com'])(
    'listening on %s without authentication is rejected at start',
    async (host) => {
      await using parts = createApp();
      const listening = listen(parts.services, { host, port: 0 });
      const message =
        /^HOST: expected a loopback address while authentication is off, got .+; set AUTH_JWKS_URL/;
      await expect(listening).rejects.toThrow(message);
      expect(() => readConfig({ HOST: host })).toThrow(message);
      expect(readConfig({ HOST: host, AUTH_SHARED_KEY: SHARED_KEY }).host).toBe(host);
    },
  );

  test('any host name is accepted with authentication', async () => {
    app = await startGuarded();
    expect((await statusFor('streams.example')).status).toBe(200);
  });
});

describe('without credentials', () => {
  test('a REST path responds 401 as a problem, with a challenge', async () => {
    app = await startGuarded();
    const paths = [STREAM, '/api/v0/executions/agents/a1', '/api/v0/stream-tokens', '/nope', '/docs/a/b'];
    for (const path of paths) {
      const response = await fetch(app.url + path);
      expect(response.status).toBe(401);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(await response.json()).toMatchObject({ code: 'UNAUTHENTICATED', title: 'Unauthorized' });
    }
  });

  test('GraphQL responds 401 with its code to queries, event streams, pages with a query and /graphql/stream', async () => {
    app = await startGuarded();
    const requests: [string, RequestInit?][] = [
      [graphqlPath('{ __typename }')],
      [graphqlPath('{ __typename }'), { headers: { accept: 'text/html' } }],
      [SUBSCRIPTION, { headers: EVENT_STREAM }],
      [SUBSCRIPTION, { headers: { ...EVENT_STREAM, 'last-event-id': '1' } }],
      ['/graphql', { method: 'POST', body: '{"query":"{ __typename }"}' }],
      ['/graphql/stream', { method: 'PUT' }],
      ['/graphql/stream', { headers: { accept: 'text/html' } }],
    ];
    for (const [path, init] of requests) {
      const response = await fetch(app.url + path, init);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    }
  });

  test('the pages, the OpenAPI document and the health endpoints are public, and contain no data', async () => {
    app = await startGuarded();
    await directLog(app, { id: 'secret-id' });
    for (const path of ['/', '/docs', '/docs/start.js', '/openapi.json', '/health/live', '/health/ready']) {
      const response = await fetch(app.url + path);
      expect(response.status).toBe(200);
      expect(await response.text()).not.toContain('secret-id');
    }
    const page = await fetch(`${app.url}/graphql`, { headers: { accept: 'text/html' } });
    expect(await page.text()).not.toContain('secret-id');
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/^text\/html/),
    ]);
  });
});

describe('with credentials', () => {
  test('a JWT is accepted by REST and GraphQL; an invalid one is rejected with the reason', async () => {
    app = await startGuarded();
    await directLog(app, { tenant: 'acme' });
    const headers = bearer(await tokenOf({ tenant: 'acme' }));
    expect((await fetch(`${app.url}/api/v0/executions/agents/a1`, { headers })).status).toBe(200);
    const wrong = await fetch(app.url + STREAM, { headers: bearer('abc') });
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get('www-authenticate')).toBe(
      'Bearer error="invalid_token", error_description="not a valid JWT"',
    );
    const basic = await fetch(app.url + STREAM, { headers: { authorization: 'Basic YTpi' } });
    expect(basic.status).toBe(401);
  });

  test("an embedder's own authentication determines callers and rejections, and its unexpected errors are masked", async () => {
    const authenticate = (sent: Request) => {
      const name = sent.headers.get('x-user');
      if (name === 'broken') throw new Error('an internal detail');
      if (name === 'bad') throw new ExecstreamError('UNAUTHENTICATED', 'no such "user"\r\nX: y');
      return name ? { id: name, tenant: 'acme' } : undefined;
    };
    app = await startGuarded({ auth: { authenticate } });
    await directLog(app, { tenant: 'acme' });
    const as = (name: string) =>
      fetch(`${app.url}/api/v0/executions/agents/a1`, { headers: name ? { 'x-user': name } : {} });
    expect((await as('ann')).status).toBe(200);
    expect((await as('')).status).toBe(401);
    expect((await as('bad')).status).toBe(401);
    const broken = await as('broken');
    expect([broken.status, await broken.text()]).toEqual([
      500,
      expect.not.stringContaining('an internal detail'),
    ]);
    expect(app.errors).toHaveLength(1);
  });

  test.each(['ac\0me', '\ud800', '', 'x'.repeat(257), 1, null])(
    'an embedder’s caller with a tenant or an id like %j gets a 401 that names the field, not a failed query',
    async (name) => {
      for (const property of ['tenant', 'id']) {
        app = await startGuarded({
          auth: { authenticate: () => ({ id: 'ann', [property]: name }) as never },
        });
        const response = await fetch(`${app.url}/api/v0/executions/agents/a1`);
        expect(response.status).toBe(401);
        const { detail } = (await response.json()) as { detail: string };
        expect(detail).toMatch(RegExp(`^caller.${property}: expected a string`));
        await app.close();
      }
    },
  );

  test('unavailable authentication is 503, and a reconnecting browser gets a `retry` delay', async () => {
    const authenticate = () => {
      throw new ExecstreamError('SOURCE_UNAVAILABLE', 'away');
    };
    app = await startGuarded({ auth: { authenticate } });
    for (const path of [STREAM, SUBSCRIPTION]) {
      const first = await fetch(app.url + path, { headers: EVENT_STREAM });
      expect([first.status, first.headers.get('retry-after')]).toEqual([503, '5']);
      const reconnected = await fetch(app.url + path, { headers: { ...EVENT_STREAM, 'last-event-id': '1' } });
      expect([reconnected.status, await unfinishedText(reconnected)]).toEqual([
        200,
        'retry: 5000\n: away\n\n',
      ]);
    }
  });
});

describePostgres('with credentials, over Postgres', () => {
  test('a tenant that the database cannot store is 401 on every path, without a failed query', async () => {
    await using database = await createDatabase();
    const store = createPrismaStore({ url: database.url });
    try {
      app = await startGuarded({ store });
      for (const tenant of ['ac\0me', '\ud800']) {
        const headers = bearer(await tokenOf({ tenant, scope: 'read publish' }));
        const list = await fetch(app.url + graphqlPath('{ executions { edges { node { id } } } }'), {
          headers,
        });
        const beginning = await fetch(`${app.url}/api/v0/executions/agents/a1`, {
          method: 'PUT',
          headers: { ...headers, 'content-type': 'application/json' },
          body: '{"mode":"TEXT"}',
        });
        expect([list.status, beginning.status]).toEqual([401, 401]);
        expect((await beginning.json()).detail).toMatch(/^token claim "tenant": expected/);
      }
      expect(app.errors).toEqual([]);
    } finally {
      await app.close();
      await store.close();
    }
  });
});

describe('the environment', () => {
  test('the environment configures a key, and the checks of its tokens', () => {
    expect(readConfig({}).auth).toBeUndefined();
    const jwks = { AUTH_JWKS_URL: 'https://idp.example/keys', AUTH_ISSUER: 'i', AUTH_AUDIENCE: 'a' };
    expect(readConfig({ ...jwks, AUTH_SESSION_MS: '5000' })).toMatchObject({
      auth: {
        key: { jwksUrl: 'https://idp.example/keys' },
        issuer: 'i',
        audience: 'a',
        clockSkewSeconds: 30,
      },
      sessionMs: 5_000,
    });
    expect(readConfig({ ...jwks, AUTH_JWKS_URL: 'http://127.0.0.1:8080/keys' }).auth).toBeDefined();
    expect(readConfig(jwks).policyClaims).toEqual([]);
    expect(readConfig({ ...jwks, AUTH_POLICY_CLAIMS: 'role, org' }).policyClaims).toEqual(['role', 'org']);
    expect(readConfig({ AUTH_SHARED_KEY: SHARED_KEY }).auth).toMatchObject({ key: { shared: SHARED_KEY } });
  });

  test.each([
    [{ AUTH_SHARED_KEY: 'short' }, 'AUTH_SHARED_KEY: expected at least 32 bytes'],
    [{ AUTH_JWKS_URL: 'keys' }, 'AUTH_JWKS_URL: expected a URL'],
    [
      { AUTH_JWKS_URL: 'http://i.example/k', AUTH_ISSUER: 'i', AUTH_AUDIENCE: 'a' },
      'AUTH_JWKS_URL: expected https://',
    ],
    [
      { AUTH_JWKS_URL: 'http://10.0.0.1/k', AUTH_ISSUER: 'i', AUTH_AUDIENCE: 'a' },
      'AUTH_JWKS_URL: expected https://',
    ],
    [
      { AUTH_JWKS_URL: 'https://i.example/k', AUTH_SHARED_KEY: SHARED_KEY },
      'AUTH_SHARED_KEY: cannot be combined with AUTH_JWKS_URL',
    ],
    [{ AUTH_POLICY_CLAIMS: 'role' }, 'AUTH_POLICY_CLAIMS: requires AUTH_JWKS_URL or AUTH_SHARED_KEY'],
    [
      { AUTH_JWKS_URL: 'https://i.example/k', AUTH_AUDIENCE: 'a' },
      'AUTH_ISSUER: is required with AUTH_JWKS_URL',
    ],
    [
      { AUTH_JWKS_URL: 'https://i.example/k', AUTH_ISSUER: 'i' },
      'AUTH_AUDIENCE: is required with AUTH_JWKS_URL',
    ],
    [{ AUTH_AUDIENCE: 'a' }, 'AUTH_AUDIENCE: requires AUTH_JWKS_URL or AUTH_SHARED_KEY'],
    [{ AUTH_SESSION_MS: '1' }, 'AUTH_SESSION_MS: expected 1000 to 86400000, got "1"'],
  ])('%j is rejected by the name of the setting, without showing a key', (env, message) => {
    expect(() => readConfig(env)).toThrow(expect.objectContaining({ code: 'CONFIG' }));
    expect(() => readConfig(env)).toThrow(new RegExp(`^${message}(?!.*(short|${SHARED_KEY}))`));
  });
});
