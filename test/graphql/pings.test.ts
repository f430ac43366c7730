// `ping=event`: heartbeats as messages, for clients that hide comments.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { chunks, collect, createApp, directLog, EVENT_STREAM, graphqlPath, settled } from '../support/app.ts';

const GRAPHQL = graphqlPath('subscription { agentStream(id: "a1", events: [LLM_CHUNK]) { seq } }');
const REST = '/api/v0/executions/agents/a1/stream?events=llm_chunk';
const NEXT_PING = 'event: next\ndata: {"data":null,"extensions":{"ping":true}}\n\n';
const REST_PING = 'event: ping\ndata: {}\n\n';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('with ping=event', () => {
  test.each([
    ['GraphQL', GRAPHQL, NEXT_PING],
    ['REST', REST, REST_PING],
  ])('%s: a heartbeat is a message, with the cursor of skipped events', async (_, path, ping) => {
    const app = createApp();
    const log = await directLog(app);
    const body = collect(await app.request(`${path}&ping=event`, { headers: EVENT_STREAM }));
    await settled();
    await vi.advanceTimersByTimeAsync(15_000);
    await settled();
    expect(body.text).toBe(`retry: 1000\n:\n\n${ping}`);
    await log.append({ type: 'warning', ts: '2026-01-02T03:04:05.678Z', data: { code: 'X', message: 'x' } });
    await settled();
    await vi.advanceTimersByTimeAsync(15_000);
    await settled();
    expect(log.masked(body.text)).toBe(`retry: 1000\n:\n\n${ping}id: 1-EPOCH\n${ping}`);
    await body.cancel();
  });

  test('viewers with and without pings share the execution of each event', async () => {
    const app = createApp();
    const log = await directLog(app);
    await log.append(...chunks(3));
    for (const path of [GRAPHQL, `${GRAPHQL}&ping=event`]) {
      const body = collect(await app.request(path, { headers: EVENT_STREAM }));
      await settled();
      expect(body.text).toContain('"seq":3');
      if (path !== GRAPHQL) await body.cancel();
    }
    expect(app.services.graphql.counter.executions).toBe(3);
  });
});

test.each([
  ['GraphQL', GRAPHQL],
  ['REST', REST],
])('%s: any other value of ping is rejected and named', async (_, path) => {
  const app = createApp();
  await directLog(app);
  const response = await app.request(`${path}&ping=comment`, { headers: EVENT_STREAM });
  const text = await response.text();
  expect(text).toContain('ping: expected event, got \\"comment\\"');
  expect(text).toContain('BAD_USER_INPUT');
  expect(app.services.tails.size).toBe(0);
});
