// Execute once, encode once, write many: which viewers share an execution of GraphQL, and which must not.
import { afterEach, describe, expect, test } from 'vitest';
import type { Permission } from '../../src/execution/permission.ts';
import { schema } from '../../src/schema/index.ts';
import {
  type App,
  type Collected,
  chunks,
  collect,
  createApp,
  directLog,
  EVENT_STREAM,
  graphqlPath,
  range,
  settled,
  startApp,
} from '../support/app.ts';
import { openSse } from '../support/sse.ts';

let app: App;
afterEach(() => app?.close());

const QUERY =
  'subscription($after: Cursor, $events: [EventType!], $full: Boolean = false) { agentStream(id: "a1", after: $after, events: $events) { seq type @include(if: $full) } }';

const open = async (query = QUERY, variables: object = {}, id = 'anonymous', headers = {}) =>
  collect(
    await app.request(graphqlPath(query, variables), { headers: { ...EVENT_STREAM, ...headers } }, { id }),
  );

const seqsOf = (body: Collected) => [...body.text.matchAll(/"seq":(\d+)/g)].map((match) => Number(match[1]));

/** Publishes 10 events to these viewers and returns how often GraphQL was executed for them. */
async function executionsFor(...bodies: Collected[]): Promise<number> {
  const { counter } = app.services.graphql;
  await settled();
  const before = counter.executions;
  await log.append(...chunks(10));
  await settled();
  for (const body of bodies) expect(seqsOf(body).length).toBeGreaterThanOrEqual(10);
  return counter.executions - before;
}
let log: Awaited<ReturnType<typeof directLog>>;

describe('200 viewers of one execution', () => {
  test('GraphQL executes each event once for 200 viewers, and all receive every event', async () => {
    await using listening = await startApp();
    const run = await listening.publisher.begin({ id: 'a1', kind: 'agent' });
    const url = listening.url + graphqlPath('subscription { agentStream(id: "a1") { seq } }');
    const streams = await Promise.all(Array.from({ length: 200 }, () => openSse(url)));
    await Promise.all(streams.map((stream) => stream.take(1, 15_000)));
    expect(listening.services.tails.size).toBe(1);
    for (let i = 0; i < 50; i += 1)
      await run.toolCall({ toolCallId: `${i}`, toolName: 'n', status: 'started' });
    await run.complete();
    const ends = await Promise.all(streams.map((stream) => stream.ended(15_000)));
    expect(new Set(ends)).toEqual(new Set(['clean']));
    const expected = range(1, 52);
    for (const { frames } of streams) {
      const next = frames.filter(({ event }) => event === 'next');
      expect(next.map(({ data }) => JSON.parse(data).data.agentStream.seq)).toEqual(expected);
    }
    expect(listening.services.graphql.counter.executions).toBe(52);
    await expect.poll(() => listening.services.tails.size).toBe(0);
  });
});

describe('viewers that share executions', () => {
  test('viewers share if cursors, headers and callers of one permission class differ', async () => {
    app = createApp();
    log = await directLog(app);
    const bodies = [
      await open(),
      await open(QUERY, { after: '0' }, 'ada'),
      await open(QUERY, { after: `0-${log.epoch}` }, 'bob'),
      await open(QUERY, {}, 'eve', { 'last-event-id': '0' }),
    ];
    expect(await executionsFor(...bodies)).toBe(10);
  });

  test.each<[string, string, Record<string, unknown>?]>([
    ['white space and comments', '# mine\nsubscription{agentStream(id:"a1"){seq,type}}'],
    ['names of operations', 'subscription Mine { agentStream(id: "a1") { seq type } }'],
    [
      'the arguments of the stream',
      'subscription { agentStream(id: "a1", after: "0", pollMs: 300) { seq type } }',
    ],
    [
      'variables of these arguments',
      'subscription ($ID: ID!, $at: Cursor = "0", $ms: Int) { agentStream(id: $ID, after: $at, pollMs: $ms) { seq type } }',
      { ID: 'a1', ms: 1_000 },
    ],
    [
      'an argument that is null and one that is left out',
      'subscription ($events: [EventType!]) { agentStream(id: "a1", events: $events) { seq type } }',
      { events: null },
    ],
    [
      'operations and fragments that are not executed',
      'subscription Mine { agentStream(id: "a1") { seq type } } query Other { executions { ...F } } fragment F on ExecutionConnection { __typename }',
      { operationName: 'Mine' },
    ],
  ])(
    'viewers share if their documents differ in %s',
    async (_, query, { operationName, ...variables } = {}) => {
      app = createApp();
      log = await directLog(app);
      const path = graphqlPath(query, variables) + (operationName ? `&operationName=${operationName}` : '');
      const bodies = [
        await open('subscription { agentStream(id: "a1") { seq type } }'),
        collect(await app.request(path, { headers: EVENT_STREAM })),
      ];
      expect(await executionsFor(...bodies)).toBe(10);
      const messages = bodies.map(({ text }) => text.match(/^data: .*/gm)!.slice(0, 10));
      expect(messages[1]).toEqual(messages[0]);
    },
  );

  test('a viewer that joins later uses the frames of the ring, without a new execution', async () => {
    app = createApp();
    log = await directLog(app);
    const first = await open();
    expect(await executionsFor(first)).toBe(10);
    const late = await open(QUERY, { after: '4' });
    await settled();
    expect(seqsOf(late)).toEqual(range(5, 10));
    expect(app.services.graphql.counter.executions).toBe(10);
  });

  test('frames of a viewer that was alone are not kept, and later viewers share what they take', async () => {
    app = createApp();
    log = await directLog(app);
    const { counter } = app.services.graphql;
    const alone = await open();
    for (let i = 0; i < 40; i += 1) {
      await log.append(...chunks(1));
      await settled();
    }
    expect(seqsOf(alone)).toEqual(range(1, 40));
    expect(counter.executions).toBe(40);
    const late = [await open(QUERY, { after: '20' }), await open(QUERY, { after: '20' })];
    await settled();
    for (const body of late) expect(seqsOf(body)).toEqual(range(21, 40));
    expect(counter.executions).toBe(60);
  });
});

describe('viewers that do not share executions', () => {
  test.each([
    ['documents', () => open('subscription { agentStream(id: "a1") { seq id } }')],
    ['variables', () => open(QUERY, { full: true })],
    ['aliases', () => open('subscription { agentStream(id: "a1") { number: seq seq } }')],
    ['aliases of the stream', () => open('subscription { mine: agentStream(id: "a1") { seq } }')],
    ['filters', () => open(QUERY, { events: ['LLM_CHUNK'] })],
    [
      'variables of fragments',
      () =>
        open(
          'subscription ($on: Boolean!) { agentStream(id: "a1") { ...F } } fragment F on ExecutionEvent { seq id @skip(if: $on) }',
          { on: true },
        ),
    ],
  ])('viewers with %s do not share', async (_, other) => {
    app = createApp();
    log = await directLog(app);
    expect(await executionsFor(await open(), await other())).toBe(20);
  });

  test('a REST viewer and a GraphQL viewer do not share, because their encodings differ', async () => {
    app = createApp();
    log = await directLog(app);
    const rest = collect(await app.request('/api/v0/executions/agents/a1/stream', { headers: EVENT_STREAM }));
    const one = await open();
    await settled();
    await log.append(...chunks(10));
    await settled();
    expect(seqsOf(one)).toEqual(range(1, 10));
    expect(rest.text.match(/event: llm_chunk/g)).toHaveLength(10);
    expect(app.services.graphql.counter.executions).toBe(20);
  });

  test('viewers of different permission classes do not share', async () => {
    const classes: Record<string, Permission> = {
      ada: { read: 'granted', class: 'full' },
      bob: { read: 'granted', class: 'redacted' },
      eve: { read: 'granted', class: 'full' },
    };
    app = createApp({ authorize: (caller) => classes[caller.id]! });
    log = await directLog(app);
    const bodies = [await open(QUERY, {}, 'ada'), await open(QUERY, {}, 'bob'), await open(QUERY, {}, 'eve')];
    expect(await executionsFor(...bodies)).toBe(20);
  });

  test('viewers of different operations of one document do not share', async () => {
    app = createApp();
    log = await directLog(app);
    const two =
      'subscription A { agentStream(id: "a1") { seq } } subscription B { agentStream(id: "a1") { seq type } }';
    const named = async (name: string) =>
      collect(await app.request(`${graphqlPath(two)}&operationName=${name}`, { headers: EVENT_STREAM }));
    const [a, b] = [await named('A'), await named('B')];
    expect(await executionsFor(a, b)).toBe(20);
    expect(a.text).not.toContain('LLM_CHUNK');
    expect(b.text).toContain('LLM_CHUNK');
  });
});

describe('isolation of callers', () => {
  test('resolvers of events receive an empty frozen context', async () => {
    const fields = (schema.getType('LlmChunkEvent') as unknown as GraphQLObject).getFields();
    const { resolve } = fields.content!;
    const contexts: unknown[] = [];
    fields.content!.resolve = (...args) => {
      contexts.push(args[2]);
      return resolve(...args);
    };
    try {
      app = createApp();
      log = await directLog(app);
      const body = await open(
        'subscription { agentStream(id: "a1") { seq ... on LlmChunkEvent { content } } }',
      );
      await executionsFor(body);
    } finally {
      fields.content!.resolve = resolve;
    }
    expect(contexts).toHaveLength(10);
    for (const context of contexts) {
      expect(context).toEqual({});
      expect(Object.isFrozen(context)).toBe(true);
    }
  });

  test('permission is checked for every subscription and every replay', async () => {
    let checks = 0;
    let allowed = true;
    app = createApp({
      authorize: () => {
        checks += 1;
        return { read: allowed ? 'granted' : 'hidden' };
      },
    });
    log = await directLog(app);
    await log.append(...chunks(3));
    const first = await open();
    const second = await open(QUERY, { after: '1' });
    expect(checks).toBe(2);
    allowed = false;
    const third = await open(QUERY, { after: '1' });
    await settled();
    expect(seqsOf(first)).toEqual([1, 2, 3]);
    expect(seqsOf(second)).toEqual([2, 3]);
    expect(third.text).toContain('NOT_FOUND');
    expect(third.text).not.toContain('"seq"');
  });
});

interface GraphQLObject {
  getFields(): Record<string, { resolve: (...args: unknown[]) => unknown }>;
}
