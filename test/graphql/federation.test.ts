// The schema as a subgraph: composition with another subgraph, `_entities`, and a real gateway over both.
import { composeServices } from '@apollo/composition';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { parse } from 'graphql';
import { createClient } from 'graphql-sse';
import { describe, expect, test } from 'vitest';
import { gatewayOptions } from '../../examples/clients/hive-gateway.ts';
import type { Permission } from '../../src/execution/permission.ts';
import { MAX_REPRESENTATIONS } from '../../src/schema/federation.ts';
import { DEFAULT_SERVER_LIMITS } from '../../src/server/limits.ts';
import { blocksOf } from '../docs/blocks.ts';
import { type App, chunks, createApp, directLog, range, startApp } from '../support/app.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { SECOND_SDL, startSecondSubgraph } from './second-subgraph.ts';

interface Result {
  // biome-ignore lint/suspicious/noExplicitAny: the shape is the test's to assert
  data?: any;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

async function query(app: App, text: string, variables: object = {}, tenant?: string): Promise<Result> {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: text, variables }),
  };
  const caller = tenant === undefined ? undefined : { id: 'ann', tenant };
  const response = await app.request('/graphql', init, caller);
  return (await response.json()) as Result;
}

const ENTITIES =
  'query($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Execution { id kind status } } }';
const references = (...ids: unknown[]) => ({ r: ids.map((id) => ({ __typename: 'Execution', id })) });

async function sdlOf(app: App): Promise<string> {
  return (await query(app, '{ _service { sdl } }')).data._service.sdl;
}

function compose(sdl: string, urls: { ours: string; theirs: string }, second = SECOND_SDL): string {
  const { errors, hints, supergraphSdl } = composeServices([
    { name: 'execstream', url: urls.ours, typeDefs: parse(sdl) },
    { name: 'billing', url: urls.theirs, typeDefs: parse(second) },
  ]);
  expect(errors).toBeUndefined();
  expect(hints).toEqual([]);
  return supergraphSdl!;
}

describe('the SDL of the subgraph', () => {
  test('the SDL composes, without a hint, with a subgraph that has its own Error, Usage and PageInfo', async () => {
    await using app = createApp();
    const supergraph = compose(await sdlOf(app), { ours: 'http://a.test', theirs: 'http://b.test' });
    expect(supergraph).toMatch(
      /type Execution\s+@join__type\(graph: BILLING, key: "id"\)\s+@join__type\(graph: EXECSTREAM, key: "id"\)/,
    );
    expect(supergraph).toMatch(/type ErrorEvent implements ExecutionEvent/);
  });

  test('docs/graphql.md: the example of another subgraph composes', async () => {
    await using app = createApp();
    const [example] = blocksOf('docs/graphql.md').filter(({ text }) => text.includes('@link'));
    const urls = { ours: 'http://a.test', theirs: 'http://b.test' };
    expect(compose(await sdlOf(app), urls, example!.text)).toContain('price: Float!');
  });

  test('the SDL has exactly the directives that composition needs, and not the fields of gateways', async () => {
    await using app = createApp();
    const sdl = await sdlOf(app);
    const lines = sdl.split('\n').filter((line) => line.includes('@'));
    expect(lines).toEqual([
      'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key", "@shareable"])',
      'type Execution @key(fields: "id") {',
      'type PageInfo @shareable {',
    ]);
    expect(sdl).not.toMatch(/_entities|_service|_Any|_Entity/);
  });
});

describe('_entities', () => {
  test('references of every kind are resolved in their order, also repeated ones, by one read', async () => {
    const store = createMemoryStore();
    await using app = createApp({ store });
    for (const kind of ['workflow', 'agent', 'task'] as const)
      await store.begin({ id: kind, kind, mode: 'TEXT' });
    let reads = 0;
    const { getMany } = store;
    store.getMany = (ids) => {
      reads += 1;
      return getMany.call(store, ids);
    };
    const { data, errors } = await query(app, ENTITIES, references('task', 'workflow', 'task', 'agent'));
    expect(errors).toBeUndefined();
    const execution = (id: string) => ({
      __typename: 'Execution',
      id,
      kind: id.toUpperCase(),
      status: 'RUNNING',
    });
    expect(data._entities).toEqual(['task', 'workflow', 'task', 'agent'].map(execution));
    expect(reads).toBe(1);
  });

  test('unknown and hidden executions and those of another tenant are null; a denied one is an error', async () => {
    const store = createMemoryStore();
    const permissions: Record<string, Permission['read']> = { hidden: 'hidden', denied: 'denied' };
    await using app = createApp({
      store,
      authorize: (caller, row) => ({
        read: row.tenant === caller.tenant ? (permissions[row.id] ?? 'granted') : 'hidden',
      }),
    });
    for (const id of ['mine', 'hidden', 'denied'])
      await store.begin({ id, kind: 'agent', mode: 'TEXT', tenant: 'acme' });
    await store.begin({ id: 'theirs', kind: 'agent', mode: 'TEXT', tenant: 'globex' });
    const ids = ['mine', 'hidden', 'unknown', 'theirs', 'denied'];
    const { data, errors } = await query(app, ENTITIES, references(...ids), 'acme');
    expect(data._entities).toEqual([expect.objectContaining({ id: 'mine' }), null, null, null, null]);
    expect(errors).toEqual([
      expect.objectContaining({
        message: 'you may not read execution denied',
        path: ['_entities', 4],
        extensions: { code: 'FORBIDDEN' },
      }),
    ]);
  });

  test('a workflow without a row is looked up in Temporal, as by `execution`', async () => {
    const store = createMemoryStore();
    await using app = createApp({ store });
    // The source of workflows, which creates the row.
    app.services.tails.find = async ({ kind, executionId: id }) => {
      if (id !== 'nightly') return undefined;
      await store.begin({ id, kind, mode: 'STRUCTURED' });
      return store.get(id);
    };
    const { data } = await query(app, ENTITIES, references('nightly', 'unknown'));
    expect(data._entities).toEqual([
      { __typename: 'Execution', id: 'nightly', kind: 'WORKFLOW', status: 'RUNNING' },
      null,
    ]);
  });

  test.each([
    [{ __typename: 'Execution', id: 'a\0b' }, /^"a\\u0000b" is not an execution id/],
    [{ __typename: 'Execution', id: 7 }, /^id: expected a string, got number$/],
    [{ __typename: 'Execution' }, /^id: expected a string, got undefined$/],
    [{ __typename: 'PageInfo', id: 'a1' }, /^__typename: expected "Execution", got "PageInfo"$/],
    [{ __typename: '__proto__', id: 'a1' }, /^__typename: expected "Execution", got "__proto__"$/],
    [{ id: 'a1' }, /^__typename: expected "Execution", got undefined$/],
    ['a1', /^__typename: expected "Execution", got undefined$/],
    [[], /^__typename: expected "Execution", got undefined$/],
  ])('an invalid reference fails alone, with BAD_USER_INPUT: %j', async (reference, message) => {
    await using app = createApp();
    await directLog(app);
    const r = [{ __typename: 'Execution', id: 'a1' }, reference];
    const { data, errors } = await query(app, ENTITIES, { r });
    expect(data._entities).toEqual([expect.objectContaining({ id: 'a1' }), null]);
    expect(errors).toEqual([
      expect.objectContaining({
        message: expect.stringMatching(message),
        path: ['_entities', 1],
        extensions: { code: 'BAD_USER_INPUT' },
      }),
    ]);
    expect(app.errors).toEqual([]);
  });

  test('more references than the limit are rejected as a unit, before any read', async () => {
    const store = createMemoryStore();
    await using app = createApp({ store, serverLimits: { maxBodyBytes: 1_000_000 } });
    store.isAway = true;
    const ids = (count: number) => references(...Array.from({ length: count }, (_, i) => `x${i}`));
    const text = 'query($r: [_Any!]!) { _entities(representations: $r) { __typename } }';
    const tooMany = await query(app, text, ids(MAX_REPRESENTATIONS + 1));
    expect(tooMany).toMatchObject({
      data: null,
      errors: [
        { message: 'representations: expected up to 1000, got 1001', extensions: { code: 'BAD_USER_INPUT' } },
      ],
    });
    const costly = await query(app, text, ids(10_000));
    expect(costly.data).toBeUndefined();
    expect(costly.errors?.[0]?.message).toBe('query cost limit of 10000 exceeded, found 10001');
  });

  test('references count as executions of the result, also unknown ones and those of several fields', async () => {
    const serverLimits = {
      ...DEFAULT_SERVER_LIMITS,
      query: { ...DEFAULT_SERVER_LIMITS.query, executions: 3 },
    };
    await using app = createApp({ serverLimits });
    const text = `query($r: [_Any!]!) { a: _entities(representations: $r) { __typename } b: _entities(representations: $r) { __typename } }`;
    expect((await query(app, text, references('x'))).errors).toBeUndefined();
    expect(await query(app, text, references('x', 'y'))).toMatchObject({
      data: null,
      errors: [{ message: expect.stringContaining('the result exceeds 3 executions') }],
    });
  });
});

describe('Hive Gateway over two subgraphs', () => {
  async function startGateway(app: Awaited<ReturnType<typeof startApp>>, theirs: string) {
    const supergraph = compose(await sdlOf(app), { ours: `${app.url}/graphql`, theirs });
    const gateway = createGatewayRuntime({
      supergraph,
      logging: false,
      ...gatewayOptions,
    });
    const ask = async (text: string, authorization?: string): Promise<Result> => {
      const response = await gateway.fetch('http://gateway.test/graphql', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          ...(authorization && { authorization }),
        },
        body: JSON.stringify({ query: text }),
      });
      return (await response.json()) as Result;
    };
    return {
      ask,
      fetch: gateway.fetch,
      [Symbol.asyncDispose]: async () => void (await gateway[Symbol.asyncDispose]()),
    };
  }

  test('a query takes the fields of an execution from both subgraphs, in either direction', async () => {
    await using app = await startApp();
    await using second = await startSecondSubgraph(['a1', 'a2']);
    await directLog(app);
    await directLog(app, { id: 'a2', name: 'Ada' });
    await using gateway = await startGateway(app, second.url);
    const there = await gateway.ask(
      '{ execution(kind: AGENT, id: "a1") { status price billedUsage { seats } } }',
    );
    expect(there).toEqual({
      data: { execution: { status: 'RUNNING', price: 0.5, billedUsage: { seats: 3 } } },
    });
    const back = await gateway.ask(
      '{ orders { nodes { number execution { id name price kind } } pageInfo { hasNextPage } errors { reason } } executions { pageInfo { hasNextPage } } }',
    );
    expect(back).toEqual({
      data: {
        orders: {
          nodes: [
            { number: 0, execution: { id: 'a1', name: null, price: 0.5, kind: 'AGENT' } },
            { number: 1, execution: { id: 'a2', name: 'Ada', price: 0.5, kind: 'AGENT' } },
          ],
          pageInfo: { hasNextPage: false },
          errors: [{ reason: 'none' }],
        },
        executions: { pageInfo: { hasNextPage: false } },
      },
    });
  });

  test('the caller is the client of the gateway: executions of another tenant are null', async () => {
    const authenticate = (request: Request) => ({ id: 'ann', tenant: request.headers.get('authorization')! });
    await using app = await startApp({ auth: { authenticate } });
    await using second = await startSecondSubgraph(['a1', 'b1']);
    await directLog(app, { id: 'a1', tenant: 'acme' });
    await directLog(app, { id: 'b1', tenant: 'globex' });
    await using gateway = await startGateway(app, second.url);
    const { data } = await gateway.ask('{ orders { nodes { execution { id status } } } }', 'acme');
    expect(data.orders.nodes).toEqual([{ execution: { id: 'a1', status: 'RUNNING' } }, { execution: null }]);
  });

  test('a subscription with fragments on event types delivers the complete run through the supergraph', async () => {
    await using app = await startApp();
    await using second = await startSecondSubgraph([]);
    const log = await directLog(app);
    await log.append(...chunks(5));
    await using gateway = await startGateway(app, second.url);
    const client = createClient({
      url: 'http://gateway.test/graphql',
      retryAttempts: 0,
      fetchFn: gateway.fetch,
    });
    const events = client.iterate<{ agentStream: { seq: number } }>({
      query: `subscription { agentStream(id: "a1") {
        __typename seq ... on LlmChunkEvent { content } ... on CompleteEvent { result usage { totalTokens } } } }`,
    });
    const received: { seq: number }[] = [];
    for await (const { data, errors } of events) {
      expect(errors).toBeUndefined();
      received.push(data!.agentStream);
      if (received.length === 5) {
        await log.append(...chunks(5, 6));
        await log.complete('all');
      }
    }
    client.dispose();
    expect(received.map(({ seq }) => seq)).toEqual(range(1, 11));
    expect(received[6]).toEqual({ __typename: 'LlmChunkEvent', seq: 7, content: '7 ' });
    expect(received.at(-1)).toEqual({ __typename: 'CompleteEvent', seq: 11, result: 'all', usage: null });
  });
});
