// Usage and durations from the publisher library and over HTTP to the state, in GraphQL and REST.
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ListeningApp, startApp } from '../support/app.ts';

let app: ListeningApp;
beforeEach(async () => {
  app = await startApp();
});
afterEach(() => app.close());

/** The usage in REST and in GraphQL, which must be equal. */
async function usageOfState(id: string): Promise<unknown> {
  const response = await fetch(`${app.url}/api/v0/executions/agents/${id}`);
  expect(response.status).toBe(200);
  const { usage } = (await response.json()) as { usage: unknown };
  const fields = 'usage { inputTokens outputTokens totalTokens model costUsd }';
  const query = `{ execution(kind: AGENT, id: "${id}") { ${fields} } }`;
  const graphql = await fetch(`${app.url}/graphql?query=${encodeURIComponent(query)}`);
  expect(await graphql.json()).toEqual({ data: { execution: { usage } } });
  return usage;
}

const read = { inputTokens: 2 ** 40, outputTokens: 5, totalTokens: 2 ** 40 + 5, model: null, costUsd: null };

const REPORTED = [
  { inputTokens: 2 ** 40, outputTokens: 5, totalTokens: 2 ** 40 + 5 },
  { prompt_tokens: 2 ** 40, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 1 } },
  { promptTokens: 2 ** 40, completionTokens: 5, totalTokens: null },
];

test.each(REPORTED)('a run that reports the usage %j has it in its state and its end', async (usage) => {
  const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
  await run.usage(usage);
  expect(await run.complete('done')).toBe(true);
  expect(await usageOfState('a1')).toEqual(read);
  const events = (await app.log.read('a1', 0, 100))!.events;
  const { model: _, costUsd: __, ...sent } = read;
  expect(events.at(-1)).toMatchObject({ type: 'complete', data: { usage: sent } });
});

test.each([{ inputTokens: -1 }, { inputTokens: 2 ** 53 }, { tokens: 1 }, 'many' as never])(
  'a run rejects the usage %j, and continues',
  async (usage) => {
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    expect(await run.usage(usage)).toBe(false);
    expect(run.stats.rejected).toBe(1);
    expect(await run.complete('done')).toBe(true);
    expect(await usageOfState('a1')).toBeNull();
  },
);

test('usage that an SDK does not know does not replace the usage before it', async () => {
  const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
  await run.usage({ inputTokens: 1, outputTokens: 2 });
  await run.usage({ inputTokens: Number.NaN, outputTokens: undefined });
  await run.complete('done');
  expect(await usageOfState('a1')).toMatchObject({ inputTokens: 1, outputTokens: 2, totalTokens: 3 });
});

async function publishEnd(usage: unknown): Promise<Response> {
  const headers = { 'Content-Type': 'application/json' };
  const path = `${app.url}/api/v0/executions/agents/a1`;
  const response = await fetch(path, { method: 'PUT', headers, body: '{"mode":"TEXT"}' });
  const { token } = (await response.json()) as { token: string };
  const body = JSON.stringify({ events: [{ type: 'complete', data: { result: 'done', usage } }] });
  const publisher = { 'Publisher-Token': token, 'Idempotency-Key': randomUUID() };
  return fetch(`${path}/events`, { method: 'POST', headers: { ...headers, ...publisher }, body });
}

test.each(REPORTED)('an end over HTTP with the usage %j has it in its state', async (usage) => {
  expect((await publishEnd(usage)).status).toBe(200);
  expect(await usageOfState('a1')).toEqual(read);
});

test.each([{ inputTokens: -1 }, { inputTokens: 2 ** 53 }, { tokens: 1 }, 'many'])(
  'an end over HTTP with the usage %j is 422, and names the field',
  async (usage) => {
    const response = await publishEnd(usage);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      code: 'BAD_USER_INPUT',
      detail: expect.stringMatching(/^events\.0: complete: data\.usage/),
    });
  },
);

test('the duration of an execution of 30 days is exact in GraphQL, REST and its stream', async () => {
  const days = 30 * 24 * 3_600_000;
  await app.store.begin({ id: 'a1', kind: 'agent', mode: 'TEXT' });
  const { startedAt } = (await app.store.get('a1'))!;
  const ended = { status: 'SUCCESS', finishedAt: new Date(startedAt.getTime() + days) } as const;
  await using other = await startApp({ store: withRow(app, ended) });
  const rest = await fetch(`${other.url}/api/v0/executions/agents/a1`);
  expect(await rest.json()).toMatchObject({ durationMs: days });
  const query = '{ execution(kind: AGENT, id: "a1") { durationMs } }';
  const graphql = await fetch(`${other.url}/graphql?query=${encodeURIComponent(query)}`);
  expect(await graphql.json()).toEqual({ data: { execution: { durationMs: days } } });
  const stream = await fetch(`${other.url}/api/v0/executions/agents/a1/stream`);
  expect(await stream.text()).toContain(`"durationMs":${days}}`);
  const subscription = 'subscription { agentStream(id: "a1") { ... on CompleteEvent { durationMs } } }';
  const typed = await fetch(`${other.url}/graphql?query=${encodeURIComponent(subscription)}`, {
    headers: { accept: 'text/event-stream' },
  });
  expect(await typed.text()).toContain(`{"durationMs":${days}}`);
});

/** The store of an app whose row has other fields. */
function withRow({ store }: ListeningApp, fields: object): ListeningApp['store'] {
  return {
    ...store,
    get: async (id) => ({ ...(await store.get(id))!, ...fields }),
    getMany: async (ids) => (await store.getMany(ids)).map((row) => ({ ...row, ...fields })),
    statesAfter: async (id) => [{ ...(await store.get(id))!, ...fields, revision: 2 }],
    markEnd: async () => {},
  };
}
