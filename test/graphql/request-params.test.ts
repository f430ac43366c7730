// The parameters of a GraphQL request: invalid ones are rejected with a message that names them.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ListeningApp, startApp } from '../support/app.ts';

let app: ListeningApp;
beforeEach(async () => {
  app = await startApp();
});
afterEach(() => app.close());

const QUERY = '{ __typename }';
const deepArrays = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const deepObjects = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

const asJson = (body: string, path = '/graphql') =>
  fetch(app.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body,
  });
const asForm = (parameters: Record<string, string>) =>
  fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/graphql-response+json',
    },
    body: new URLSearchParams(parameters).toString(),
  });
const asQuery = (parameters: Record<string, string>) =>
  fetch(`${app.url}/graphql?${new URLSearchParams(parameters)}`, { headers: { accept: 'application/json' } });

async function expectRejection(response: Response, message: RegExp): Promise<void> {
  expect(response.status).toBe(400);
  const { errors } = await response.json();
  expect(errors).toEqual([
    { message: expect.stringMatching(message), extensions: { code: 'BAD_USER_INPUT' } },
  ]);
  expect(app.errors).toEqual([]);
}

describe('variables and extensions in a form or a URL', () => {
  test.each(['variables', 'extensions'])(
    '%s that are not valid JSON are rejected with 400 and their name',
    async (name) => {
      for (const value of ['{', 'x', '{"a":', "{'a': 1}", '\u0000']) {
        for (const send of [asForm, asQuery]) {
          await expectRejection(
            await send({ query: QUERY, [name]: value }),
            RegExp(`^${name}: expected JSON$`),
          );
        }
      }
    },
  );

  test.each(['variables', 'extensions'])(
    '%s that are not an object are rejected with 400 and their name',
    async (name) => {
      for (const value of ['1', '"x"', 'true', '[1]']) {
        for (const send of [asForm, asQuery]) {
          await expectRejection(await send({ query: QUERY, [name]: value }), RegExp(`"${name}"`));
        }
      }
    },
  );

  test('a form with valid parameters is executed, regardless of the case of its media type', async () => {
    const query = 'query($id: ID!) { execution(kind: AGENT, id: $id) { id } }';
    const variables = JSON.stringify({ id: 'nope' });
    const response = await asForm({ query, variables, extensions: '{}' });
    expect(await response.json()).toEqual({ data: { execution: null } });
    const other = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'Application/X-WWW-Form-Urlencoded; charset=utf-8' },
      body: `query=${encodeURIComponent(QUERY)}`,
    });
    expect(await other.json()).toEqual({ data: { __typename: 'Query' } });
  });
});

describe('a JSON body with parameters of the wrong type', () => {
  const cases: [string, RegExp][] = [
    ['{}', /^query: expected a string, got undefined$/],
    ['{"query":null}', /^query: expected a string, got null$/],
    ['{"query":1}', /^query: expected a string, got number$/],
    ['{"query":["x"]}', /^query: expected a string, got array$/],
    ['{"query":{"a":1}}', /^query: expected a string, got object$/],
    [`{"query":"${QUERY}","variables":"x"}`, /"variables"/],
    [`{"query":"${QUERY}","variables":1}`, /"variables"/],
    [`{"query":"${QUERY}","variables":[1]}`, /"variables"/],
    [`{"query":"${QUERY}","extensions":"x"}`, /"extensions"/],
    [`{"query":"${QUERY}","extensions":[1]}`, /"extensions"/],
    [`{"query":"${QUERY}","operationName":1}`, /^operationName: expected a string, got number$/],
    [`{"query":"${QUERY}","operationName":{"a":1}}`, /^operationName: expected a string, got object$/],
    [`{"query":"${QUERY}","operationName":["a"]}`, /^operationName: expected a string, got array$/],
    ['', /^body: expected JSON$/],
    ['{"query":', /^body: expected JSON$/],
    ["{'query':1}", /^body: expected JSON$/],
    ['null', /^body: expected a JSON object, got null$/],
    ['1', /^body: expected a JSON object, got number$/],
    ['"x"', /^body: expected a JSON object, got string$/],
    ['[null]', /^body: expected a single operation; batches are not supported$/],
    [deepArrays(60_000), /^body: expected a single operation; batches are not supported$/],
  ];
  test.each(cases.map(([body, message]) => [body.slice(0, 60), body, message] as const))(
    '%s is 400',
    async (_, body, message) => {
      await expectRejection(await asJson(body), message);
    },
  );
});

describe('a JSON body that is not an object', () => {
  const accepts = ['application/json', '*/*', 'application/graphql-response+json'];
  test.each(['', '{', 'null', '7', '[]'])('%j is 400, regardless of the accepted type', async (body) => {
    for (const accept of accepts) {
      const headers = { 'content-type': 'application/json', accept };
      const response = await fetch(`${app.url}/graphql`, { method: 'POST', headers, body });
      await expectRejection(response, /^body: expected /);
    }
  });
});

describe('parameters that GraphQL over HTTP does not define', () => {
  const unknown = { operationType: 'query', id: '7', doc_id: null, nested: { a: [1] } };

  test('unknown parameters of a JSON body are ignored, also if they have the names of inherited properties', async () => {
    const body = JSON.stringify({ query: QUERY, ...unknown }).replace(
      '{',
      '{"__proto__":{"query":1},"constructor":1,',
    );
    expect(await (await asJson(body)).json()).toEqual({ data: { __typename: 'Query' } });
  });

  test('unknown parameters of a form and a URL are ignored', async () => {
    for (const send of [asForm, asQuery]) {
      const response = await send({ query: QUERY, operationType: 'query', id: '7' });
      expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
    }
  });

  test('a subscription with `operationType` is streamed', async () => {
    const body = JSON.stringify({
      query: 'subscription { agentStream(id: "nope") { seq } }',
      operationType: 'subscription',
    });
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
    const response = await fetch(`${app.url}/graphql`, { method: 'POST', headers, body });
    expect(await response.text()).toContain('"code":"NOT_FOUND"');
  });

  test('a body without `query` is rejected although it has other parameters', async () => {
    await expectRejection(
      await asJson('{"operationType":"query"}'),
      /^query: expected a string, got undefined$/,
    );
  });
});

test('the media type of a JSON body is compared without regard to case and parameters', async () => {
  for (const type of ['Application/JSON', 'application/json ;charset=UTF-8', 'application/graphql+json']) {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: JSON.stringify({ query: QUERY }),
    });
    expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
  }
});

describe('the nesting of variables and extensions', () => {
  test.each(['variables', 'extensions'])(
    '%s of up to 128 levels are accepted, and of 129 rejected',
    async (name) => {
      const tooDeep = RegExp(`^${name}: expected JSON of up to 128 levels$`);
      const body = (value: string) => `{"query":"${QUERY}","${name}":{"a":${value}}}`;
      for (const nested of [deepArrays, deepObjects]) {
        expect(await (await asJson(body(nested(127)))).json()).toEqual({ data: { __typename: 'Query' } });
        await expectRejection(await asJson(body(nested(128))), tooDeep);
        await expectRejection(await asJson(body(nested(20_000))), tooDeep);
        await expectRejection(await asForm({ query: QUERY, [name]: `{"a":${nested(4_000)}}` }), tooDeep);
      }
    },
  );

  test.each([
    'subscription($a: Cursor) { agentStream(id: "a1", after: $a) { seq } }',
    'mutation($a: [ID!]!) { createStreamToken(executions: $a) { token } }',
    'query($a: ID!) { execution(kind: AGENT, id: $a) { id } }',
  ])('the nesting is checked before a scalar receives the value: %s', async (query) => {
    const body = `{"query":${JSON.stringify(query)},"variables":{"a":${deepObjects(10_000)}}}`;
    await expectRejection(await asJson(body), /^variables: expected JSON of up to 128 levels$/);
  });

  test('the nesting is checked in single connection mode', async () => {
    const reserved = await fetch(`${app.url}/graphql/stream`, { method: 'PUT' });
    const token = await reserved.text();
    const query = 'subscription($a: Cursor) { agentStream(id: "a1", after: $a) { seq } }';
    const response = await fetch(`${app.url}/graphql/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-graphql-event-stream-token': token },
      body: JSON.stringify({ query, extensions: { operationId: '1' } }).replace(
        /}$/,
        `,"variables":{"a":${deepObjects(10_000)}}}`,
      ),
    });
    await expectRejection(response, /^variables: expected JSON of up to 128 levels$/);
  });
});
