// The subscriptions in an existing server with Yoga and Pothos (examples/embedding/yoga.ts).
import SchemaBuilder from '@pothos/core';
import {
  buildClientSchema,
  getIntrospectionQuery,
  type IntrospectionQuery,
  lexicographicSortSchema,
  printType,
} from 'graphql';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { start } from '../../examples/embedding/yoga.ts';
import { addExecstreamTypes, createExecstream, createMemoryLog, type Execstream } from '../../src/index.ts';
import { apiSchema } from '../../src/schema/index.ts';
import { chunk, chunks, type DirectLog, directLog, range } from '../support/app.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { openSse, type SseStream } from '../support/sse.ts';
import { until } from '../support/wait.ts';

const ANN = { 'x-user': 'ann' };
const QUERY = `subscription($id: ID!, $after: ExecstreamCursor, $events: [ExecstreamEventType!]) {
  agentStream(id: $id, after: $after, events: $events) {
    id seq type ts ... on ExecstreamLlmChunkEvent { content }
    ... on ExecstreamCompleteEvent { status usage { totalTokens } }
  }
}`;

let execstream: Execstream;
let server: { url: string; close(): Promise<void> };
let log: DirectLog;
const streams: SseStream[] = [];

beforeEach(async () => {
  const parts = { log: createMemoryLog(), store: createMemoryStore() };
  execstream = createExecstream({
    ...parts,
    settings: { heartbeatMs: 100 },
    limits: { streams: { perCaller: 5 } },
    logger: { error: () => {} },
  });
  server = await start(execstream);
  log = await directLog(parts);
});
afterEach(async () => {
  for (const stream of streams.splice(0)) stream[Symbol.dispose]();
  await server.close();
});

async function watch(variables: object = {}, options: Parameters<typeof openSse>[1] = {}, query = QUERY) {
  const body = { query, variables: { id: 'a1', ...variables } };
  const stream = await openSse(server.url, { body, ...options, headers: { ...ANN, ...options.headers } });
  streams.push(stream);
  return stream;
}

const seqs = ({ frames }: SseStream) =>
  frames.flatMap(({ data }) => JSON.parse(data || 'null')?.data?.agentStream?.seq ?? []);
const errorsOf = ({ frames }: SseStream) => JSON.parse(frames[0]!.data).errors;

async function run(query: string, headers: Record<string, string> = ANN) {
  const body = JSON.stringify({ query });
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return (await response.json()) as { data?: Record<string, unknown>; errors?: object[] };
}

describe('a subscription in the server of an application', () => {
  test('streams every event with its cursor, and ends with `complete`', async () => {
    await log.append(...chunks(2));
    const stream = await watch();
    await stream.take(2);
    await log.append(chunk('live'));
    await log.complete();
    expect(await stream.ended()).toBe('clean');
    expect(seqs(stream)).toEqual(range(1, 4));
    expect(stream.frames.map(({ id }) => log.masked(id!))).toEqual(
      [1, 2, 3, 4, 4].map((seq) => `${seq}-EPOCH`),
    );
    expect(JSON.parse(stream.frames[2]!.data).data.agentStream).toMatchObject({
      type: 'LLM_CHUNK',
      content: 'live',
    });
    expect(JSON.parse(stream.frames[3]!.data).data.agentStream).toMatchObject({
      status: 'SUCCESS',
      usage: null,
    });
    expect(stream.frames.at(-1)!.event).toBe('complete');
  });

  test('is resumed by Last-Event-ID, and by `after`', async () => {
    await log.append(...chunks(5));
    await log.complete();
    const byHeader = await watch({}, { lastEventId: `3-${log.epoch}` });
    const byArgument = await watch({ after: `3-${log.epoch}` });
    for (const stream of [byHeader, byArgument]) {
      expect(await stream.ended()).toBe('clean');
      expect(seqs(stream)).toEqual([4, 5, 6]);
    }
  });

  test('is 204 for a GET that has received everything', async () => {
    const end = await log.complete();
    const url = `${server.url}?${new URLSearchParams({ query: QUERY, variables: '{"id":"a1"}' })}`;
    const headers = { ...ANN, accept: 'text/event-stream', 'last-event-id': `${end}-${log.epoch}` };
    expect((await fetch(url, { headers })).status).toBe(204);
  });

  test('is filtered by types of events, and has heartbeats', async () => {
    await log.append(...chunks(2));
    const stream = await watch({ events: ['COMPLETE'] });
    await stream.until(
      () => stream.text.includes(`id: 2-${log.epoch}\n\n`),
      'the cursor after filtered events',
    );
    await stream.until(() => stream.comments.length > 1, 'a heartbeat');
    expect(stream.frames).toEqual([]);
  });

  test('is executed once for all viewers', async () => {
    const [first, second] = [await watch(), await watch()];
    await log.append(chunk('one'), chunk('two'));
    await first.take(2);
    await second.take(2);
    expect(first.text).toBe(second.text);
    expect(execstream.graphql.counter.executions).toBe(2);
    expect([execstream.tails.size, execstream.streams.size]).toEqual([1, 2]);
  });

  test('is released when its viewer disconnects', async () => {
    const stream = await watch();
    stream[Symbol.dispose]();
    await until(() => execstream.streams.size === 0 && execstream.tails.size === 0);
  });

  test('is limited per caller, and requires one', async () => {
    for (let i = 0; i < 5; i += 1) await watch();
    const limited = await watch();
    await limited.until(() => limited.text.includes('TOO_MANY_STREAMS'), 'the rejection');
    const anonymous = await openSse(server.url, { body: { query: QUERY, variables: { id: 'a1' } } });
    streams.push(anonymous);
    await anonymous.until(() => anonymous.text.includes('UNAUTHENTICATED'), 'the rejection');
  });

  test('of an unknown execution, and with a wrong cursor, has the error of the protocol', async () => {
    const unknown = await watch({ id: 'nope' });
    await unknown.ended();
    expect(errorsOf(unknown)).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    const malformed = await watch({}, { lastEventId: 'x' });
    await malformed.ended();
    expect(errorsOf(malformed)).toMatchObject([{ extensions: { code: 'BAD_CURSOR' } }]);
  });

  test('cannot select a large field under several names', async () => {
    const query =
      'subscription { agentStream(id: "a1") { ... on ExecstreamLlmChunkEvent { a: content b: content } } }';
    const { errors } = await run(query, { ...ANN, accept: 'application/json' });
    expect(errors).toMatchObject([{ message: expect.stringContaining('is selected under several names') }]);
  });

  test('breaks off unfinished when execstream closes, and is then rejected; the server goes on', async () => {
    const stream = await watch();
    await stream.until(() => stream.text.includes('retry:'));
    await execstream.close({ drainMs: 0 });
    expect(await stream.ended()).toBe('aborted');
    const rejected = await watch();
    await rejected.until(() => rejected.text.includes('CAPACITY'), 'the rejection');
    expect(await run('{ me }')).toEqual({ data: { me: 'ann' } });
  });
});

describe('the other operations of the server', () => {
  test('are executed by the server as before', async () => {
    expect(await run('{ me now }')).toEqual({ data: { me: 'ann', now: expect.stringMatching(/^\d{4}-/) } });
    const stream = await watch(
      {},
      {},
      'subscription { ...f } fragment f on Subscription { countdown(from: 3) }',
    );
    await stream.ended();
    expect(stream.frames.map(({ data }) => data && JSON.parse(data))).toMatchObject([
      { data: { countdown: 3 } },
      { data: { countdown: 2 } },
      { data: { countdown: 1 } },
      {},
    ]);
    expect(execstream.streams.opened).toBe(0);
  });
});

describe('the types', () => {
  test('with a prefix are those of our schema, each with the prefix', async () => {
    const { data } = await run(getIntrospectionQuery());
    const schema = lexicographicSortSchema(buildClientSchema(data as unknown as IntrospectionQuery));
    const own = lexicographicSortSchema(apiSchema);
    const copied = Object.keys(schema.getTypeMap()).filter((name) => name.startsWith('Execstream'));
    expect(copied.length).toBeGreaterThan(18);
    for (const name of copied) {
      const original = printType(own.getType(name.slice('Execstream'.length))!);
      expect(printType(schema.getType(name)!).replaceAll(/\bExecstream(?=[A-Z])/g, '')).toBe(original);
    }
    for (const [name, field] of Object.entries(own.getSubscriptionType()!.getFields())) {
      const copy = schema.getSubscriptionType()!.getFields()[name]!;
      expect(copy.args.map(({ name, type }) => `${name}: ${type}`.replace('Execstream', ''))).toEqual(
        field.args.map(({ name, type }) => `${name}: ${type}`),
      );
    }
  });

  test('without a prefix have our names, and a prefix of fields applies to the subscriptions', () => {
    const builder = new SchemaBuilder({});
    builder.queryType({ fields: (t) => ({ a: t.string({ resolve: () => '' }) }) });
    builder.subscriptionType({});
    addExecstreamTypes(builder, { fieldPrefix: 'execstream' });
    const schema = builder.toSchema();
    expect(schema.getType('LlmChunkEvent')).toBeDefined();
    const names = Object.keys(schema.getSubscriptionType()!.getFields()).sort();
    expect(names).toEqual(['execstreamAgentStream', 'execstreamTaskStream', 'execstreamWorkflowStream']);
  });

  test.each([{ prefix: 'a-b' }, { fieldPrefix: '1' }])(
    'a prefix that is not a name is rejected: %j',
    (options) => {
      expect(() => addExecstreamTypes(new SchemaBuilder({}), options)).toThrow(
        /refix: expected a GraphQL name, got/,
      );
    },
  );
});
