// Stream tokens: which streams they open, for how long, and for which callers.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isOwnPage } from '../../src/server/auth/cookie.ts';
import { createStreamTokens } from '../../src/server/auth/stream-tokens.ts';
import { createMemoryTokenRecords, createRedisTokenRecords } from '../../src/server/auth/token-records.ts';
import { directLog, EVENT_STREAM, graphqlPath } from '../support/app.ts';
import { describeRedis, sharedRedisUrl } from '../support/redis.ts';
import { openSse } from '../support/sse.ts';
import { bearer, type GuardedApp, startGuarded, tokenOf } from './guarded.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const inSeconds = (ms: number) => Math.floor(ms / 1_000);
const CREATE = 'mutation ($ids: [ID!]!) { createStreamToken(executions: $ids) { token expiresAt } }';

let app: GuardedApp;
let ann: { authorization: string };
beforeEach(async () => {
  app = await startGuarded();
  ann = bearer(await tokenOf({ tenant: 'acme', exp: inSeconds(Date.now() + 2 * HOUR) }));
  for (const id of ['a1', 'a2']) await (await directLog(app, { id, tenant: 'acme' })).append(warning());
  await directLog(app, { id: 'other', tenant: 'globex' });
});
afterEach(async () => {
  vi.useRealTimers();
  await app.close();
});

function warning() {
  return { type: 'warning', ts: '2026-01-02T03:04:05.678Z', data: { code: 'C', message: 'm' } } as const;
}

const post = (path: string, body: object, headers: Record<string, string> = ann) =>
  fetch(app.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

async function mint(...executions: string[]): Promise<string> {
  const response = await post('/api/v0/stream-tokens', { executions });
  expect(response.status).toBe(201);
  return ((await response.json()) as { token: string }).token;
}

const pathOf = (id: string) => `/api/v0/executions/agents/${id}/stream`;

/** The response status of a stream. */
async function statusOf(path: string, headers: Record<string, string> = {}): Promise<number> {
  using stream = await openSse(app.url + path, { headers });
  return stream.status;
}

const withToken = (token: string, id = 'a1') => statusOf(`${pathOf(id)}?access_token=${token}`);

/** Fakes only the clock: sockets keep their timers. */
function clock(): void {
  vi.useFakeTimers({ toFake: ['Date'] });
}

describe('the streams of a token', () => {
  test('a token opens its executions, over REST and GraphQL by GET', async () => {
    const token = await mint('a1', 'a2');
    expect(await withToken(token)).toBe(200);
    expect(await withToken(token, 'a2')).toBe(200);
    const path = graphqlPath('subscription { agentStream(id: "a1") { type } }');
    using stream = await openSse(`${app.url}${path}&access_token=${token}`);
    await stream.until(() => stream.frames.length === 1, 'an event');
    expect(stream.frames[0]!.data).toContain('WARNING');
  });

  test('a token opens no other execution, although its creator may read it', async () => {
    const token = await mint('a1');
    expect(await withToken(token, 'a2')).toBe(404);
    expect(await withToken(token, 'other')).toBe(404);
    const list = await fetch(
      `${app.url}${graphqlPath('{ executions { edges { node { id } } } }')}&access_token=${token}`,
    );
    expect(await list.json()).toEqual({ data: { executions: { edges: [{ node: { id: 'a1' } }] } } });
  });

  test('a token for an id that ends in a wildcard opens that execution alone', async () => {
    await directLog(app, { id: 'a*', tenant: 'acme' });
    const token = await mint('a*');
    expect(await withToken(token, 'a*')).toBe(200);
    expect(await withToken(token, 'a1')).toBe(404);
  });

  test('a token opens no other path than those of streams, publishes nothing and creates no token', async () => {
    const token = await mint('a1');
    const query = `?access_token=${token}`;
    expect((await fetch(`${app.url}/api/v0/executions/agents/a1${query}`)).status).toBe(401);
    for (const path of ['/api/v0/stream-tokens', '/graphql', '/api/v0/executions/agents/a1/events']) {
      expect((await post(path + query, { executions: ['a1'] }, {})).status).toBe(401);
    }
    expect((await fetch(`${app.url}/graphql/stream${query}`, { headers: EVENT_STREAM })).status).toBe(401);
  });

  test('a token opens nothing that its creator may no longer read: each connect checks permission', async () => {
    await app.close();
    let isAllowed = true;
    app = await startGuarded({ authorize: () => ({ read: isAllowed ? 'granted' : 'hidden' }) });
    await directLog(app, { tenant: 'acme' });
    const token = await mint('a1');
    expect(await withToken(token)).toBe(200);
    isAllowed = false;
    expect(await withToken(token)).toBe(404);
  });
});

describe('the lifetime of a token', () => {
  test('a token must be used for the first time within 60 s', async () => {
    clock();
    const [early, late] = [await mint('a1'), await mint('a1')];
    vi.advanceTimersByTime(MINUTE - 1_000);
    expect(await withToken(early)).toBe(200);
    vi.advanceTimersByTime(1_000);
    expect(await withToken(late)).toBe(401);
  });

  test('a used token serves reconnects until an hour after its creation', async () => {
    clock();
    const token = await mint('a1');
    for (let minute = 0; minute < 60; minute += 10) {
      expect(await withToken(token)).toBe(200);
      vi.advanceTimersByTime(10 * MINUTE);
    }
    expect(await withToken(token)).toBe(401);
  });

  test('the lifetime of a token is configurable', async () => {
    clock();
    await app.close();
    app = await startGuarded({});
    const tokens = createStreamTokens(createMemoryTokenRecords(), { sessionMs: 5_000 });
    const { token, expiresAt } = await tokens.mint({ id: 'ann' }, ['a1']);
    expect(expiresAt.getTime() - Date.now()).toBe(5_000);
    vi.advanceTimersByTime(4_999);
    expect(await tokens.redeem(token)).toMatchObject({ id: 'ann', scopes: ['read'], executions: ['a1'] });
    vi.advanceTimersByTime(1);
    await expect(tokens.redeem(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('a token is valid no longer than the JWT that created it, also for reconnects', async () => {
    clock();
    const exp = inSeconds(Date.now()) + 600;
    const short = bearer(await tokenOf({ tenant: 'acme', exp }));
    const response = await post('/api/v0/stream-tokens', { executions: ['a1'] }, short);
    const { token, expiresAt } = (await response.json()) as { token: string; expiresAt: string };
    expect(Date.parse(expiresAt)).toBe(exp * 1_000);
    expect(await withToken(token)).toBe(200);
    vi.setSystemTime(exp * 1_000 - 1);
    expect(await withToken(token)).toBe(200);
    vi.setSystemTime(exp * 1_000);
    expect(await withToken(token)).toBe(401);
  });

  test('a token in a cookie is valid no longer than the JWT either', async () => {
    clock();
    const short = bearer(await tokenOf({ tenant: 'acme', exp: inSeconds(Date.now()) + 600 }));
    const body = { executions: ['a1'], cookie: true };
    const set = (await post('/api/v0/stream-tokens', body, short)).headers.get('set-cookie');
    expect(set).toMatch(/; Max-Age=(600|599);/);
  });

  test('no token is created with an expired JWT that is accepted only because of the clock skew', async () => {
    const late = bearer(await tokenOf({ tenant: 'acme', exp: inSeconds(Date.now()) - 10 }));
    const rejected = await post('/api/v0/stream-tokens', { executions: ['a1'] }, late);
    expect([rejected.status, await rejected.json()]).toEqual([
      401,
      expect.objectContaining({ detail: 'credentials have expired' }),
    ]);
  });

  test('a token is valid no longer than its session, even if its record is still stored', async () => {
    clock();
    const records = createMemoryTokenRecords();
    // As in Redis, which has another clock.
    const slow = {
      ...records,
      keepUntil: async () => true,
      put: (k: string, r: string) => records.put(k, r, HOUR),
    };
    const tokens = createStreamTokens(slow, { sessionMs: 5_000 });
    const { token } = await tokens.mint({ id: 'ann' }, ['a1']);
    vi.advanceTimersByTime(5_000);
    await expect(tokens.redeem(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('a token is revoked by its creator, and by no other caller', async () => {
    const token = await mint('a1');
    const bob = bearer(await tokenOf({ sub: 'bob', tenant: 'acme' }));
    expect((await post('/api/v0/stream-tokens/revoke', { token }, bob)).status).toBe(204);
    expect(await withToken(token)).toBe(200);
    expect((await post('/api/v0/stream-tokens/revoke', { token })).status).toBe(204);
    expect(await withToken(token)).toBe(401);
    expect((await post('/api/v0/stream-tokens/revoke', { token })).status).toBe(204);
  });
});

describe('creating tokens', () => {
  test('a token is created for a caller that may read all of the executions, also over GraphQL', async () => {
    const response = await post('/graphql', { query: CREATE, variables: { ids: ['a1'] } });
    const { data } = (await response.json()) as { data: { createStreamToken: { token: string } } };
    expect(await withToken(data.createStreamToken.token)).toBe(200);
    for (const ids of [['a1', 'other'], ['nobody']]) {
      const rejected = await post('/api/v0/stream-tokens', { executions: ids });
      expect([rejected.status, await rejected.json()]).toEqual([
        404,
        expect.objectContaining({ code: 'NOT_FOUND' }),
      ]);
    }
  });

  test.each([
    [{ executions: [] }, 422],
    [{}, 422],
    [{ executions: ['a\0b'] }, 400],
    [{ executions: Array.from({ length: 101 }, (_, i) => `a${i}`) }, 422],
  ])('%j is rejected', async (body, status) => {
    expect((await post('/api/v0/stream-tokens', body)).status).toBe(status);
  });

  test('a GET creates no token, because a link must not create one', async () => {
    const path = graphqlPath('mutation { createStreamToken(executions: ["a1"]) { token } }');
    const response = await fetch(app.url + path, { headers: ann });
    expect(response.status).toBe(405);
  });
});

describe('the record of a token', () => {
  const creator = {
    id: 'ann',
    tenant: 'acme',
    scopes: ['read', 'publish'],
    expiresAt: Number.POSITIVE_INFINITY,
    claims: { sub: 'ann', email: 'ann@example.com', role: 'auditor' },
  } as const;

  async function stored(policyClaims?: readonly string[]) {
    const records = createMemoryTokenRecords();
    const written: string[] = [];
    const put = (key: string, record: string, keepMs: number) => {
      written.push(record);
      return records.put(key, record, keepMs);
    };
    const tokens = createStreamTokens({ ...records, put }, { sessionMs: HOUR, policyClaims });
    const { token } = await tokens.mint(creator, ['a1']);
    return { record: JSON.parse(written[0]!), caller: await tokens.redeem(token) };
  }

  test("the record of a token has only its creator's id and tenant by default", async () => {
    const { record, caller } = await stored();
    const bearer = { id: 'ann', tenant: 'acme', scopes: ['read'], executions: ['a1'], viaStreamToken: true };
    expect(record).toEqual({ caller: bearer, until: expect.any(Number) });
    expect(caller).toEqual(bearer);
  });

  test('the record of a token also has the claims that a policy needs, if they are configured', async () => {
    const { record, caller } = await stored(['role', 'absent']);
    expect(caller.claims).toEqual({ role: 'auditor' });
    expect(JSON.stringify(record)).not.toContain('example.com');
  });
});

describe('a token in a cookie', () => {
  async function cookie(): Promise<string> {
    const response = await post('/api/v0/stream-tokens', { executions: ['a1'], cookie: true });
    expect(await response.json()).toEqual({ expiresAt: expect.any(String) });
    const set = response.headers.get('set-cookie')!;
    expect(set).toMatch(
      /^execstream_token=[\w-]{43}; Max-Age=3(600|599); Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    return set.split(';')[0]!;
  }

  test('a cookie authenticates streams and queries of pages of the same origin', async () => {
    const headers = { cookie: `theme=dark; ${await cookie()}` };
    expect(await statusOf(pathOf('a1'), headers)).toBe(200);
    expect(await statusOf(pathOf('a2'), headers)).toBe(404);
    const own = await post('/graphql', { query: '{ __typename }' }, { ...headers, origin: app.url });
    expect(own.status).toBe(200);
  });

  test('a cookie does not authenticate a POST from a page of another origin', async () => {
    const headers = { cookie: await cookie() };
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1', undefined]) {
      const sent = { ...headers, ...(origin && { origin }) };
      expect((await post('/graphql', { query: '{ __typename }' }, sent)).status).toBe(401);
    }
  });

  test('the scheme of the origin is compared too, and not only its host and port', async () => {
    const { port } = new URL(app.url);
    const sent = async (origin: string, host: string, site?: string) => {
      const request = new Request('http://x.example/graphql', {
        method: 'POST',
        headers: { origin, host, ...(site && { 'sec-fetch-site': site }) },
      });
      return isOwnPage(request, ['https://listed.example']);
    };
    // Behind a proxy that terminates TLS. The cookie is `Secure`, so the page was loaded over TLS.
    expect(await sent('https://app.example', 'app.example')).toBe(true);
    expect(await sent('https://app.example:443', 'app.example')).toBe(true);
    expect(await sent('http://app.example', 'app.example')).toBe(false);
    expect(await sent('http://app.example:443', 'app.example:443')).toBe(false);
    expect(await sent('https://app.example:8443', 'app.example')).toBe(false);
    expect(await sent('https://app.example', '')).toBe(false);
    // Without TLS a browser sends the cookie only to this machine.
    for (const scheme of ['http', 'https']) {
      expect(await sent(`${scheme}://localhost:${port}`, `localhost:${port}`)).toBe(true);
    }
    expect(await sent('http://localhost:1', `localhost:${port}`)).toBe(false);
    // The browser's own header about the page takes precedence over the server's comparison.
    expect(await sent('https://app.example', 'internal:4000', 'same-origin')).toBe(true);
    for (const site of ['same-site', 'cross-site', 'none']) {
      expect(await sent('http://app.example', 'app.example', site)).toBe(false);
      expect(await sent('https://app.example', 'app.example', site)).toBe(false);
      expect(await sent('https://listed.example', 'app.example', site)).toBe(true);
    }
  });

  test('a cookie neither publishes nor creates tokens, not even from a page of the same origin', async () => {
    const headers = { cookie: await cookie(), origin: app.url };
    expect((await post('/api/v0/stream-tokens', { executions: ['a1'] }, headers)).status).toBe(403);
    expect((await post(pathOf('a1').replace('stream', 'events'), { events: [] }, headers)).status).toBe(403);
  });
});

describeRedis('on Redis', () => {
  test('a token of one server is accepted and revoked by another, and does not appear in Redis', async () => {
    const prefix = `tokens-${crypto.randomUUID()}:`;
    const [one, other] = [1, 2].map(() =>
      createStreamTokens(createRedisTokenRecords(sharedRedisUrl(), prefix)),
    );
    const { token } = await one!.mint({ id: 'ann', tenant: 'acme' }, ['a1']);
    expect(await other!.redeem(token)).toMatchObject({ id: 'ann', tenant: 'acme', executions: ['a1'] });
    expect(await one!.redeem(token)).toMatchObject({ id: 'ann' });
    await other!.revoke({ id: 'ann', tenant: 'acme' }, token);
    await expect(one!.redeem(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await Promise.all([one!.close(), other!.close()]);
  });

  test('an unused record expires, and a used one with its session', async () => {
    const prefix = `tokens-${crypto.randomUUID()}:`;
    const records = createRedisTokenRecords(sharedRedisUrl(), prefix);
    await records.put('k', 'r', 60);
    expect(await records.get('k')).toBe('r');
    expect(await records.keepUntil('k', Date.now() + 400)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await records.get('k')).toBe('r');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await records.get('k')).toBeUndefined();
    expect(await records.keepUntil('k', Date.now() + 400)).toBe(false);
    await records.close();
  });
});
