// Memory that is released: the requests of open streams (the objects that Yoga and the adapter created for them), and
// servers that were closed.
import { queryObjects } from 'node:v8';
import { expect, test } from 'vitest';
import { EventStreams } from '../../src/sse/event-streams.ts';
import { Tails } from '../../src/tail/tails.ts';
import { chunk, directLog, startApp } from '../support/app.ts';
import { openSse } from '../support/sse.ts';
import { until } from '../support/wait.ts';
import { restUrl } from './reader.ts';

const VIEWERS = 30;

test.each([
  ['REST', (url: string) => openSse(restUrl(url, 'a1'))],
  [
    'GraphQL over POST',
    (url: string) =>
      openSse(`${url}/graphql`, { body: { query: 'subscription { agentStream(id: "a1") { seq } }' } }),
  ],
])('streams over %s do not retain their requests', async (_, open) => {
  await using app = await startApp();
  const log = await directLog(app);
  await log.append(chunk('a'));
  const streams = await Promise.all(Array.from({ length: VIEWERS }, () => open(app.url)));
  await until(() => streams.every(({ text }) => text.includes('id: 1-')));
  // `queryObjects` collects garbage before it counts.
  const { Request, Headers } = app.services.graphql.yoga.fetchAPI;
  for (const type of [Request, Headers]) {
    await until(() => queryObjects(type, { format: 'count' }) < VIEWERS / 2);
  }
  expect(app.services.streams.size).toBe(VIEWERS);
  for (const stream of streams) stream.destroy();
});

test('a server that was closed is released, after requests, metrics and streams', async () => {
  const counts = () => [EventStreams, Tails].map((type) => queryObjects(type, { format: 'count' }));
  const before = counts();
  for (let i = 0; i < 3; i += 1) {
    await using app = await startApp();
    await (await directLog(app)).append(chunk('a'));
    using stream = await openSse(restUrl(app.url, 'a1'));
    await stream.take(1);
    expect((await fetch(`${app.url}/metrics`)).status).toBe(200);
    const query = encodeURIComponent('{ __typename }');
    expect((await fetch(`${app.url}/graphql?query=${query}`)).status).toBe(200);
  }
  await until(() => counts().every((count, i) => count <= before[i]!));
});
