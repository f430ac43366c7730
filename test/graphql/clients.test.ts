// Real clients: graphql-sse in both of its modes, and EventSource.
import { EventSource } from 'eventsource';
import { type Client, createClient, type RequestParams } from 'graphql-sse';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chunks, directLog, graphqlPath, type ListeningApp, range, startApp } from '../support/app.ts';

let app: ListeningApp;
let client: Client<boolean> | undefined;
beforeEach(async () => {
  app = await startApp({ settings: { retryMs: 20 } });
});
afterEach(async () => {
  client?.dispose();
  client = undefined;
  await app.close();
});

const QUERY =
  'subscription($id: ID!, $after: Cursor) { agentStream(id: $id, after: $after) { id seq ... on LlmChunkEvent { content } } }';
interface Seen {
  seqs: number[];
  lastId: string;
  errors: unknown[];
  state: 'open' | 'complete' | 'error';
}

/** Subscribes and collects. */
function watch(variables: object, query = QUERY): Seen & { stop: () => void } {
  const seen: Seen = { seqs: [], lastId: '', errors: [], state: 'open' };
  const params: RequestParams = { query, variables: variables as Record<string, unknown> };
  const stop = client!.subscribe<{ agentStream: { id: string; seq: number } }>(params, {
    next: ({ data, errors }) => {
      if (errors) seen.errors.push(...errors);
      if (!data) return;
      seen.seqs.push(data.agentStream.seq);
      seen.lastId = data.agentStream.id;
    },
    error: (error) => {
      seen.errors.push(error);
      seen.state = 'error';
    },
    complete: () => {
      seen.state = 'complete';
    },
  });
  return Object.assign(seen, { stop });
}

describe('the graphql-sse client in distinct connections mode', () => {
  beforeEach(() => {
    client = createClient({ url: `${app.url}/graphql`, retryAttempts: 0 });
  });

  test('a graphql-sse client receives every event and the end', async () => {
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    const seen = watch({ id: 'a1' });
    await expect.poll(() => seen.seqs).toEqual([1]);
    await run.text('hello');
    await run.complete();
    await expect.poll(() => seen.state).toBe('complete');
    expect(seen.seqs).toEqual([1, 2, 3]);
    expect(seen.errors).toEqual([]);
  });

  test('a graphql-sse client resumes with `after`, and receives only `complete` at the end', async () => {
    const log = await directLog(app);
    await log.append(...chunks(5));
    await log.complete();
    const seen = watch({ id: 'a1', after: `3-${log.epoch}` });
    await expect.poll(() => seen.state).toBe('complete');
    expect(seen.seqs).toEqual([4, 5, 6]);
    const again = watch({ id: 'a1', after: seen.lastId });
    await expect.poll(() => again.state).toBe('complete');
    expect([again.seqs, again.errors]).toEqual([[], []]);
  });

  test('a rejection is a result with errors and an end, and is not retried', async () => {
    const seen = watch({ id: 'nope' });
    await expect.poll(() => seen.state).toBe('complete');
    expect(seen.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });

  test('a query has a single result', async () => {
    await directLog(app);
    const results = [];
    for await (const result of client!.iterate({ query: '{ execution(kind: AGENT, id: "a1") { id } }' })) {
      results.push(result);
    }
    expect(results).toEqual([{ data: { execution: { id: 'a1' } } }]);
  });

  test('a client that stops is released by the server', async () => {
    await directLog(app);
    const seen = watch({ id: 'a1' });
    await expect.poll(() => app.services.tails.size).toBe(1);
    seen.stop();
    await expect.poll(() => app.services.tails.size).toBe(0);
  });
});

describe('the graphql-sse client in single connection mode', () => {
  test('two operations on one connection each resume with `after`, and Last-Event-ID is ignored', async () => {
    client = createClient<true>({
      url: `${app.url}/graphql/stream`,
      singleConnection: true,
      retryAttempts: 0,
      headers: { 'last-event-id': '4' },
    });
    const [one, two] = [await directLog(app, { id: 'one' }), await directLog(app, { id: 'two' })];
    await one.append(...chunks(5));
    await two.append(...chunks(5));
    const first = watch({ id: 'one', after: `2-${one.epoch}` });
    const second = watch({ id: 'two' });
    await expect.poll(() => [first.seqs, second.seqs]).toEqual([[3, 4, 5], range(1, 5)]);
    await one.append(...chunks(2, 6));
    await two.complete();
    await expect.poll(() => first.seqs).toEqual(range(3, 7));
    await expect.poll(() => second.state).toBe('complete');
    expect(second.seqs).toEqual(range(1, 6));
    expect(first.state).toBe('open');
    expect([...first.errors, ...second.errors]).toEqual([]);
    first.stop();
    await expect.poll(() => app.services.tails.size).toBe(0);
  });

  test('a rejection of one operation does not affect another one on the connection', async () => {
    client = createClient({ url: `${app.url}/graphql/stream`, singleConnection: true, retryAttempts: 0 });
    const log = await directLog(app);
    const good = watch({ id: 'a1' });
    const bad = watch({ id: 'nope' });
    const wrong = watch({ id: 'a1' }, 'subscription { agentStream(id: "a1") { nope } }');
    await expect.poll(() => bad.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    await expect.poll(() => wrong.state).not.toBe('open');
    expect(wrong.errors).toHaveLength(1);
    expect(bad.state).toBe('complete');
    await log.append(...chunks(2));
    await expect.poll(() => good.seqs).toEqual([1, 2]);
    expect(good.errors).toEqual([]);
  });

  test('a client that disconnects releases all of its viewers', async () => {
    client = createClient({ url: `${app.url}/graphql/stream`, singleConnection: true, retryAttempts: 0 });
    await directLog(app, { id: 'one' });
    await directLog(app, { id: 'two' });
    watch({ id: 'one' });
    watch({ id: 'two' });
    await expect.poll(() => app.services.tails.size).toBe(2);
    client.dispose();
    await expect.poll(() => app.services.tails.size).toBe(0);
  });
});

describe('EventSource', () => {
  test.each([
    ['GraphQL', 'next', (): string => graphqlPath('subscription { agentStream(id: "a1") { seq } }')],
    ['REST', 'llm_chunk', (): string => '/api/v0/executions/agents/a1/stream'],
  ] as const)(
    '%s: comes back after each rotation, misses nothing, and stops at 204',
    async (_, type, path) => {
      const log = await directLog(app);
      const source = new EventSource(app.url + path());
      try {
        const ids: string[] = [];
        let opened = 0;
        let ends = 0;
        source.addEventListener('open', () => (opened += 1));
        source.addEventListener(type, ({ lastEventId }) => ids.push(lastEventId));
        source.addEventListener('complete', () => (ends += 1));
        for (let round = 0; round < 3; round += 1) {
          await expect.poll(() => opened, { timeout: 5_000 }).toBe(round + 1);
          await log.append(...chunks(4));
          await expect.poll(() => ids.length).toBe(4 * round + 4);
          app.services.streams.rotateAll();
        }
        await expect.poll(() => opened, { timeout: 5_000 }).toBe(4);
        await log.complete();
        await expect.poll(() => source.readyState, { timeout: 5_000 }).toBe(EventSource.CLOSED);
        const last = type === 'next' ? 13 : 12;
        expect(ids).toEqual(range(1, last).map((seq) => `${seq}-${log.epoch}`));
        // As the event of REST, and as the message of GraphQL over SSE.
        expect(ends).toBe(1);
        expect(opened).toBe(4);
      } finally {
        source.close();
      }
    },
  );

  test('EventSource reconnects after an outage of the source, although its responses would be 503', async () => {
    const store = app.store as { isAway?: boolean };
    const log = await directLog(app);
    const source = new EventSource(`${app.url}/api/v0/executions/agents/a1/stream`);
    try {
      const ids: string[] = [];
      let failures = 0;
      source.addEventListener('llm_chunk', ({ lastEventId }) => ids.push(lastEventId));
      source.addEventListener('error', () => (failures += 1));
      await log.append(...chunks(2));
      await expect.poll(() => ids.length).toBe(2);
      store.isAway = true;
      app.services.streams.rotateAll();
      // Rotated, then one unfinished response with a longer retry: the client keeps reconnecting.
      await expect.poll(() => failures, { timeout: 5_000 }).toBe(2);
      expect(source.readyState).toBe(EventSource.CONNECTING);
    } finally {
      source.close();
      store.isAway = false;
    }
  });
});
