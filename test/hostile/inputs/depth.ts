// Deeply nested JSON in the fields of otherwise well-formed requests, in every kind of body.
import fc from 'fast-check';
import type { World } from '../world.ts';
import { type HostileInput, requestBytes } from './input.ts';
import { encode } from './text.ts';

/** Around the documented limit, and up to the size limit of a body. */
const DEPTHS = [100, 127, 128, 129, 500, 2_400, 10_000, 50_000, 100_000];
const SHAPES = [
  ['[', ']'],
  ['{"a":', '}'],
  ['[{"a":', '}]'],
  ['[0,', ']'],
  ['{"b":{},"a":[', ']}'],
] as const;

const nested = fc
  .tuple(fc.constantFrom(...DEPTHS), fc.constantFrom(...SHAPES), fc.constantFrom('1', '[]', '{}', '"x"'))
  .map(([depth, [open, close], inner]) => open.repeat(depth) + inner + close.repeat(depth));

const BEGIN_FIELDS = [
  ...['mode', 'attempt', 'name', 'agentId', 'taskId', 'action', 'parentId', 'input', 'tenant', 'more'],
];

/** Bodies of a batch of events. */
const batch = fc
  .tuple(
    fc.constantFrom<(value: string) => string>(
      (value) => value,
      (value) => `[${value}]`,
      (value) => `[{"type":${value},"data":{"content":"x"}}]`,
      (value) => `[{"type":"llm_chunk","data":${value}}]`,
      (value) => `[{"type":"llm_chunk","data":{"content":${value}}}]`,
      (value) => `[{"type":"llm_chunk","data":{"content":"x"},"ts":${value}}]`,
      (value) => `[{"type":"llm_chunk","data":{"content":"x","more":${value}}}]`,
      (value) => `[{"type":"warning","data":{"code":"C","message":${value}}}]`,
      (value) =>
        `[{"type":"tool_call","data":{"toolCallId":"t","toolName":"n","status":"started","args":${value}}}]`,
      (value) =>
        `[{"type":"tool_call","data":{"toolCallId":"t","toolName":"n","status":"succeeded","result":${value}}}]`,
      (value) => `[{"type":"structured_delta","data":{"patch":${value}}}]`,
      (value) => `[{"type":"structured_delta","data":{"patch":[${value}]}}]`,
      (value) => `[{"type":"structured_delta","data":{"patch":[{"op":"add","path":"","value":${value}}]}}]`,
      (value) => `[{"type":"structured_delta","data":{"patch":[{"op":"test","path":"","value":${value}}]}}]`,
      (value) => `[{"type":"structured_delta","data":{"patch":[{"op":"add","path":${value},"value":1}]}}]`,
      (value) => `[{"type":"complete","data":{"result":${value}}}]`,
      (value) => `[{"type":"complete","data":{"usage":${value}}}]`,
      (value) => `[{"type":"error","data":{"status":"FAILED","message":"m","usage":${value}}}]`,
      (value) => `[{"type":"gap","data":{"fromSeq":1,"toSeq":1,"value":${value}}}]`,
    ),
    nested,
  )
  .map(([make, value]) => `{"events":${make(value)}}`);

const QUERY = JSON.stringify('query($id:ID!,$kind:ExecutionKind!){execution(kind:$kind,id:$id){id}}');
const graphqlBody = fc
  .tuple(
    fc.constantFrom<(value: string) => string>(
      (value) => `{"query":${value}}`,
      (value) => `{"query":${QUERY},"variables":${value}}`,
      (value) => `{"query":${QUERY},"variables":{"kind":"AGENT","id":${value}}}`,
      (value) => `{"query":${QUERY},"variables":{"kind":${value},"id":"acme-live"}}`,
      (value) => `{"query":"{__typename}","variables":{"more":${value}}}`,
      (value) => `{"query":"{__typename}","extensions":${value}}`,
      (value) => `{"query":"{__typename}","extensions":{"more":${value}}}`,
      (value) => `{"query":"{__typename}","operationName":${value}}`,
      (value) => `{"query":"{__typename}","more":${value}}`,
      (value) =>
        `{"query":"subscription($e:[EventType!]){agentStream(id:\\"acme-live\\",events:$e){id}}","variables":{"e":${value}}}`,
    ),
    nested,
  )
  .map(([make, value]) => make(value));

export function depth(world: World): fc.Arbitrary<HostileInput> {
  const json = { Authorization: `Bearer ${world.jwt}`, 'Content-Type': 'application/json' };
  const rest = (method: string, path: string, body: string, headers = {}): HostileInput => ({
    kind: 'nested json',
    api: 'rest',
    pieces: [requestBytes({ method, path, body, headers: { ...json, ...headers } })],
  });

  const beginning = fc
    .tuple(fc.constantFrom(...BEGIN_FIELDS), nested, fc.nat({ max: 99 }))
    .map(([field, value, n]) =>
      rest('PUT', `/api/v0/executions/agents/acme-nested-${n}`, `{"mode":"TEXT","${field}":${value}}`),
    );
  const appending = fc.tuple(fc.nat({ max: 1 }), batch, fc.uuid()).map(([which, body, key]) => {
    const { path, token } = world.published[which]!;
    const headers = { 'Idempotency-Key': key, 'Publisher-Token': token };
    return rest('POST', `/api/v0/executions/${path}/events`, body, headers);
  });
  const tokens = fc
    .tuple(fc.constantFrom('executions', 'cookie', 'token', 'more'), nested, fc.constantFrom('', '/revoke'))
    .map(([field, value, end]) =>
      rest('POST', `/api/v0/stream-tokens${end}`, `{"executions":["acme-live"],"${field}":${value}}`),
    );
  const graphql = (contentType: string, accept: string, body: string): HostileInput => {
    const headers = { ...json, 'Content-Type': contentType, Accept: accept };
    return {
      kind: 'nested json',
      api: 'graphql',
      pieces: [requestBytes({ path: '/graphql', body, headers })],
    };
  };
  const query = fc
    .tuple(graphqlBody, fc.constantFrom('application/json', 'text/event-stream'))
    .map(([body, accept]) => graphql('application/json', accept, body));
  const form = fc
    .tuple(nested, fc.constantFrom('variables', 'extensions'))
    .map(([value, field]) =>
      graphql(
        'application/x-www-form-urlencoded',
        'application/json',
        `query=${encode(JSON.parse(QUERY))}&${field}=${encode(value)}`,
      ),
    );

  return fc.oneof(
    { weight: 4, arbitrary: appending },
    { weight: 2, arbitrary: beginning },
    { weight: 2, arbitrary: query },
    { weight: 1, arbitrary: form },
    { weight: 1, arbitrary: tokens },
  );
}
