// The generated table of (caller × execution × path) permissions, each requested from a server over HTTP.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { directLog, graphqlPath } from '../support/app.ts';
import { openSse } from '../support/sse.ts';
import {
  CALLERS,
  EXECUTIONS,
  mayAppend,
  mayBegin,
  mayRead,
  type Outcome,
  policy,
  type TableCaller,
  type TableExecution,
} from './callers.ts';
import { bearer, type GuardedApp, startGuarded, tokenOf } from './guarded.ts';

let app: GuardedApp;
beforeAll(async () => {
  app = await startGuarded({ authorize: policy });
  await app.store.begin({ id: 'open-parent', kind: 'agent', mode: 'TEXT' });
  for (const { id, tenant, isAbsent } of EXECUTIONS) {
    if (isAbsent) continue;
    const of = tenant === undefined ? {} : { tenant };
    const log = await directLog(app, { id, ...of, parentId: 'open-parent' });
    const ts = '2026-01-02T03:04:05.678Z';
    await log.append({ type: 'warning', ts, data: { code: 'C', message: `inside of ${id}` } });
    await app.store.begin({ id: `${id}.child`, kind: 'task', mode: 'TEXT', parentId: id });
  }
});
afterAll(() => app.close());

/** How a caller sends its requests. */
interface Way {
  readonly headers: Record<string, string>;
  /** Added to the URL of each request. */
  readonly accessToken?: string;
}

async function wayOf({ by, tenant, scope, executions, role }: TableCaller): Promise<Way> {
  if (by === 'none') return { headers: {} };
  const claims = { tenant, scope, role };
  if (by === 'wrong') {
    return { headers: bearer(await tokenOf(claims, new TextEncoder().encode('y'.repeat(40)))) };
  }
  if (by === 'jwt') return { headers: bearer(await tokenOf({ ...claims, executions })) };
  const response = await fetch(`${app.url}/api/v0/stream-tokens`, {
    method: 'POST',
    headers: bearer(await tokenOf(claims)),
    body: JSON.stringify({ executions, cookie: by === 'cookie' }),
  });
  const { token } = (await response.json()) as { token: string };
  if (by === 'access_token') return { headers: {}, accessToken: token };
  return { headers: { cookie: response.headers.get('set-cookie')!.split(';')[0]!, origin: app.url } };
}

function send(path: string, way: Way, init: RequestInit = {}): Promise<Response> {
  return fetch(urlOf(path, way), { ...init, headers: { ...way.headers, ...(init.headers as object) } });
}

function urlOf(path: string, { accessToken }: Way): string {
  const url = new URL(path, app.url);
  if (accessToken) url.searchParams.set('access_token', accessToken);
  return url.href;
}

const BY_STATUS: Record<number, Outcome> = {
  200: 'granted',
  201: 'granted',
  // The caller has permission, but another publisher has the execution.
  409: 'granted',
  401: 'unauthenticated',
  403: 'denied',
  404: 'hidden',
};
const BY_CODE: Record<string, Outcome> = {
  UNAUTHENTICATED: 'unauthenticated',
  FORBIDDEN: 'denied',
  NOT_FOUND: 'hidden',
};
const byStatus = ({ status }: { status: number }): Outcome => BY_STATUS[status] ?? (`${status}` as Outcome);

interface Result {
  data?: Record<string, unknown> | null;
  errors?: { extensions: { code: string } }[];
}

/** The outcome of a GraphQL operation; `shown` checks whether its data contain the execution. */
async function graphql(
  way: Way,
  query: string,
  shown: (data: never) => boolean,
  method = 'GET',
): Promise<Outcome> {
  const body = JSON.stringify({ query });
  const response = await (method === 'GET'
    ? send(graphqlPath(query), way)
    : send('/graphql', way, { method, body, headers: { 'content-type': 'application/json' } }));
  const { data, errors } = (await response.json()) as Result;
  if (errors) return BY_CODE[errors[0]!.extensions.code]!;
  return shown(data as never) ? 'granted' : 'hidden';
}

/** The outcome of a stream, by its first message. */
async function stream(path: string, way: Way, id: string, body?: object): Promise<Outcome> {
  using opened = await openSse(urlOf(path, way), { headers: way.headers, ...(body && { body }) });
  if (opened.status !== 200) return byStatus(opened);
  await opened.until(() => opened.frames.length > 0, 'a message');
  const { data } = opened.frames[0]!;
  if (data.includes(`inside of ${id}`)) return 'granted';
  return BY_CODE[(JSON.parse(data) as Result).errors![0]!.extensions.code]!;
}

interface Path {
  readonly send: (way: Way, execution: TableExecution, caller: TableCaller) => Promise<Outcome>;
  readonly expected: (caller: TableCaller, execution: TableExecution) => Outcome;
  /** Whether the path accepts `?access_token=`. */
  readonly acceptsToken?: true;
}

const REST = '/api/v0/executions/agents';
const subscription = (id: string) => `subscription { agentStream(id: "${id}") { data } }`;
const onlyGranted = (outcome: Outcome): Outcome => (outcome === 'granted' ? 'granted' : 'hidden');
const put = (way: Way, { id }: TableExecution, tenant?: string) =>
  send(`${REST}/${id}`, way, { method: 'PUT', body: JSON.stringify({ mode: 'TEXT', attempt: 1, tenant }) });

const PATHS: Record<string, Path> = {
  'GET state': { send: async (way, { id }) => byStatus(await send(`${REST}/${id}`, way)), expected: mayRead },
  'GET state, of another kind': {
    send: async (way, { id }) => byStatus(await send(`/api/v0/executions/tasks/${id}`, way)),
    expected: () => 'hidden',
  },
  'GET stream': {
    send: (way, { id }) => stream(`${REST}/${id}/stream`, way, id),
    expected: mayRead,
    acceptsToken: true,
  },
  'GET stream, replayed': {
    send: (way, { id }) => stream(`${REST}/${id}/stream?last_event_id=0`, way, id),
    expected: mayRead,
    acceptsToken: true,
  },
  execution: {
    send: (way, { id }) =>
      graphql(way, `{ execution(kind: AGENT, id: "${id}") { id } }`, (data: { execution: object }) =>
        Boolean(data.execution),
      ),
    expected: mayRead,
    acceptsToken: true,
  },
  executions: {
    send: (way, { id }) =>
      graphql(way, '{ executions(first: 100) { edges { node { id } } } }', (data) =>
        JSON.stringify(data).includes(`"${id}"`),
      ),
    // A list has only the caller's tenant; an execution without a tenant is found by its id.
    expected: (caller, execution) =>
      caller.tenant === execution.tenant ? onlyGranted(mayRead(caller, execution)) : 'hidden',
    acceptsToken: true,
  },
  'children of its parent': {
    send: (way, { id }) =>
      graphql(
        way,
        '{ execution(kind: AGENT, id: "open-parent") { children { edges { node { id } } } } }',
        (data) => JSON.stringify(data).includes(`"${id}"`),
      ),
    // The parent is itself an execution, without a tenant.
    expected: (caller, execution) => {
      const parent = mayRead(caller, { id: 'open-parent' });
      return parent === 'granted' ? onlyGranted(mayRead(caller, execution)) : parent;
    },
    acceptsToken: true,
  },
  'parent of its child': {
    send: (way, { id }) =>
      graphql(way, `{ execution(kind: TASK, id: "${id}.child") { parent { id } } }`, (data) =>
        JSON.stringify(data).includes(`"${id}"`),
      ),
    expected: (caller, { isAbsent, ...execution }) => {
      const child = isAbsent ? 'hidden' : mayRead(caller, { id: `${execution.id}.child` });
      return child === 'granted' ? onlyGranted(mayRead(caller, execution)) : child;
    },
    acceptsToken: true,
  },
  'agentStream by GET': {
    send: (way, { id }) => stream(graphqlPath(subscription(id)), way, id),
    expected: mayRead,
    acceptsToken: true,
  },
  'agentStream by POST': {
    send: (way, { id }) => stream('/graphql', way, id, { query: subscription(id) }),
    expected: mayRead,
  },
  'agentStream at /graphql/stream': {
    send: (way, { id }) => stream('/graphql/stream', way, id, { query: subscription(id) }),
    expected: mayRead,
  },
  createStreamToken: {
    send: (way, { id }) =>
      graphql(way, `mutation { createStreamToken(executions: ["${id}"]) { token } }`, Boolean, 'POST'),
    expected: (caller, execution) => (caller.by === 'cookie' ? 'denied' : mayRead(caller, execution)),
  },
  'POST stream-tokens': {
    send: async (way, { id }) => {
      const body = JSON.stringify({ executions: [id] });
      return byStatus(await send('/api/v0/stream-tokens', way, { method: 'POST', body }));
    },
    expected: (caller, execution) => (caller.by === 'cookie' ? 'denied' : mayRead(caller, execution)),
  },
  'PUT, naming the tenant only without one': {
    send: async (way, execution, caller) =>
      byStatus(await put(way, execution, caller.tenant === undefined ? execution.tenant : undefined)),
    expected: mayBegin,
  },
  "PUT, naming the execution's tenant": {
    send: async (way, execution) => byStatus(await put(way, execution, execution.tenant)),
    expected: (caller, execution) => {
      const isOther = caller.tenant && execution.tenant && caller.tenant !== execution.tenant;
      return isOther ? 'denied' : mayBegin(caller, execution);
    },
  },
  'POST events': {
    send: async (way, { id }) => {
      const headers = { 'publisher-token': 'not-it', 'idempotency-key': 'k' };
      const body = '{"events":[]}';
      return byStatus(await send(`${REST}/${id}/events`, way, { method: 'POST', body, headers }));
    },
    expected: mayAppend,
  },
};

test('every caller gets the response that the rules require, on every path of every execution', async () => {
  const expected: Record<string, Outcome> = {};
  const actual: Record<string, Outcome> = {};
  for (const caller of CALLERS) {
    const way = await wayOf(caller);
    const isKnown = caller.by !== 'none' && caller.by !== 'wrong';
    for (const execution of EXECUTIONS) {
      for (const [name, path] of Object.entries(PATHS)) {
        // Beginning an absent execution would create it; the tests of publishing cover that.
        if (execution.isAbsent && name.startsWith('PUT')) continue;
        const row = `${caller.name} | ${execution.id} | ${name}`;
        const isAuthenticated = isKnown && (caller.by !== 'access_token' || path.acceptsToken);
        expected[row] = isAuthenticated ? path.expected(caller, execution) : 'unauthenticated';
        actual[row] = await path.send(way, execution, caller);
      }
    }
  }
  expect(actual).toEqual(expected);
  const counts = Object.values(actual).map((outcome) => [outcome, 0] as const);
  const byOutcome: Record<string, number> = Object.fromEntries(counts);
  for (const outcome of Object.values(actual)) byOutcome[outcome]! += 1;
  console.log(`permissions: ${Object.keys(actual).length} requests, all as expected`, byOutcome);
}, 60_000);
