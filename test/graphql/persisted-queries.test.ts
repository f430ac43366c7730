// Automatic persisted queries: Apollo's protocol, its real client, and which documents are stored.
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache, Observable } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { print } from 'graphql';
import { createClient } from 'graphql-sse';
import { describe, expect, test } from 'vitest';
import { withPersistedQueries } from '../../examples/clients/apollo-persisted-queries.ts';
import { MAX_DOCUMENT_LENGTH, MAX_DOCUMENTS } from '../../src/graphql/persisted-queries.ts';
import { DEFAULT_SERVER_LIMITS } from '../../src/server/limits.ts';
import { type App, type AppOptions, chunks, createApp, directLog, range, startApp } from '../support/app.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const extensionsOf = (query: string) => ({ persistedQuery: { version: 1, sha256Hash: sha256(query) } });
const QUERY = '{ __typename }';
const automatic = (options: AppOptions = {}) => createApp({ persistedQueries: 'automatic', ...options });

async function post(app: App, body: object, accept = 'application/json') {
  const headers = { 'content-type': 'application/json', accept };
  const response = await app.request('/graphql', { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, headers: response.headers, ...(await response.json()) };
}
const byHash = (app: App, query: string) => post(app, { extensions: extensionsOf(query) });
const register = (app: App, query: string) => post(app, { query, extensions: extensionsOf(query) });

const NOT_FOUND = [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }];

describe('the protocol', () => {
  test('a hash is unknown until its document has been sent, also with other variables and in a form', async () => {
    await using app = automatic();
    await directLog(app);
    const query = 'query($id: ID!) { execution(kind: AGENT, id: $id) { id } }';
    const unknown = await byHash(app, query);
    expect(unknown).toMatchObject({ status: 200, errors: NOT_FOUND });
    expect(unknown.headers.get('cache-control')).toBe('no-store');
    expect(unknown.data).toBeUndefined();
    const extensions = extensionsOf(query);
    expect((await post(app, { query, extensions, variables: { id: 'a1' } })).data).toEqual({
      execution: { id: 'a1' },
    });
    expect((await post(app, { extensions, variables: { id: 'x' } })).data).toEqual({ execution: null });
    const form = new URLSearchParams({ extensions: JSON.stringify(extensions), variables: '{"id":"a1"}' });
    const response = await app.request('/graphql', { method: 'POST', body: form });
    expect(await response.json()).toEqual({ data: { execution: { id: 'a1' } } });
  });

  test('GET works with the hash alone and with the document', async () => {
    await using app = automatic();
    const get = async (parameters: Record<string, string>) => {
      const extensions = JSON.stringify(extensionsOf(QUERY));
      const response = await app.request(`/graphql?${new URLSearchParams({ extensions, ...parameters })}`, {
        headers: { accept: 'application/graphql-response+json' },
      });
      return response.json();
    };
    expect(await get({})).toEqual({ errors: NOT_FOUND });
    expect(await get({ query: QUERY })).toEqual({ data: { __typename: 'Query' } });
    expect(await get({})).toEqual({ data: { __typename: 'Query' } });
  });

  test('a document with the hash of another one is rejected with 400, and not stored', async () => {
    await using app = automatic();
    const query = '{ executions { pageInfo { hasNextPage } } }';
    const mismatch = await post(app, { query, extensions: extensionsOf(QUERY) });
    expect(mismatch).toMatchObject({
      status: 400,
      errors: [{ message: 'PersistedQueryMismatch', extensions: { code: 'PERSISTED_QUERY_MISMATCH' } }],
    });
    expect((await byHash(app, QUERY)).errors).toEqual(NOT_FOUND);
    expect((await byHash(app, query)).errors).toEqual(NOT_FOUND);
  });

  test.each([
    [{ version: 2, sha256Hash: sha256(QUERY) }],
    [{ version: 1 }],
    [{ version: 1, sha256Hash: 7 }],
    [{ version: 1, sha256Hash: 'abc' }],
    [{ version: 1, sha256Hash: sha256(QUERY).toUpperCase() }],
    ['x'],
    [[]],
  ])('a malformed reference is rejected with 400: %j', async (persistedQuery) => {
    await using app = automatic();
    for (const query of [QUERY, undefined]) {
      const { status, errors } = await post(app, { query, extensions: { persistedQuery } });
      expect(status).toBe(400);
      expect(errors[0]).toEqual({
        message: 'extensions.persistedQuery: expected version 1 and a SHA-256 hash in lower-case hexadecimal',
        extensions: { code: 'BAD_USER_INPUT' },
      });
    }
    expect(app.errors).toEqual([]);
  });

  test('a query that is not a string is rejected although its hash matches', async () => {
    await using app = automatic();
    const { status, errors } = await post(app, { query: [QUERY], extensions: extensionsOf(QUERY) });
    expect({ status, errors }).toMatchObject({
      status: 400,
      errors: [{ message: 'query: expected a string, got array' }],
    });
    expect((await byHash(app, QUERY)).errors).toEqual(NOT_FOUND);
  });

  test('without the setting, a hash alone is PERSISTED_QUERY_NOT_SUPPORTED, and documents are executed', async () => {
    await using app = createApp();
    expect((await register(app, QUERY)).data).toEqual({ __typename: 'Query' });
    expect(await byHash(app, QUERY)).toMatchObject({
      status: 200,
      errors: [
        { message: 'PersistedQueryNotSupported', extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' } },
      ],
    });
  });
});

describe('stored documents', () => {
  const comment = (length: number) => `${QUERY} #${'x'.repeat(length - QUERY.length - 2)}`;

  test.each([
    ['above the token limit', `{ ${'__typename '.repeat(2_001)} }`],
    [
      'that is too deep',
      `{ executions ${'{ edges { node { children '.repeat(5)} { pageInfo { endCursor } } ${'} } }'.repeat(5)} }`,
    ],
    ['that is invalid', '{ nope }'],
    ['that does not parse', '{'],
  ])('a document %s is not stored', async (_, query) => {
    await using app = automatic();
    expect((await register(app, query)).errors).toBeDefined();
    expect((await byHash(app, query)).errors).toEqual(NOT_FOUND);
  });

  test('a document of a caller whose quota is used up is not stored', async () => {
    const quotas = { ...DEFAULT_SERVER_LIMITS.quotas, queries: 1 };
    await using app = automatic({ serverLimits: { ...DEFAULT_SERVER_LIMITS, quotas } });
    const as = async (id: string, body: object) => {
      const headers = { 'content-type': 'application/json' };
      const init = { method: 'POST', headers, body: JSON.stringify(body) };
      return (await app.request('/graphql', init, { id })).json();
    };
    const isExhausted = async () => (await as('ann', { query: QUERY })).errors !== undefined;
    while (!(await isExhausted()));
    const other = '{ a: __typename }';
    const rejected = await as('ann', { query: other, extensions: extensionsOf(other) });
    expect(rejected.errors[0].extensions.code).toBe('TOO_MANY_REQUESTS');
    expect((await as('bob', { extensions: extensionsOf(other) })).errors).toEqual(NOT_FOUND);
  });

  test('a document above the length limit is executed and not stored', async () => {
    await using app = automatic();
    const long = comment(MAX_DOCUMENT_LENGTH + 1);
    expect((await register(app, long)).data).toEqual({ __typename: 'Query' });
    expect((await byHash(app, long)).errors).toEqual(NOT_FOUND);
    const longest = comment(MAX_DOCUMENT_LENGTH);
    await register(app, longest);
    expect((await byHash(app, longest)).data).toEqual({ __typename: 'Query' });
  });

  test('documents above the limit evict the ones that were not used for the longest time', async () => {
    const quotas = { ...DEFAULT_SERVER_LIMITS.quotas, queries: 1_000_000 };
    await using app = automatic({ serverLimits: { ...DEFAULT_SERVER_LIMITS, quotas } });
    const document = (i: number) => `{ a${i}: __typename }`;
    for (let i = 0; i < MAX_DOCUMENTS; i += 1) await register(app, document(i));
    expect((await byHash(app, document(0))).data).toEqual({ a0: 'Query' });
    await register(app, document(MAX_DOCUMENTS));
    expect((await byHash(app, document(1))).errors).toEqual(NOT_FOUND);
    expect((await byHash(app, document(0))).data).toEqual({ a0: 'Query' });
  }, 30_000);
});

describe('Apollo Client with its persisted query link', () => {
  const document = gql`query Find($id: ID!) { execution(kind: AGENT, id: $id) { __typename id } }`;

  /** A client, and the bodies or URLs that it has sent. */
  function apollo(url: string, usesGet = false) {
    const sent: string[] = [];
    const fetchAndRecord: typeof fetch = (input, init) => {
      sent.push(String(init?.body ?? input));
      return fetch(input, init);
    };
    const http = new HttpLink({ uri: `${url}/graphql`, fetch: fetchAndRecord });
    const link = usesGet
      ? withPersistedQueries(http)
      : ApolloLink.from([new PersistedQueryLink({ sha256 }), http]);
    const client = new ApolloClient({ link, cache: new InMemoryCache() });
    const find = async () => {
      const result = await client.query({
        query: document,
        variables: { id: 'a1' },
        fetchPolicy: 'no-cache',
      });
      return result.data;
    };
    return { sent, find, [Symbol.dispose]: () => client.stop() };
  }
  const found = { execution: { __typename: 'Execution', id: 'a1' } };

  test.each([false, true])('the document is sent once, then the hash alone (by GET: %s)', async (usesGet) => {
    await using app = await startApp({ persistedQueries: 'automatic' });
    await directLog(app);
    using client = apollo(app.url, usesGet);
    expect(await client.find()).toEqual(found);
    expect(await client.find()).toEqual(found);
    expect(client.sent.map((text) => text.includes('query Find'))).toEqual([false, true, false]);
    expect(client.sent.map((text) => text.startsWith('{'))).toEqual([!usesGet, true, !usesGet]);
  });

  test('without the setting, the client falls back to complete documents', async () => {
    await using app = await startApp();
    await directLog(app);
    using client = apollo(app.url);
    expect(await client.find()).toEqual(found);
    expect(await client.find()).toEqual(found);
    expect(client.sent.map((text) => text.includes('query Find'))).toEqual([false, true, true]);
  });

  test('a subscription over SSE is streamed by its hash, after the document has been sent once', async () => {
    await using app = await startApp({ persistedQueries: 'automatic' });
    const log = await directLog(app);
    await log.append(...chunks(3));
    await log.complete();
    const sse = createClient({ url: `${app.url}/graphql`, retryAttempts: 0 });
    const sent: boolean[] = [];
    const sseLink = new ApolloLink((operation) => {
      const { http } = operation.getContext();
      const query = http?.includeQuery === false ? undefined : print(operation.query);
      sent.push(query !== undefined);
      const { operationName = '', variables, extensions } = operation;
      const request = { query: query as string, operationName, variables, extensions };
      return new Observable((observer) =>
        sse.subscribe(request, {
          next: (result) => observer.next(result as ApolloLink.Result),
          error: (error) => observer.error(error),
          complete: () => observer.complete(),
        }),
      );
    });
    const link = ApolloLink.from([new PersistedQueryLink({ sha256 }), sseLink]);
    const client = new ApolloClient({ link, cache: new InMemoryCache() });
    const watch = async () => {
      const seqs: number[] = [];
      await new Promise<void>((resolve, reject) => {
        client
          .subscribe<{ agentStream: { seq: number } }>({
            query: gql`subscription Watch { agentStream(id: "a1") { seq } }`,
            fetchPolicy: 'no-cache',
          })
          .subscribe({
            next: ({ data, error }) => (error ? reject(error) : seqs.push(data!.agentStream.seq)),
            error: reject,
            complete: resolve,
          });
      });
      return seqs;
    };
    expect(await watch()).toEqual(range(1, 4));
    expect(await watch()).toEqual(range(1, 4));
    expect(sent).toEqual([false, true, false]);
    client.stop();
    sse.dispose();
  });
});
