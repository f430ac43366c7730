// Requests that matter in pairs: reused keys, and hidden ids compared with unknown ones. Also forms, parents of another
// tenant and cursors of lists.
import fc from 'fast-check';
import type { World } from '../world.ts';
import { type HostileInput, requestBytes } from './input.ts';
import { encode, hostileJson, hostileText } from './text.ts';

const QUERY = 'query($id:ID!,$kind:ExecutionKind!){execution(kind:$kind,id:$id){id}}';

/** Forms as HTML sends them, with variables that are not an object, not JSON, or missing. */
function forms(world: World): fc.Arbitrary<HostileInput> {
  const bad = fc.oneof(
    fc.constantFrom(
      ...[
        '',
        '{',
        '}',
        '[]',
        '[1]',
        'null',
        '1',
        'true',
        '"x"',
        'NaN',
        'undefined',
        '{"id":}',
        "{'id':1}",
        '%zz',
        '%',
      ],
      ...[
        '{"id":"acme-live","kind":"AGENT"}',
        '{"__proto__":{"id":1}}',
        '%7B%22id%22%3A',
        '\0',
        '+',
        '{}&variables=[]',
      ],
      `${'['.repeat(20_000)}`,
      `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
    ),
    hostileJson.filter((text) => text.length < 50_000).map(encode),
  );
  return fc
    .tuple(
      bad,
      bad,
      fc.constantFrom('variables', 'extensions', 'operationName', 'query', 'more'),
      fc.boolean(),
    )
    .map(([variables, more, name, hasQuery]) => ({
      kind: 'form',
      api: 'graphql',
      pieces: [
        requestBytes({
          path: '/graphql',
          headers: {
            ...{ Authorization: `Bearer ${world.jwt}`, Accept: 'application/json' },
            'Content-Type': 'application/x-www-form-urlencoded',
          },
          body: `${hasQuery ? `query=${encode(QUERY)}&` : ''}variables=${variables}&${name}=${more}`.slice(
            0,
            120_000,
          ),
        }),
      ],
    }));
}

/** Another body under the key of an accepted batch: its events must not be dropped with a 200. */
function reusedKeys(world: World): fc.Arbitrary<HostileInput> {
  const events = fc.constantFrom(
    '[{"type":"llm_chunk","data":{"content":"one"}}]',
    '[{"type":"llm_chunk","data":{"content":"two"}}]',
    '[{"type":"warning","data":{"code":"C","message":"m"}}]',
    '[{"type":"llm_chunk","data":{"content":"one"}},{"type":"llm_chunk","data":{"content":"two"}}]',
  );
  return fc
    .tuple(events, events, fc.uuid(), fc.boolean())
    .filter(([first, second]) => first !== second)
    .map(([first, second, key, isSlow]) => {
      const { path, token } = world.published[0]!;
      const headers = {
        ...{ Authorization: `Bearer ${world.jwt}`, 'Content-Type': 'application/json' },
        ...{ 'Idempotency-Key': key, 'Publisher-Token': token },
      };
      const request = (body: string, isLast: boolean) =>
        requestBytes({
          path: `/api/v0/executions/${path}/events`,
          headers,
          body: `{"events":${body}}`,
          isLast,
        });
      const [one, two] = [request(first, false), request(second, true)];
      return {
        kind: 'reused key',
        api: 'rest',
        pieces: isSlow ? [one, two] : [Buffer.concat([one, two])],
        maxResponses: 2,
        expects: (statuses) =>
          statuses.length === 2 && statuses.every((status) => status === 200)
            ? 'another body under the same Idempotency-Key got a 200'
            : undefined,
      };
    });
}

/** Begins a child of an execution of another tenant, and reads its state. */
function parents(world: World): fc.Arbitrary<HostileInput> {
  return fc
    .tuple(
      fc.constantFrom(...world.foreign),
      fc.nat({ max: 9_999 }),
      fc.constantFrom('agents', 'tasks', 'workflows'),
    )
    .map(([path, n, plural]) => {
      const headers = { Authorization: `Bearer ${world.jwt}`, 'Content-Type': 'application/json' };
      const id = `acme-child-${n}`;
      const parentId = path.split('/')[1];
      const begin = requestBytes({
        ...{ method: 'PUT', path: `/api/v0/executions/${plural}/${id}`, headers, isLast: false },
        body: JSON.stringify({ mode: 'TEXT', parentId }),
      });
      const read = requestBytes({
        ...{ path: `/api/v0/executions/${plural}/${id}`, headers },
      });
      return {
        kind: "another tenant's parent",
        api: 'rest',
        pieces: [begin, read],
        maxResponses: 2,
        expects: ([status]) => (status === 201 ? 'a parent of another tenant was accepted' : undefined),
      };
    });
}

const cursor = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...[
        '',
        ' ',
        '0',
        '-1',
        'null',
        'acme-live',
        'acme-done',
        '1-k3f9ab01zz',
        '=',
        '====',
        'AAAA',
        '%00',
        '\0',
        '🌊',
      ],
      ...[
        'W10=',
        'W10',
        'e30=',
        'bnVsbA==',
        'WzEsMl0=',
        '-_-_',
        '+/+/',
        'a'.repeat(5_000),
        `${'A'.repeat(3_000)}==`,
      ],
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.oneof(
          fc.constantFrom<unknown>(
            ...[
              'globex-live',
              'acme-live',
              ['2026-11-28T00:00:00.000Z', 'globex-live'],
              [0, 'globex-live'],
              [null, null],
            ],
            ...[
              { startedAt: '2026-11-28T00:00:00.000Z', id: 'globex-live' },
              { startedAt: 1e308, id: '' },
              {},
              [],
              null,
            ],
            ...[
              { startedAt: '+275760-09-13T00:00:00.000Z', id: 'x' },
              { startedAt: {}, id: [] },
              ["' OR 1=1 --", 1],
            ],
          ),
          hostileText,
        ),
        fc.constantFrom<BufferEncoding>('base64', 'base64url', 'hex'),
      )
      .map(([value, encoding]) =>
        Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString(encoding),
      ),
  },
  { weight: 2, arbitrary: hostileText },
);

const LISTS: readonly ((after: string) => string)[] = [
  (after) =>
    `{executions(first:5,after:${after}){edges{cursor node{id name}} pageInfo{endCursor hasNextPage}}}`,
  (after) => `{executions(first:100,after:${after},kind:AGENT,status:RUNNING){edges{node{id}}}}`,
  (after) =>
    `{execution(kind:WORKFLOW,id:"acme-flow"){children(first:5,after:${after}){edges{cursor node{id name}}}}}`,
];

const queryRequest = (jwt: string, query: string, isLast = true) =>
  requestBytes({
    path: '/graphql',
    headers: {
      ...{ Authorization: `Bearer ${jwt}`, 'Content-Type': 'application/json' },
      Accept: 'application/json',
    },
    body: JSON.stringify({ query }),
    isLast,
  });

function cursors(world: World): fc.Arbitrary<HostileInput> {
  return fc.tuple(cursor, fc.constantFrom(...LISTS)).map(([after, list]) => ({
    kind: 'list cursor',
    api: 'graphql',
    pieces: [queryRequest(world.jwt, list(JSON.stringify(after)))],
  }));
}

/**
 * Requests the id of an execution that is hidden from the caller, by tenant or by claim, and an unknown id of the same
 * length: the responses must be identical.
 */
function oracles(world: World): fc.Arbitrary<HostileInput> {
  const idOf = (path: string) => path.split('/')[1]!;
  return fc
    .tuple(
      fc.oneof(
        fc.constantFrom(...world.foreign).map((path) => ({ jwt: world.jwt, hidden: idOf(path) })),
        fc.constantFrom(...world.own.slice(1)).map((path) => ({ jwt: world.limitedJwt, hidden: idOf(path) })),
      ),
      fc.constantFrom<(id: string) => string>(
        (id) => LISTS[0]!(JSON.stringify(id)),
        (id) => LISTS[2]!(JSON.stringify(id)),
        (id) => LISTS[0]!(JSON.stringify(Buffer.from(id).toString('base64'))),
        (id) => `{execution(kind:AGENT,id:"${id}"){id}}`,
        (id) => `mutation{createStreamToken(executions:["${id}"]){expiresAt}}`,
      ),
    )
    .map(([{ jwt, hidden }, make]) => {
      const unknown = `${hidden.slice(0, -1)}0`;
      const shown = (body: string) => {
        let text = body;
        for (const id of [hidden, unknown]) {
          text = text.replaceAll(id, 'ID').replaceAll(Buffer.from(id).toString('base64'), 'ID');
        }
        return text;
      };
      return {
        kind: 'oracle',
        api: 'graphql',
        pieces: [queryRequest(jwt, make(hidden), false), queryRequest(jwt, make(unknown))],
        maxResponses: 2,
        expects: (statuses, bodies) => {
          if (statuses.length < 2 || statuses.includes(429)) return undefined;
          const [a, b] = bodies.map(shown);
          return a === b && statuses[0] === statuses[1]
            ? undefined
            : `distinguishes hidden ids from unknown ones: ${a!.slice(0, 200)} / ${b!.slice(0, 200)}`;
        },
      };
    });
}

export function pairs(world: World): fc.Arbitrary<HostileInput> {
  return fc.oneof(
    { weight: 3, arbitrary: forms(world) },
    { weight: 2, arbitrary: reusedKeys(world) },
    { weight: 2, arbitrary: parents(world) },
    { weight: 3, arbitrary: cursors(world) },
    { weight: 1, arbitrary: oracles(world) },
  );
}
