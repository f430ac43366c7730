// Different documents on one execution: each costs an execution per event, so that their number is limited.
import { afterEach, expect, test } from 'vitest';
import type { DocumentLimits } from '../../src/graphql/shared-encodings.ts';
import { DEFAULT_SERVER_LIMITS } from '../../src/server/limits.ts';
import {
  type App,
  chunks,
  collect,
  createApp,
  directLog,
  EVENT_STREAM,
  graphqlPath,
  settled,
} from '../support/app.ts';
import { until } from '../support/wait.ts';

let app: App;
afterEach(() => app?.close());

async function start(documents: Partial<DocumentLimits> = {}) {
  const serverLimits = {
    ...DEFAULT_SERVER_LIMITS,
    documents: { ...DEFAULT_SERVER_LIMITS.documents, ...documents },
  };
  app = createApp({ serverLimits });
  return directLog(app);
}

const document = (name: string) => `subscription { agentStream(id: "a1") { ${name}: seq } }`;
const ann = { id: 'ann' };

async function open(name: string, caller?: { id: string }, headers: Record<string, string> = {}) {
  const init = { headers: { ...EVENT_STREAM, ...headers } };
  return collect(await app.request(graphqlPath(document(name)), init, caller));
}

const openRest = async (events: string, caller?: { id: string }) => {
  const path = `/api/v0/executions/agents/a1/stream?events=${events}`;
  return collect(await app.request(path, { headers: EVENT_STREAM }, caller));
};

test('of 300 viewers with 300 documents, 64 are executed for an event, and the others get 429 with the limit', async () => {
  const log = await start();
  const viewers = await Promise.all(Array.from({ length: 300 }, (_, i) => open(`a${i}`)));
  const accepted = viewers.filter(({ response }) => response.status === 200);
  expect(accepted).toHaveLength(64);
  for (const { response, text } of viewers.filter((viewer) => !accepted.includes(viewer))) {
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '5']);
    expect(JSON.parse(text)).toEqual({
      errors: [
        {
          message:
            'too many different documents or filters for this execution: the limit is 64; send one document from all viewers',
          extensions: { code: 'TOO_MANY_STREAMS' },
        },
      ],
    });
  }
  await log.append(...chunks(1));
  await settled();
  expect(app.services.graphql.counter.executions).toBe(64);
  for (const { text } of accepted) expect(text).toMatch(/"a\d+":1/);
  // A rejected viewer leaves nothing behind.
  await Promise.all(accepted.map((viewer) => viewer.cancel()));
  expect(app.services.tails.size).toBe(0);
  expect(app.errors).toEqual([]);
});

test('a document that is already open can be opened by any number of viewers', async () => {
  await start({ perExecution: 2, perCaller: 1 });
  await open('a', ann);
  await open('b', { id: 'bob' });
  for (let i = 0; i < 20; i += 1) {
    expect((await open('a', { id: `viewer-${i}` })).response.status).toBe(200);
    expect((await open('b', ann)).response.status).toBe(200);
  }
  expect((await open('c', { id: 'eve' })).response.status).toBe(429);
});

test('one caller cannot occupy all documents of an execution', async () => {
  await start();
  const statuses: number[] = [];
  for (let i = 0; i < 10; i += 1) statuses.push((await open(`a${i}`, ann)).response.status);
  expect(statuses).toEqual([...Array(8).fill(200), 429, 429]);
  for (let i = 0; i < 7; i += 1) {
    for (let j = 0; j < 8; j += 1) {
      expect((await open(`viewer_${i}_${j}`, { id: `viewer-${i}` })).response.status).toBe(200);
    }
  }
  expect((await open('more', { id: 'eve' })).response.status).toBe(429);
});

test('a document is free again once its last viewer has left', async () => {
  await start({ perCaller: 1 });
  const [first, second] = [await open('a', ann), await open('a', { id: 'bob' })];
  expect((await open('b', ann)).response.status).toBe(429);
  await first.cancel();
  expect((await open('b', ann)).response.status).toBe(429);
  await second.cancel();
  expect((await open('b', ann)).response.status).toBe(200);
});

test('each execution has its own documents', async () => {
  await start({ perExecution: 1 });
  await directLog(app, { id: 'a2' });
  await open('a');
  const other = document('b').replace('a1', 'a2');
  expect((await app.request(graphqlPath(other), { headers: EVENT_STREAM })).status).toBe(200);
});

test('REST viewers with different filters count as documents', async () => {
  await start({ perExecution: 2 });
  expect((await openRest('llm_chunk,warning')).response.status).toBe(200);
  expect((await openRest('warning,llm_chunk,')).response.status).toBe(200);
  expect((await openRest('warning')).response.status).toBe(200);
  const rejected = await openRest('llm_chunk');
  expect([rejected.response.status, rejected.response.headers.get('retry-after')]).toEqual([429, '5']);
  expect(JSON.parse(rejected.text)).toMatchObject({ code: 'TOO_MANY_STREAMS' });
});

test('a viewer that reconnects with another document gets 200, a longer retry and an unfinished response', async () => {
  const log = await start({ perExecution: 1 });
  await open('a');
  const back = await open('b', undefined, { 'last-event-id': `0-${log.epoch}` });
  await until(() => back.broken);
  expect(back.response.status).toBe(200);
  expect(back.text).toMatch(/^retry: 5000\n: too many different documents/);
  expect([back.done, back.broken]).toEqual([false, true]);
});

test('a rejected viewer releases its place among the streams of its caller', async () => {
  const serverLimits = {
    ...DEFAULT_SERVER_LIMITS,
    documents: { perExecution: 1, perCaller: 1 },
    streams: { ...DEFAULT_SERVER_LIMITS.streams, perCaller: 2, newPerSecond: 1_000 },
  };
  app = createApp({ serverLimits });
  await directLog(app);
  await open('a', { id: 'bob' });
  for (let i = 0; i < 10; i += 1) {
    const { text } = await open('b', ann);
    expect(text).toContain('too many different documents');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
});
