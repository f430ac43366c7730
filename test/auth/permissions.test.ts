// The generated table of (caller × execution × path) permissions, each requested from a server over HTTP.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { directLog, graphqlPath } from '../support/app.ts';
import { openSse } from '../support/sse.ts';
import {
  type Answer,
  CALLERS,
  EXECUTIONS,
  mayAppend,
  mayBegin,
  mayRead,
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

/** How a caller goes about a request. */
interface Way {
  readonly headers: Record<string, string>;
  /** Stands in the URL of each request. */
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

function ask(path: string, way: Way, init: RequestInit = {}): Promise<Response> {
  return fetch(urlOf(path, way), { ...init, headers: { ...way.headers, ...(init.headers as object) } });
}

function urlOf(path: string, { accessToken }: Way): string {
  const url = new URL(path, app.url);
  if (accessToken) url.searchParams.set('access_token', accessToken);
  return url.href;
}

const BY_STATUS: Record<number, Answer> = {
  200: 'granted',
  201: 'granted',
  // Past the permission: another publisher has it.
  409: 'granted',
  401: 'unauthenticated',
  403: 'denied',
  404: 'hidden',
};
const BY_CODE: Record<string, Answer> = {
  UNAUTHENTICATED: 'unauthenticated',
  FORBIDDEN: 'denied',
  NOT_FOUND: 'hidden',
};
const byStatus = ({ status }: { status: number }): Answer => BY_STATUS[status] ?? (`${status}` as Answer);

interface Result {
  data?: Record<string, unknown> | null;
  errors?: { extensions: { code: string } }[];
}

/** What a GraphQL operation answers: `shown` looks for the execution in its data. */
async function graphql(
  way: Way,
  query: string,
  shown: (data: never) => boolean,
  method = 'GET',
): Promise<Answer> {
  const body = JSON.stringify({ query });
  const response = await (method === 'GET'
    ? ask(graphqlPath(query), way)
    : ask('/graphql', way, { method, body, headers: { 'content-type': 'application/json' } }));
  const { data, errors } = (await response.json()) as Result;
  if (errors) return BY_CODE[errors[0]!.extensions.code]!;
  return shown(data as never) ? 'granted' : 'hidden';
}

/** What a stream answers with its first message. */
async function stream(path: string, way: Way, id: string, body?: object): Promise<Answer> {
  using opened = await openSse(urlOf(path, way), { headers: way.headers, ...(body && { body }) });
  if (opened.status !== 200) return byStatus(opened);
  await opened.until(() => opened.frames.length > 0, 'a message');
  const { data } = opened.frames[0]!;
  if (data.includes(`inside of ${id}`)) return 'granted';
  return BY_CODE[(JSON.parse(data) as Result).errors![0]!.extensions.code]!;
}

interface Path {
  readonly ask: (way: Way, execution: TableExecution, caller: TableCaller) => Promise<Answer>;
  readonly expected: (caller: TableCaller, execution: TableExecution) => Answer;
  /** Whether `?access_token=` is taken here. */
  readonly takesToken?: true;
}

const REST = '/api/v0/executions/agents';
const subscription = (id: string) => `subscription { agentStream(id: "${id}") { data } }`;
const onlyGranted = (answer: Answer): Answer => (answer === 'granted' ? 'granted' : 'hidden');
const put = (way: Way, { id }: TableExecution, tenant?: string) =>
  ask(`${REST}/${id}`, way, { method: 'PUT', body: JSON.stringify({ mode: 'TEXT', attempt: 1, tenant }) });

const PATHS: Record<string, Path> = {
  'GET state': { ask: async (way, { id }) => byStatus(await ask(`${REST}/${id}`, way)), expected: mayRead },
  'GET state, of another kind': {
    ask: async (way, { id }) => byStatus(await ask(`/api/v0/executions/tasks/${id}`, way)),
    expected: () => 'hidden',
  },
  'GET stream': {
    ask: (way, { id }) => stream(`${REST}/${id}/stream`, way, id),
    expected: mayRead,
    takesToken: true,
  },
  'GET stream, replayed': {
    ask: (way, { id }) => stream(`${REST}/${id}/stream?last_event_id=0`, way, id),
    expected: mayRead,
    takesToken: true,
  },
  execution: {
    ask: (way, { id }) =>
      graphql(way, `{ execution(kind: AGENT, id: "${id}") { id } }`, (data: { execution: object }) =>
        Boolean(data.execution),
      ),
    expected: mayRead,
    takesToken: true,
  },
  executions: {
    ask: (way, { id }) =>
      graphql(way, '{ executions(first: 100) { edges { node { id } } } }', (data) =>
        JSON.stringify(data).includes(`"${id}"`),
      ),
    // A list is of the caller's tenant: what has none is found by its id.
    expected: (caller, execution) =>
      caller.tenant === execution.tenant ? onlyGranted(mayRead(caller, execution)) : 'hidden',
    takesToken: true,
  },
  'children of its parent': {
    ask: (way, { id }) =>
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
    takesToken: true,
  },
  'parent of its child': {
    ask: (way, { id }) =>
      graphql(way, `{ execution(kind: TASK, id: "${id}.child") { parent { id } } }`, (data) =>
        JSON.stringify(data).includes(`"${id}"`),
      ),
    expected: (caller, { isAbsent, ...execution }) => {
      const child = isAbsent ? 'hidden' : mayRead(caller, { id: `${execution.id}.child` });
      return child === 'granted' ? onlyGranted(mayRead(caller, execution)) : child;
    },
    takesToken: true,
  },
  'agentStream by GET': {
    ask: (way, { id }) => stream(graphqlPath(subscription(id)), way, id),
    expected: mayRead,
    takesToken: true,
  },
  'agentStream by POST': {
    ask: (way, { id }) => stream('/graphql', way, id, { query: subscription(id) }),
    expected: mayRead,
  },
  'agentStream at /graphql/stream': {
    ask: (way, { id }) => stream('/graphql/stream', way, id, { query: subscription(id) }),
    expected: mayRead,
  },
  createStreamToken: {
    ask: (way, { id }) =>
      graphql(way, `mutation { createStreamToken(executions: ["${id}"]) { token } }`, Boolean, 'POST'),
    expected: (caller, execution) => (caller.by === 'cookie' ? 'denied' : mayRead(caller, execution)),
  },
  'POST stream-tokens': {
    ask: async (way, { id }) => {
      const body = JSON.stringify({ executions: [id] });
      return byStatus(await ask('/api/v0/stream-tokens', way, { method: 'POST', body }));
    },
    expected: (caller, execution) => (caller.by === 'cookie' ? 'denied' : mayRead(caller, execution)),
  },
  'PUT, naming the tenant only without one': {
    ask: async (way, execution, caller) =>
      byStatus(await put(way, execution, caller.tenant === undefined ? execution.tenant : undefined)),
    expected: mayBegin,
  },
  "PUT, naming the execution's tenant": {
    ask: async (way, execution) => byStatus(await put(way, execution, execution.tenant)),
    expected: (caller, execution) => {
      const isOther = caller.tenant && execution.tenant && caller.tenant !== execution.tenant;
      return isOther ? 'denied' : mayBegin(caller, execution);
    },
  },
  'POST events': {
    ask: async (way, { id }) => {
      const headers = { 'publisher-token': 'not-it', 'idempotency-key': 'k' };
      const body = '{"events":[]}';
      return byStatus(await ask(`${REST}/${id}/events`, way, { method: 'POST', body, headers }));
    },
    expected: mayAppend,
  },
};

test('every caller gets on every path of every execution what the rules say', async () => {
  const expected: Record<string, Answer> = {};
  const actual: Record<string, Answer> = {};
  for (const caller of CALLERS) {
    const way = await wayOf(caller);
    const isKnown = caller.by !== 'none' && caller.by !== 'wrong';
    for (const execution of EXECUTIONS) {
      for (const [name, path] of Object.entries(PATHS)) {
        // To begin what is not there makes it; that is for the suite of publishing.
        if (execution.isAbsent && name.startsWith('PUT')) continue;
        const row = `${caller.name} | ${execution.id} | ${name}`;
        const isLetIn = isKnown && (caller.by !== 'access_token' || path.takesToken);
        expected[row] = isLetIn ? path.expected(caller, execution) : 'unauthenticated';
        actual[row] = await path.ask(way, execution, caller);
      }
    }
  }
  expect(actual).toEqual(expected);
  const counts = Object.values(actual).map((answer) => [answer, 0] as const);
  const byAnswer: Record<string, number> = Object.fromEntries(counts);
  for (const answer of Object.values(actual)) byAnswer[answer]! += 1;
  console.log(`permissions: ${Object.keys(actual).length} asked, all as expected`, byAnswer);
}, 60_000);
