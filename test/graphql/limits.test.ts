// Limits of documents: those above a limit are rejected with its name and number, before they are executed.
import { getIntrospectionQuery } from 'graphql';
import { describe, expect, test } from 'vitest';
import { DEFAULT_SERVER_LIMITS } from '../../src/server/limits.ts';
import { type App, createApp, directLog, EVENT_STREAM, graphqlPath } from '../support/app.ts';

async function ask(app: App, query: string) {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  };
  const response = await app.request('/graphql', init);
  return { status: response.status, ...(await response.json()) };
}

const nested = (depth: number) =>
  `{ execution(kind: AGENT, id: "a1") { ${'parent { '.repeat(depth)} id ${'}'.repeat(depth)} } }`;
const aliased = (count: number) =>
  `{ ${Array.from({ length: count }, (_, i) => `a${i}: execution(kind: AGENT, id: "a1") { id }`).join(' ')} }`;
const aliasedMeta = (field: string, count = 31) =>
  Array.from({ length: count }, (_, i) => `a${i}: ${field}`).join(' ');
const fields = (count: number) => `{ execution(kind: AGENT, id: "a1") { ${'id '.repeat(count)} } }`;

const stream = (selection: string) => `subscription { agentStream(id: "a1") { ${selection} } }`;

/** The response to a subscription that is rejected. */
async function rejectionOf(app: ReturnType<typeof createApp>, query: string): Promise<string> {
  const response = await app.request(graphqlPath(query), { headers: { accept: 'text/event-stream' } });
  return response.text();
}

describe('limits of documents', () => {
  test.each([
    ['a document that is too deep', nested(20), /depth limit of 12 exceeded, found 2\d/i],
    ['a document with too many aliases', aliased(31), /Aliases limit of 30 exceeded, found 31/],
    [
      'a document with too many aliases of __typename',
      `{ ${aliasedMeta('__typename')} }`,
      /limit of 30 exceeded, found 31/,
    ],
    [
      'with too many aliases of __typename in a selection',
      `{ executions { edges { node { ${aliasedMeta('__typename')} } } } }`,
      /limit of 30 exceeded, found 31/,
    ],
    [
      'with too many aliases of __typename in a fragment',
      `{ a: executions { ...F } b: executions { ...F } } fragment F on ExecutionConnection { ${aliasedMeta('__typename', 15)} }`,
      /limit of 30 exceeded, found 32/,
    ],
    [
      'with too many aliases of __schema',
      `{ ${aliasedMeta('__schema { types { name } }')} }`,
      /limit of 30 exceeded, found 31/,
    ],
    [
      'with too many aliases of __type',
      `{ ${aliasedMeta('__type(name: "Execution") { name }')} }`,
      /limit of 30 exceeded, found 31/,
    ],
    [
      'with too many aliases inside an introspection',
      `{ __schema { types { ${aliasedMeta('fields { name }')} } } }`,
      /limit of 30 exceeded, found 31/,
    ],
    ['with __typename again and again', `{ ${'__typename '.repeat(2_001)} }`, /more that? 2000 tokens/],
    ['with too many tokens', fields(3_000), /more that? 2000 tokens/],
    [
      'with thousands of directives',
      `{ executions { pageInfo { hasNextPage ${'@skip(if: false) '.repeat(2_000)} } } }`,
      /2000 tokens/,
    ],
    [
      'too costly',
      `{ executions(first: 100) { edges { node { children { edges { node { children { edges { node { id } } } } } } } } } }`,
      /cost limit of 10000 exceeded, found \d+/,
    ],
    [
      'with values nested without end',
      `{ a(x: ${'['.repeat(1_990)}`,
      /nested too deeply|tokens|Syntax Error/,
    ],
    ['nested without end', nested(5_000), /tokens/],
  ])('%s is rejected with the reason', async (_, query, words) => {
    await using app = createApp();
    const answer = await ask(app, query);
    expect(answer.data).toBeUndefined();
    expect(answer.errors[0].message).toMatch(words);
    expect(answer.errors[0].extensions).toEqual({ code: 'BAD_USER_INPUT' });
  });

  test('a subscription above a limit is rejected with a message, because graphql-sse clients retry on any 4xx', async () => {
    await using app = createApp();
    const stream = graphqlPath(`subscription { agentStream(id: "a1") { ${'id '.repeat(3_000)} } }`);
    const response = await app.request(stream, { headers: { accept: 'text/event-stream' } });
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(/event: next\ndata: .*2000 tokens.*BAD_USER_INPUT/);
  });

  test.each([
    ['GraphiQL’s introspection', getIntrospectionQuery()],
    [
      'a page of executions with their children',
      '{ executions(first: 50) { edges { cursor node { id kind status name startedAt children { edges { node { id kind status } } } } } pageInfo { hasNextPage endCursor } } }',
    ],
    ['thirty executions by alias', aliased(30)],
  ])('%s is within the default limits', async (_, query) => {
    await using app = createApp();
    const answer = await ask(app, query);
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toBeDefined();
  });

  test('the limits are configurable', async () => {
    const serverLimits = { ...DEFAULT_SERVER_LIMITS, query: { ...DEFAULT_SERVER_LIMITS.query, depth: 2 } };
    await using app = createApp({ serverLimits });
    expect((await ask(app, nested(3))).errors[0].message).toMatch(/depth limit of 2 exceeded/i);
  });

  test.each([
    ['data', stream('data all: data'), 'AgentStartEvent.data'],
    ['data of one type', stream('data ... on LlmChunkEvent { all: data }'), 'LlmChunkEvent.data'],
    ['text', stream(`... on LlmChunkEvent { ${aliasedMeta('content', 2)} }`), 'LlmChunkEvent.content'],
    ['an id', stream(`... on ToolCallEvent { ${aliasedMeta('toolCallId', 2)} }`), 'ToolCallEvent.toolCallId'],
    [
      'usage',
      stream('... on CompleteEvent { a: usage { model } b: usage { model } }'),
      'CompleteEvent.usage',
    ],
    ['a model', stream('... on CompleteEvent { usage { model b: model } }'), 'ExecutionUsage.model'],
    [
      'results in fragments',
      `${stream('...A ...B')} fragment A on CompleteEvent { result } fragment B on CompleteEvent { b: result }`,
      'CompleteEvent.result',
    ],
    [
      'results in a fragment of the subscription',
      `subscription { ...S } fragment S on Subscription { agentStream(id: "a1") { ...A } } fragment A on CompleteEvent { result b: result }`,
      'CompleteEvent.result',
    ],
  ])('a large field of an event can be selected under one name only: %s', async (_, query, field) => {
    await using app = createApp();
    const text = await rejectionOf(app, query);
    expect(text).toContain(`${field} is selected under several names`);
    expect(text).toContain('BAD_USER_INPUT');
  });

  test.each([
    ['long names', stream(`${'n'.repeat(3_060)}: seq data`)],
    ['a long name of the stream', `subscription { ${'n'.repeat(3_100)}: agentStream(id: "a1") { seq } }`],
    ['many names', stream(aliasedMeta('executionId', 20))],
  ])('names and small fields of an event are limited: %s', async (_, query) => {
    await using app = createApp();
    expect(await rejectionOf(app, query)).toContain('names and small fields exceed 3072 bytes');
  });

  test('small fields of an event, and same-named fields of several types, can have aliases', async () => {
    await using app = createApp();
    await directLog(app);
    const aliased = `${aliasedMeta('seq', 20)} ... on WarningEvent { warning: message a: data } ... on ErrorEvent { error: message b: data }`;
    const response = await app.request(graphqlPath(stream(aliased)), {
      headers: EVENT_STREAM,
    });
    expect(response.status).toBe(200);
    const reader = response.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toMatch(/^retry: /);
    await reader.cancel();
    const { size } = app.services.tails;
    expect(size).toBe(0);
  });

  test('__typename counts in the cost like any other field', async () => {
    const serverLimits = { ...DEFAULT_SERVER_LIMITS, query: { ...DEFAULT_SERVER_LIMITS.query, cost: 20 } };
    await using app = createApp({ serverLimits });
    expect((await ask(app, `{ ${aliasedMeta('__typename', 20)} }`)).errors).toBeUndefined();
    expect((await ask(app, `{ ${aliasedMeta('__typename', 21)} }`)).errors[0].message).toMatch(
      /cost limit of 20 exceeded, found 21/i,
    );
  });

  test('fragments that spread each other in a cycle are rejected, not followed', async () => {
    await using app = createApp();
    const { errors } = await ask(
      app,
      '{ execution(kind: AGENT, id: "a") { ...A } } fragment A on Execution { parent { ...A } }',
    );
    expect(errors[0].extensions).toEqual({ code: 'BAD_USER_INPUT' });
  });
});
