// An open stream does not retain its request: the objects that Yoga and the adapter created for it are released.
import { queryObjects } from 'node:v8';
import { expect, test } from 'vitest';
import { directLog, startApp } from '../support/app.ts';
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
  await log.append({ type: 'llm_chunk', data: { content: 'a' }, ts: '2026-11-01T00:00:00.000Z' });
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
