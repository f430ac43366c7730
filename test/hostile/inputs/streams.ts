// REST's paths and streams: ids, cursors, `events`, `poll_ms`, and executions of another tenant.
import fc from 'fast-check';
import type { World } from '../world.ts';
import { type HostileInput, requestBytes } from './input.ts';
import { asHeader, encode, hostileText, queryValue, raw } from './text.ts';

const EXECUTIONS = '/api/v0/executions';

const cursor: fc.Arbitrary<string> = fc.oneof(
  hostileText,
  fc
    .tuple(
      fc.constantFrom('0', '1', '-1', '01', '1.5', '1e3', '9007199254740992', '٣', ' 1', '9'.repeat(400)),
      hostileText,
    )
    .map(([seq, epoch]) => `${seq}-${epoch}`),
  fc.stringMatching(/^\d{1,3}-[0-9a-z]{10,16}$/),
  fc.nat().map(String),
  fc.constantFrom(
    '0',
    '2',
    '1-0123456789',
    '0-',
    '-',
    '1-K3F9AB01ZZ',
    '1-k3f9ab01zz,2-k3f9ab01zz',
    '1-k3f9ab01zz-1',
  ),
);

const id: fc.Arbitrary<string> = fc.oneof(
  hostileText.map(encode),
  hostileText.map((text) => encode(encode(text))),
  hostileText.map((text) => raw(text).replaceAll('/', '%2F')),
  fc.stringMatching(/^[A-Za-z0-9._:~@+-]{1,220}$/),
);

const kind = fc.constantFrom('agents', 'tasks', 'workflows');

function pathInput(world: World): fc.Arbitrary<HostileInput> {
  const path = fc.oneof(
    fc
      .tuple(kind, id, fc.constantFrom('', '/stream', '/events'))
      .map(([k, i, end]) => `${EXECUTIONS}/${k}/${i}${end}`),
    fc.tuple(id, id).map(([k, i]) => `${EXECUTIONS}/${k}/${i}/stream`),
    fc.array(id, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`),
    id.map((name) => `/docs/${name}`),
    fc.constantFrom(
      '/docs/',
      '/docs/..%2f..%2fpackage.json',
      '/docs/%2e%2e/x',
      '/api/v0/',
      '//',
      '/graphql/..%2f/',
    ),
  );
  return fc
    .tuple(path, fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS', 'POST', 'PUT'))
    .map(([target, method]) => ({
      kind: 'path',
      api: target.startsWith('/graphql') ? 'graphql' : 'rest',
      pieces: [requestBytes({ method, path: target, headers: { Authorization: `Bearer ${world.jwt}` } })],
    }));
}

function streamInput(world: World): fc.Arbitrary<HostileInput> {
  return fc
    .record({
      path: fc.constantFrom(...world.own, 'agents/unknown', 'tasks/acme-live'),
      lastEventId: fc.option(cursor, { nil: undefined }),
      query: fc.array(
        fc.tuple(
          fc.constantFrom('events', 'poll_ms', 'last_event_id', 'access_token', '__proto__', 'x'),
          queryValue,
        ),
        { maxLength: 4 },
      ),
      events: fc.option(
        fc.array(fc.constantFrom('llm_chunk', 'gap', '', ' ', 'LLM_CHUNK', 'nope', '__proto__'), {
          maxLength: 300,
        }),
        {
          nil: undefined,
        },
      ),
      accept: fc.constantFrom(
        'text/event-stream',
        '*/*',
        '',
        'text/html',
        'text/event-stream;q=0',
        ','.repeat(2_000),
      ),
    })
    .map(({ path, lastEventId, query, events, accept }) => {
      const header = asHeader(lastEventId ?? '');
      const pairs = query.map(([name, value]) => `${name}=${value}`);
      if (events) pairs.push(`events=${encode(events.join(','))}`);
      return {
        kind: 'stream',
        api: 'rest',
        isBroken: header.isBroken,
        pieces: [
          requestBytes({
            path: `${EXECUTIONS}/${path}/stream?${pairs.join('&')}`,
            headers: {
              ...{ Authorization: `Bearer ${world.jwt}`, Accept: accept },
              ...(lastEventId !== undefined && { 'Last-Event-ID': header.value }),
            },
          }),
        ],
      };
    });
}

/** Every way to request an execution of tenant B with the credentials of tenant A. */
function foreignInput(world: World): fc.Arbitrary<HostileInput> {
  const fields =
    'id status name input result children(first: 3) { edges { node { id name } } } parent { id name result }';
  return fc
    .tuple(
      fc.constantFrom(...world.foreign),
      fc.constantFrom(
        'state',
        'stream',
        'token stream',
        'query',
        'subscription',
        'token',
        'begin',
        'append',
        'parent',
      ),
      cursor,
      fc.boolean(),
    )
    .map(([path, way, after, isEncoded]) => {
      const [plural, name = ''] = path.split('/');
      // The same id, percent-encoded.
      const shown = isEncoded ? [...name].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('') : name;
      const target = `${EXECUTIONS}/${plural}/${shown}`;
      const field = plural!.slice(0, -1);
      const auth = { Authorization: `Bearer ${world.jwt}` };
      const json = { ...auth, 'Content-Type': 'application/json' };
      const graphql = (query: string) =>
        requestBytes({
          path: '/graphql',
          headers: { ...json, Accept: 'text/event-stream' },
          body: JSON.stringify({ query }),
        });
      const stolen = world.stolen.find((published) => published.path === path)!;
      const ways: Record<string, () => Buffer> = {
        state: () => requestBytes({ path: target, headers: auth }),
        stream: () =>
          requestBytes({ path: `${target}/stream?last_event_id=${encode(after)}`, headers: auth }),
        'token stream': () => requestBytes({ path: `${target}/stream?access_token=${world.streamToken}` }),
        query: () =>
          graphql(
            `{ execution(kind: ${field.toUpperCase()}, id: "${name}") { ${fields} } executions(first: 50) { edges { node { ${fields} } } } }`,
          ),
        subscription: () =>
          graphql(
            `subscription { ${field}Stream(id: "${name}", after: ${JSON.stringify(after)}) { id data } }`,
          ),
        token: () =>
          requestBytes({
            path: '/api/v0/stream-tokens',
            headers: json,
            body: JSON.stringify({ executions: [name] }),
          }),
        begin: () =>
          requestBytes({ method: 'PUT', path: target, headers: json, body: '{"mode":"TEXT","attempt":9}' }),
        append: () =>
          requestBytes({
            path: `${target}/events`,
            headers: { ...json, 'Publisher-Token': stolen.token, 'Idempotency-Key': 'first' },
            body: '{"events":[{"type":"warning","data":{"code":"X","message":"x"}}]}',
          }),
        parent: () =>
          graphql(
            `{ executions(first: 50) { edges { node { parent { ${fields} } children(first: 5) { edges { node { ${fields} } } } } } } }`,
          ),
      };
      const api = ['query', 'subscription', 'parent'].includes(way) ? 'graphql' : 'rest';
      return { kind: 'another tenant', api, pieces: [ways[way]!()] };
    });
}

export function streams(world: World): fc.Arbitrary<HostileInput> {
  return fc.oneof(pathInput(world), streamInput(world), foreignInput(world));
}
