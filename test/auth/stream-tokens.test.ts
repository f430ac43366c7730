// Stream tokens: what they open, for how long, and to whom.
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

/** The status with which a stream begins. */
async function statusOf(path: string, headers: Record<string, string> = {}): Promise<number> {
  using stream = await openSse(app.url + path, { headers });
  return stream.status;
}

const withToken = (token: string, id = 'a1') => statusOf(`${pathOf(id)}?access_token=${token}`);

/** Only the clock: sockets keep their timers. */
function clock(): void {
  vi.useFakeTimers({ toFake: ['Date'] });
}

describe('what a token opens', () => {
  test('its executions, over REST and GraphQL by GET', async () => {
    const token = await mint('a1', 'a2');
    expect(await withToken(token)).toBe(200);
    expect(await withToken(token, 'a2')).toBe(200);
    const path = graphqlPath('subscription { agentStream(id: "a1") { type } }');
    using stream = await openSse(`${app.url}${path}&access_token=${token}`);
    await stream.until(() => stream.frames.length === 1, 'an event');
    expect(stream.frames[0]!.data).toContain('WARNING');
  });

  test('no other one, though its maker may read it', async () => {
    const token = await mint('a1');
    expect(await withToken(token, 'a2')).toBe(404);
    expect(await withToken(token, 'other')).toBe(404);
    const list = await fetch(
      `${app.url}${graphqlPath('{ executions { edges { node { id } } } }')}&access_token=${token}`,
    );
    expect(await list.json()).toEqual({ data: { executions: { edges: [{ node: { id: 'a1' } }] } } });
  });

  test('no other path than those of streams, no publishing, and no further token', async () => {
    const token = await mint('a1');
    const query = `?access_token=${token}`;
    expect((await fetch(`${app.url}/api/v0/executions/agents/a1${query}`)).status).toBe(401);
    for (const path of ['/api/v0/stream-tokens', '/graphql', '/api/v0/executions/agents/a1/events']) {
      expect((await post(path + query, { executions: ['a1'] }, {})).status).toBe(401);
    }
    expect((await fetch(`${app.url}/graphql/stream${query}`, { headers: EVENT_STREAM })).status).toBe(401);
  });

  test('nothing that its creator may no longer read: permission is checked at each connect', async () => {
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

describe('for how long', () => {
  test('it must first be used within 60 s', async () => {
    clock();
    const [early, late] = [await mint('a1'), await mint('a1')];
    vi.advanceTimersByTime(MINUTE - 1_000);
    expect(await withToken(early)).toBe(200);
    vi.advanceTimersByTime(1_000);
    expect(await withToken(late)).toBe(401);
  });

  test('once used it serves reconnects, until an hour after it was made', async () => {
    clock();
    const token = await mint('a1');
    for (let minute = 0; minute < 60; minute += 10) {
      expect(await withToken(token)).toBe(200);
      vi.advanceTimersByTime(10 * MINUTE);
    }
    expect(await withToken(token)).toBe(401);
  });

  test('a separate limit', async () => {
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

  test('no longer than the JWT that it was made with, on reconnects too', async () => {
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

  test('as a cookie, no longer than the JWT either', async () => {
    clock();
    const short = bearer(await tokenOf({ tenant: 'acme', exp: inSeconds(Date.now()) + 600 }));
    const body = { executions: ['a1'], cookie: true };
    const set = (await post('/api/v0/stream-tokens', body, short)).headers.get('set-cookie');
    expect(set).toMatch(/; Max-Age=(600|599);/);
  });

  test('none is created with an expired JWT that is accepted only because of the clock skew', async () => {
    const late = bearer(await tokenOf({ tenant: 'acme', exp: inSeconds(Date.now()) - 10 }));
    const refused = await post('/api/v0/stream-tokens', { executions: ['a1'] }, late);
    expect([refused.status, await refused.json()]).toEqual([
      401,
      expect.objectContaining({ detail: 'credentials have expired' }),
    ]);
  });

  test('not longer where its record is still there after the end of the session', async () => {
    clock();
    const records = createMemoryTokenRecords();
    // As Redis, whose clock is another one.
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

  test('until its maker revokes it; nobody else can', async () => {
    const token = await mint('a1');
    const bob = bearer(await tokenOf({ sub: 'bob', tenant: 'acme' }));
    expect((await post('/api/v0/stream-tokens/revoke', { token }, bob)).status).toBe(204);
    expect(await withToken(token)).toBe(200);
    expect((await post('/api/v0/stream-tokens/revoke', { token })).status).toBe(204);
    expect(await withToken(token)).toBe(401);
    expect((await post('/api/v0/stream-tokens/revoke', { token })).status).toBe(204);
  });
});

describe('tokens are created for', () => {
  test('a caller who may read all of the executions, also over GraphQL', async () => {
    const response = await post('/graphql', { query: CREATE, variables: { ids: ['a1'] } });
    const { data } = (await response.json()) as { data: { createStreamToken: { token: string } } };
    expect(await withToken(data.createStreamToken.token)).toBe(200);
    for (const ids of [['a1', 'other'], ['nobody']]) {
      const refused = await post('/api/v0/stream-tokens', { executions: ids });
      expect([refused.status, await refused.json()]).toEqual([
        404,
        expect.objectContaining({ code: 'NOT_FOUND' }),
      ]);
    }
  });

  test.each([
    [{ executions: [] }, 422],
    [{}, 422],
    [{ executions: ['a b'] }, 400],
    [{ executions: Array.from({ length: 101 }, (_, i) => `a${i}`) }, 422],
  ])('%j is refused', async (body, status) => {
    expect((await post('/api/v0/stream-tokens', body)).status).toBe(status);
  });

  test('no caller by GET: a link must not create one', async () => {
    const path = graphqlPath('mutation { createStreamToken(executions: ["a1"]) { token } }');
    const response = await fetch(app.url + path, { headers: ann });
    expect(response.status).toBe(405);
  });
});

describe('what is stored of its maker', () => {
  const maker = {
    id: 'ann',
    tenant: 'acme',
    scopes: ['read', 'publish'],
    expiresAt: Number.POSITIVE_INFINITY,
    claims: { sub: 'ann', email: 'ann@example.com', role: 'auditor' },
  } as const;

  async function stored(policyClaims?: readonly string[]) {
    const records = createMemoryTokenRecords();
    const kept: string[] = [];
    const put = (key: string, record: string, keepMs: number) => {
      kept.push(record);
      return records.put(key, record, keepMs);
    };
    const tokens = createStreamTokens({ ...records, put }, { sessionMs: HOUR, policyClaims });
    const { token } = await tokens.mint(maker, ['a1']);
    return { record: JSON.parse(kept[0]!), caller: await tokens.redeem(token) };
  }

  test('no claim beside the id and the tenant, by default', async () => {
    const { record, caller } = await stored();
    const bearer = { id: 'ann', tenant: 'acme', scopes: ['read'], executions: ['a1'], viaStreamToken: true };
    expect(record).toEqual({ caller: bearer, until: expect.any(Number) });
    expect(caller).toEqual(bearer);
  });

  test('the claims that a policy needs, where they are named', async () => {
    const { record, caller } = await stored(['role', 'absent']);
    expect(caller.claims).toEqual({ role: 'auditor' });
    expect(JSON.stringify(record)).not.toContain('example.com');
  });
});

describe('as a cookie', () => {
  async function cookie(): Promise<string> {
    const response = await post('/api/v0/stream-tokens', { executions: ['a1'], cookie: true });
    expect(await response.json()).toEqual({ expiresAt: expect.any(String) });
    const set = response.headers.get('set-cookie')!;
    expect(set).toMatch(
      /^execstream_token=[\w-]{43}; Max-Age=3(600|599); Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    return set.split(';')[0]!;
  }

  test('opens streams and queries of the same page', async () => {
    const headers = { cookie: `theme=dark; ${await cookie()}` };
    expect(await statusOf(pathOf('a1'), headers)).toBe(200);
    expect(await statusOf(pathOf('a2'), headers)).toBe(404);
    const own = await post('/graphql', { query: '{ __typename }' }, { ...headers, origin: app.url });
    expect(own.status).toBe(200);
  });

  test('a page of another origin cannot have the browser post with it', async () => {
    const headers = { cookie: await cookie() };
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1', undefined]) {
      const sent = { ...headers, ...(origin && { origin }) };
      expect((await post('/graphql', { query: '{ __typename }' }, sent)).status).toBe(401);
    }
  });

  test('the scheme of the origin counts, as the host and the port do', async () => {
    const { port } = new URL(app.url);
    const sent = async (origin: string, host: string, site?: string) => {
      const request = new Request('http://x.example/graphql', {
        method: 'POST',
        headers: { origin, host, ...(site && { 'sec-fetch-site': site }) },
      });
      return isOwnPage(request, ['https://listed.example']);
    };
    // Behind a proxy that terminates TLS: the cookie is `Secure`, so the page has TLS.
    expect(await sent('https://app.example', 'app.example')).toBe(true);
    expect(await sent('https://app.example:443', 'app.example')).toBe(true);
    expect(await sent('http://app.example', 'app.example')).toBe(false);
    expect(await sent('http://app.example:443', 'app.example:443')).toBe(false);
    expect(await sent('https://app.example:8443', 'app.example')).toBe(false);
    expect(await sent('https://app.example', '')).toBe(false);
    // Without TLS a browser sends the cookie to this machine alone.
    for (const scheme of ['http', 'https']) {
      expect(await sent(`${scheme}://localhost:${port}`, `localhost:${port}`)).toBe(true);
    }
    expect(await sent('http://localhost:1', `localhost:${port}`)).toBe(false);
    // What the browser says of the page is worth more than what the server can compare.
    expect(await sent('https://app.example', 'internal:4000', 'same-origin')).toBe(true);
    for (const site of ['same-site', 'cross-site', 'none']) {
      expect(await sent('http://app.example', 'app.example', site)).toBe(false);
      expect(await sent('https://app.example', 'app.example', site)).toBe(false);
      expect(await sent('https://listed.example', 'app.example', site)).toBe(true);
    }
  });

  test('publishes nothing and makes no token, from the same page either', async () => {
    const headers = { cookie: await cookie(), origin: app.url };
    expect((await post('/api/v0/stream-tokens', { executions: ['a1'] }, headers)).status).toBe(403);
    expect((await post(pathOf('a1').replace('stream', 'events'), { events: [] }, headers)).status).toBe(403);
  });
});

describeRedis('on Redis', () => {
  test('a token made by one server is good at another, and so is its end; nobody reads it in Redis', async () => {
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
