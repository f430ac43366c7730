// Quotas: limits of requests per second and caller, and the responses above them; other callers are not affected.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ExecstreamError } from '../../src/event/errors.ts';
import { createQuotas, DEFAULT_QUOTAS, type QuotaLimits } from '../../src/execution/quotas.ts';
import { DEFAULT_SERVER_LIMITS, type Limits } from '../../src/server/limits.ts';
import { bearer, type GuardedApp, startGuarded, tokenOf } from '../auth/guarded.ts';
import { directLog, EVENT_STREAM, graphqlPath, startApp } from '../support/app.ts';
import { openSse } from '../support/sse.ts';
import { restUrl } from './reader.ts';

const limits = (quotas: Partial<QuotaLimits>, others: Partial<Limits> = {}): Limits => ({
  ...DEFAULT_SERVER_LIMITS,
  ...others,
  quotas: { ...DEFAULT_QUOTAS, ...quotas },
});

/** One request per second, with a burst of five. */
const ONE = { queries: 1, begins: 1, batches: 1, streamTokens: 1, reservations: 1 };
const BURST = 5;

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

const headersOf = async (sub: string, scope = 'read publish') =>
  bearer(await tokenOf({ sub, tenant: 'acme', scope }));

type Send = (app: GuardedApp, headers: Record<string, string>) => Promise<Response>;

const json = (body: object) => ({ 'content-type': 'application/json', body: JSON.stringify(body) });
const post =
  (path: string, body: object, method = 'POST'): Send =>
  (app, headers) => {
    const { body: text, ...type } = json(body);
    return fetch(app.url + path, { method, headers: { ...headers, ...type }, body: text });
  };

const begin: Send = (app, headers) =>
  post(`/api/v0/executions/agents/begun-${crypto.randomUUID()}`, { mode: 'TEXT' }, 'PUT')(app, headers);
const batch: Send = (app, headers) =>
  post('/api/v0/executions/agents/a1/events', { events: [] })(app, {
    ...headers,
    'publisher-token': 'direct',
    'idempotency-key': crypto.randomUUID(),
  });

describe.each<[string, Send, keyof QuotaLimits, number]>([
  ['begun executions', begin, 'begins', 201],
  ['batches', batch, 'batches', 200],
  [
    'states over REST',
    (app, headers) => fetch(`${app.url}/api/v0/executions/agents/a1`, { headers }),
    'queries',
    200,
  ],
  ['GraphQL queries', post('/graphql', { query: '{ __typename }' }), 'queries', 200],
  ['GraphQL documents that do not parse', post('/graphql', { query: '{' }), 'queries', 200],
  ['GraphQL documents that are invalid', post('/graphql', { query: '{ nothing }' }), 'queries', 200],
  ['stream tokens', post('/api/v0/stream-tokens', { executions: ['a1'] }), 'streamTokens', 201],
  [
    'reservations',
    (app, headers) => fetch(`${app.url}/graphql/stream`, { method: 'PUT', headers }),
    'reservations',
    201,
  ],
  [
    'operations in single connection mode',
    async (app, headers) =>
      post('/graphql/stream', { query: '{ __typename }' })(app, { ...headers, ...EVENT_STREAM }),
    'queries',
    200,
  ],
])('%s', (_, send, quota, status) => {
  test('requests above the quota are 429 with Retry-After until it refills, and other callers are not affected', async () => {
    await using app = await startGuarded({ serverLimits: limits({ [quota]: 1 }) });
    await directLog(app, { tenant: 'acme' });
    const ann = await headersOf('ann');
    for (let i = 0; i < BURST; i += 1) expect((await send(app, ann)).status).toBe(status);
    const rejected = await send(app, ann);
    expect([rejected.status, rejected.headers.get('retry-after')]).toEqual([429, '1']);
    const body = await rejected.json();
    const { code } = body.errors?.[0].extensions ?? body;
    expect(code).toBe('TOO_MANY_REQUESTS');
    expect(body.errors?.[0].message ?? body.detail).toContain('the limit is 1 per second for one caller');
    expect((await send(app, await headersOf('bob'))).status).toBe(status);
    vi.advanceTimersByTime(1_000);
    expect((await send(app, ann)).status).toBe(status);
    expect((await send(app, ann)).status).toBe(429);
    expect(app.errors).toEqual([]);
  });
});

test('Retry-After is the time until the quota allows the next request, and at least a second', () => {
  const retryAfter = (perSecond: number, afterMs: number) => {
    const quotas = createQuotas({ begins: perSecond });
    const ann = { id: 'ann' };
    const charge = () => quotas.charge(ann, 'begins');
    for (let i = 0; i < Math.max(1, 5 * perSecond); i += 1) charge();
    vi.advanceTimersByTime(afterMs);
    try {
      charge();
    } catch (error) {
      return (error as ExecstreamError).retryAfterSeconds;
    }
    return 0;
  };
  expect(retryAfter(0.1, 0)).toBe(10);
  expect(retryAfter(0.1, 4_000)).toBe(6);
  expect(retryAfter(10, 0)).toBe(1);
  expect(retryAfter(10, 100)).toBe(0);
});

test('a request without permission is rejected before it counts', async () => {
  await using app = await startGuarded({ serverLimits: limits(ONE) });
  const reader = await headersOf('ann', 'read');
  for (let i = 0; i < 2 * BURST; i += 1) expect((await begin(app, reader)).status).toBe(403);
});

test('streams that are opened do not use up the quota of queries', async () => {
  await using app = await startGuarded({ serverLimits: limits(ONE) });
  await directLog(app, { tenant: 'acme' });
  const ann = await headersOf('ann');
  const path = graphqlPath('subscription { agentStream(id: "a1") { seq } }');
  for (let i = 0; i < 2 * BURST; i += 1) {
    using graphql = await openSse(app.url + path, { headers: ann });
    using rest = await openSse(restUrl(app.url, 'a1'), { headers: ann });
    expect([graphql.status, rest.status]).toEqual([200, 200]);
  }
});

test('an invalid subscription counts as a query', async () => {
  await using app = await startGuarded({ serverLimits: limits(ONE) });
  const ann = await headersOf('ann');
  const path = graphqlPath('subscription { agentStream(id: "a1") { nothing } }');
  const statuses: number[] = [];
  for (let i = 0; i <= BURST; i += 1) {
    const response = await fetch(app.url + path, { headers: { ...ann, ...EVENT_STREAM } });
    statuses.push(response.status);
    await response.body?.cancel();
  }
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
});

test('a stream that reconnects while the quota is exceeded gets 200, a retry delay and an unfinished response', async () => {
  await using app = await startGuarded({ serverLimits: limits(ONE) });
  const log = await directLog(app, { tenant: 'acme' });
  const ann = await headersOf('ann');
  for (let i = 0; i < BURST; i += 1) await post('/graphql', { query: '{ __typename }' })(app, ann);
  const path = graphqlPath('subscription { agentStream(id: "a1") { seq } }');
  for (const url of [app.url + path, restUrl(app.url, 'a1')]) {
    using reconnected = await openSse(url, { headers: ann, lastEventId: `0-${log.epoch}` });
    expect(await reconnected.ended()).toBe('aborted');
    expect(reconnected.status).toBe(200);
    expect(reconnected.text).toMatch(/^retry: 1000\n: too many queries: the limit is 1 per second/);
  }
});

test('there are no quotas without authentication, because all clients on this machine are one caller', async () => {
  await using app = await startApp({ serverLimits: limits(ONE) });
  await directLog(app);
  for (let i = 0; i < 3 * BURST; i += 1) {
    const responses = await Promise.all([
      fetch(`${app.url}/api/v0/executions/agents/a1`),
      post('/api/v0/stream-tokens', { executions: ['a1'] })(app as never, {}),
      fetch(`${app.url}/graphql/stream`, { method: 'PUT' }),
      begin(app as never, {}),
    ]);
    expect(responses.map(({ status }) => status)).toEqual([200, 201, 201, 201]);
  }
});

test('the defaults leave room for a busy caller', async () => {
  await using app = await startGuarded();
  await directLog(app, { tenant: 'acme' });
  const ann = await headersOf('ann');
  for (let i = 0; i < 300; i += 1) expect((await batch(app, ann)).status).toBe(200);
  for (let i = 0; i < 200; i += 1) expect((await begin(app, ann)).status).toBe(201);
});
