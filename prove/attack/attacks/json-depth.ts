// Group 9: nested JSON in every field of every kind of request body.
import type { Attack, AttackContext, Publication } from '../attack.ts';

const DEPTHS = [500, 2_400, 5_000, 20_000, 50_000];
/** The limit is 256 KiB for batches and 128 KiB for GraphQL. */
const MAX_GRAPHQL_BYTES = 120_000;

function nested(depth: number, turn: number): string {
  return turn % 2
    ? `${'['.repeat(depth)}1${']'.repeat(depth)}`
    : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
}

/** Bodies of a batch, with the nested value in one of their fields. */
const EVENTS: readonly ((value: string) => string)[] = [
  (value) =>
    `{"type":"tool_call","data":{"toolCallId":"t","toolName":"n","status":"started","args":${value}}}`,
  (value) =>
    `{"type":"tool_call","data":{"toolCallId":"t","toolName":"n","status":"failed","result":${value}}}`,
  (value) => `{"type":"structured_delta","data":{"patch":[{"op":"add","path":"","value":${value}}]}}`,
  (value) => `{"type":"structured_delta","data":{"patch":${value}}}`,
  (value) => `{"type":"complete","data":{"result":${value}}}`,
  (value) => `{"type":"complete","data":{"usage":${value}}}`,
  (value) => `{"type":"warning","data":{"code":"C","message":"m","more":${value}}}`,
  (value) => `{"type":"warning","data":${value}}`,
];

const QUERY = 'query($id:ID!,$kind:ExecutionKind!){execution(kind:$kind,id:$id){id}}';

let target: Publication;

function bodies(context: AttackContext): ((value: string, n: number) => Promise<unknown>)[] {
  const put = (body: string, n: number) =>
    context.attacker.call(`/api/v0/executions/agents/nested-${n % 50}`, { method: 'PUT', body });
  const graphql = (body: string) =>
    body.length < MAX_GRAPHQL_BYTES
      ? context.attacker.call('/graphql', { body, headers: { accept: 'application/json' } })
      : Promise.resolve();
  return [
    (value, n) => put(`{"mode":"TEXT","input":${value}}`, n),
    (value, n) => put(`{"mode":"TEXT","name":${value}}`, n),
    (value, n) => put(`{"mode":"TEXT","more":${value}}`, n),
    ...EVENTS.map((event) => (value: string) => send(`{"events":[${event(value)}]}`)),
    (value) => send(`{"events":${value}}`),
    (value) => context.attacker.call('/api/v0/stream-tokens', { body: `{"executions":${value}}` }),
    (value) => graphql(`{"query":${JSON.stringify(QUERY)},"variables":{"kind":"AGENT","id":${value}}}`),
    (value) => graphql(`{"query":"{__typename}","variables":{"more":${value}}}`),
    (value) => graphql(`{"query":"{__typename}","extensions":${value}}`),
  ];
}

let keys = 0;

function send(body: string): Promise<unknown> {
  keys += 1;
  return target.post([], { body, headers: { 'idempotency-key': `k${keys}` } });
}

export const JSON_DEPTH: readonly Attack[] = [
  {
    id: '9a',
    title: 'JSON nested 500 to 50,000 levels in every field',
    async prepare(context) {
      target = await context.begin('nested');
    },
    run: (context) => {
      let turn = 0;
      const all = bodies(context);
      return context.lanes(8, async () => {
        turn += 1;
        const depth = DEPTHS[Math.floor(turn / all.length) % DEPTHS.length]!;
        await all[turn % all.length]!(nested(depth, turn), turn);
      });
    },
  },
];
