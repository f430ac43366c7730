// GraphQL: documents that are deep, wide, circular or invalid, and the parts of requests around them.
import fc from 'fast-check';
import type { World } from '../world.ts';
import { type HostileInput, requestBytes } from './input.ts';
import { encode, hostileJson, hostileText, hostileValue } from './text.ts';

const NODE = 'execution(kind: AGENT, id: "acme-live")';
const size = fc.constantFrom(1, 10, 100, 100, 1_000, 5_000);

const DIRECTIVE = '@include(if: true) ';

/** Documents for the limits of depth, aliases, tokens and cost. */
const large: fc.Arbitrary<string> = fc
  .tuple(
    size,
    fc.constantFrom<(n: number) => string>(
      (n) => `{ ${NODE} { ${'parent { '.repeat(n)} id ${'} '.repeat(n)} } }`,
      (n) => `{ ${NODE} { ${'children { edges { node { '.repeat(n)} id ${'} } } '.repeat(n)} } }`,
      (n) => `{ ${Array.from({ length: n }, (_, i) => `a${i}: ${NODE} { id name }`).join(' ')} }`,
      (n) => `{ ${'__typename '.repeat(n)} }`,
      (n) => `{ __typename ${DIRECTIVE.repeat(n)} }`,
      (n) => `{ __typename ${'@nope '.repeat(n)} }`,
      (n) => `{ ${NODE} { ${'...F '.repeat(n)} } } fragment F on Execution { id }`,
      (n) => `${Array.from({ length: n }, (_, i) => `query Q${i} { __typename }`).join(' ')}`,
      (n) => `query(${Array.from({ length: n }, (_, i) => `$v${i}: Int`).join(', ')}) { __typename }`,
      (n) => `{ a(x: ${'['.repeat(n)}1${']'.repeat(n)}) }`,
      (n) => `{ a(x: ${'{a: '.repeat(n)}1${'}'.repeat(n)}) }`,
      (n) => `{ __typename } # ${'x'.repeat(n * 20)}`,
      (n) => `{ execution(kind: AGENT, id: "${'x'.repeat(n * 20)}") { id } }`,
      (n) => `${'{ a '.repeat(n)}`,
      (n) =>
        `{ executions(first: ${n * 1_000}) { edges { node { id children(first: ${n}) { edges { node { id } } } } } } }`,
      (n) =>
        `{ __schema { ${'types { fields { type { '.repeat(Math.min(n, 8))} name ${'} } } '.repeat(Math.min(n, 8))} } }`,
    ),
  )
  .map(([n, make]) => make(n));

const twisted = fc.constantFrom(
  'query Q { ...A } fragment A on Query { ...B } fragment B on Query { ...A }',
  '{ ...A } fragment A on Query { ...A }',
  `{ ${NODE} { ...A } } fragment A on Execution { children { edges { node { ...A } } } parent { ...A } }`,
  '{ __type(name: "__proto__") { name } }',
  '{ __proto__ constructor: __typename }',
  '{ __proto__: __typename }',
  'subscription { a: agentStream(id: "acme-live") { id } b: agentStream(id: "acme-live") { id } }',
  'subscription { agentStream(id: "acme-live") { __proto__: data ... on Nope { id } } }',
  'subscription { ...S } fragment S on Subscription { taskStream(id: "acme-done") { data } ...S }',
  'subscription { __typename }',
  'subscription { agentStream(id: "acme-live", events: [], pollMs: 2147483648) { id } }',
  'subscription { agentStream(id: "acme-live", after: {a: 1}) { id } }',
  'subscription { agentStream(id: 99999999999999999999) { id } }',
  'mutation { a: createStreamToken(executions: []) { token } b: revokeStreamToken(token: "") }',
  'mutation { createStreamToken(executions: ["globex-live", "acme-live"]) { token } }',
  'query ($a: Nope!) { __typename }',
  '{ execution(kind: NOPE, id: "x") { id } }',
  '{ _service { sdl } a: _entities(representations: []) { __typename } }',
  '{ _entities(representations: [null, "x", 1, [], {}, {__typename: "Query"}, {__typename: "__proto__", id: "x"}]) { __typename } }',
  '{ _entities(representations: [{__typename: "Execution", id: "globex-live"}, {__typename: "Execution", id: {}}]) { ... on Execution { id } } }',
  '{ executions(first: -1, after: "%%%") { edges { cursor } } }',
  '{ executions(first: 1.5) { edges { cursor } } }',
  '{ executions(after: "MTp4") { edges { cursor node { children(first: 0, after: "") { edges { cursor } } } } } }',
  'type Query { a: Int }',
  'extend schema { query: Query }',
  '{ __typename @defer @stream @skip }',
  '"""\n',
  '\ufeff{ __typename }',
);

const document = fc.oneof(
  { weight: 3, arbitrary: large },
  { weight: 4, arbitrary: twisted },
  { weight: 2, arbitrary: hostileText },
);

const QUERY = 'query ($id: ID!, $kind: ExecutionKind!) { execution(kind: $kind, id: $id) { id } }';
const WATCH =
  'subscription ($id: ID!, $after: Cursor, $events: [EventType!], $pollMs: Int) { agentStream(id: $id, after: $after, events: $events, pollMs: $pollMs) { id } }';

const ENTITIES =
  'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Execution { id children { edges { node { id } } } } } }';

/** References to entities, valid ones included. */
const references = fc.record({
  r: fc.oneof(
    hostileValue,
    fc.array(fc.record({ __typename: fc.constant('Execution'), id: hostileValue }), { maxLength: 2_000 }),
  ),
});

const variables = fc.oneof(
  hostileValue,
  fc.dictionary(fc.constantFrom('id', 'after', 'events', 'pollMs', 'kind', '__proto__'), hostileValue),
);

/** Complete bodies: of a request, of a batch, or invalid ones. */
const body = fc.oneof(
  { weight: 4, arbitrary: document.map((query) => JSON.stringify({ query })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(QUERY, WATCH), variables)
      .map(([query, values]) => JSON.stringify({ query, variables: values })),
  },
  {
    weight: 1,
    arbitrary: references.map((values) => JSON.stringify({ query: ENTITIES, variables: values })),
  },
  {
    weight: 1,
    arbitrary: hostileValue.map((persistedQuery) => JSON.stringify({ extensions: { persistedQuery } })),
  },
  {
    weight: 3,
    arbitrary: fc
      .record(
        {
          query: hostileValue,
          variables: hostileValue,
          operationName: hostileValue,
          extensions: hostileValue,
        },
        { requiredKeys: [] },
      )
      .map((value) => JSON.stringify(value)),
  },
  { weight: 2, arbitrary: hostileJson },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(0, 1, 2, 50, 3_000)
      .map((count) => JSON.stringify(Array.from({ length: count }, () => ({ query: '{ __typename }' })))),
  },
  { weight: 1, arbitrary: fc.constant(`query=${encode('{ __typename }')}`) },
);

const MULTIPART = [
  '--b\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{"query":"{ __typename }","variables":{"f":null}}\r\n',
  '--b\r\nContent-Disposition: form-data; name="map"\r\n\r\n{"0":["variables.f","__proto__.x","query"]}\r\n',
  '--b\r\nContent-Disposition: form-data; name="0"; filename="../../x"\r\n\r\nhello\r\n--b--\r\n',
];

const TYPES = [
  ...[
    'application/json',
    'application/json',
    'application/json',
    'application/json; charset=utf-16',
    'text/plain',
  ],
  ...[
    'application/graphql',
    'application/x-www-form-urlencoded',
    'application/graphql+json',
    '',
    'a',
    'x/y; z="',
  ],
  ...[
    'multipart/form-data; boundary=b',
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'application/xml',
  ],
];
const ACCEPTS = [
  ...[
    'application/json',
    '*/*',
    'text/event-stream',
    'text/event-stream',
    'application/graphql-response+json',
  ],
  ...['text/html', 'multipart/mixed', 'image/png', '', ';;;', 'text/event-stream;q=-1'],
];

function posted(world: World): fc.Arbitrary<HostileInput> {
  return fc
    .tuple(
      body,
      fc.constantFrom(...TYPES),
      fc.constantFrom(...ACCEPTS),
      fc.constantFrom('POST', 'POST', 'POST', 'PUT', 'DELETE'),
    )
    .map(([text, type, accept, method]) => {
      const headers = { Authorization: `Bearer ${world.jwt}`, 'Content-Type': type, Accept: accept };
      const sent =
        type.startsWith('multipart') && text.length % 2 ? MULTIPART.slice(text.length % 3).join('') : text;
      return {
        kind: 'graphql',
        api: 'graphql',
        pieces: [requestBytes({ method, path: '/graphql', headers, body: sent })],
      };
    });
}

function byGet(world: World): fc.Arbitrary<HostileInput> {
  const short = document.filter((text) => text.length < 2_000);
  return fc
    .tuple(
      short,
      fc.array(fc.tuple(fc.constantFrom('variables', 'extensions', 'operationName', 'query'), hostileJson)),
      fc.constantFrom(...ACCEPTS),
    )
    .map(([query, pairs, accept]) => {
      const parameters = [['query', query] as const, ...pairs].map(
        ([name, text]) => `${name}=${encode(text.slice(0, 2_000))}`,
      );
      const headers = { Authorization: `Bearer ${world.jwt}`, Accept: accept };
      const bytes = requestBytes({ path: `/graphql?${parameters.join('&')}`, headers });
      return { kind: 'graphql by GET', api: 'graphql', pieces: [bytes] };
    });
}

/** Single connection mode: unknown reservations and operations. */
function singleConnection(world: World): fc.Arbitrary<HostileInput> {
  const token = fc.oneof(
    hostileText,
    fc.uuid(),
    fc.stringMatching(/^[\w-]{43}$/).map((text) => `${text}.x`),
  );
  return fc
    .tuple(
      fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD'),
      fc.option(token, { nil: undefined }),
      hostileText,
      fc.boolean(),
      fc.oneof(
        body,
        document.map((query) => JSON.stringify({ query, extensions: { operationId: '__proto__' } })),
      ),
      fc.constantFrom(
        '/graphql/stream',
        '/graphql/stream/',
        '/graphql/stream/x',
        '/graphql/',
        '/graphql/nope',
      ),
    )
    .map(([method, reservation, operationId, inHeader, text, path]) => {
      const shown = reservation === undefined ? '' : encode(reservation);
      const pairs = [
        `operationId=${encode(operationId)}`,
        ...(reservation !== undefined && !inHeader ? [`token=${shown}`] : []),
      ];
      const headers = {
        ...{
          Authorization: `Bearer ${world.jwt}`,
          'Content-Type': 'application/json',
          Accept: 'text/event-stream',
        },
        ...(reservation !== undefined && inHeader && { 'X-GraphQL-Event-Stream-Token': shown }),
      };
      const sent = method === 'POST' ? { body: text } : {};
      const bytes = requestBytes({ method, path: `${path}?${pairs.join('&')}`, headers, ...sent });
      return { kind: 'single connection', api: 'graphql', pieces: [bytes] };
    });
}

export function graphql(world: World): fc.Arbitrary<HostileInput> {
  return fc.oneof(
    { weight: 3, arbitrary: posted(world) },
    { weight: 1, arbitrary: byGet(world) },
    { weight: 1, arbitrary: singleConnection(world) },
  );
}
