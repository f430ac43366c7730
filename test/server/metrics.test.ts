// `/metrics` (PROTOCOL.md, "Other paths").
import { expect, test } from 'vitest';
import { createMetrics } from '../../src/server/metrics.ts';
import { createRequestCounter } from '../../src/temporal/source/request-metrics.ts';
import { chunks, directLog, graphqlPath, startApp } from '../support/app.ts';
import { openSse } from '../support/sse.ts';
import { restUrl } from './reader.ts';

/** The value of each metric without labels. */
async function metricsOf(url: string): Promise<Record<string, number>> {
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split('\n').filter((line) => /^\w+ /.test(line));
  return Object.fromEntries(
    lines.map((line) => line.split(' ')).map(([name, value]) => [name!, Number(value)]),
  );
}

test('metrics report streams, followed executions, bytes sent and the state of the process', async () => {
  await using app = await startApp();
  const log = await directLog(app);
  await log.append(...chunks(5));
  const query = graphqlPath('subscription { agentStream(id: "a1") { id } }');
  using one = await openSse(restUrl(app.url, 'a1'));
  using two = await openSse(app.url + query);
  using three = await openSse(app.url + query);
  await Promise.all([one, two, three].map((stream) => stream.take(5)));
  const now = await metricsOf(app.url);
  expect(now).toMatchObject({
    execstream_streams: 3,
    execstream_executions_followed: 1,
    execstream_streams_opened_total: 3,
    // Five events, once for REST and once for both GraphQL streams.
    execstream_graphql_executions_total: 10,
  });
  const framed = [one, two, three].map(({ text }) => text.length - 'retry: 1000\n:\n\n'.length);
  expect(now.execstream_stream_bytes_total).toBe(framed.reduce((sum, length) => sum + length));
  expect(now.nodejs_heap_size_used_bytes).toBeGreaterThan(1e6);
  one.destroy();
  await expect.poll(async () => (await metricsOf(app.url)).execstream_streams).toBe(2);
  expect((await metricsOf(app.url)).execstream_streams_opened_total).toBe(3);
});

test('metrics do not contain the id of an execution', async () => {
  await using app = await startApp();
  await directLog(app, { id: 'secret-plan' });
  using stream = await openSse(restUrl(app.url, 'secret-plan'));
  expect(stream.status).toBe(200);
  expect(await (await fetch(`${app.url}/metrics`)).text()).not.toContain('secret-plan');
});

test('metrics report the requests to Temporal by kind and outcome, and what waits by priority', async () => {
  const temporal = createRequestCounter({
    waiting: (priority) => (priority === 'poll' ? 3 : 0),
    waitedMs: (priority) => (priority === 'end' ? 250 : 0),
  });
  temporal.record('query', 'ok');
  temporal.record('query', 'no-worker');
  temporal.record('describe', 'ok');
  const none = { size: 0, opened: 0, bytes: 0, executions: 0 } as never;
  const metrics = createMetrics({ streams: none, tails: none, counter: none, temporal });
  const read = async () =>
    (await (await metrics()).text()).split('\n').filter((line) => /^execstream_temporal/.test(line));
  temporal.record('query', 'ok');
  await read();
  // Reading them does not count them again.
  expect(await read()).toEqual([
    'execstream_temporal_requests_total{kind="query",outcome="ok"} 2',
    'execstream_temporal_requests_total{kind="query",outcome="no-worker"} 1',
    'execstream_temporal_requests_total{kind="describe",outcome="ok"} 1',
    'execstream_temporal_request_wait_seconds_total{priority="end"} 0.25',
    ...['view', 'watch', 'poll', 'retry', 'sweep'].map(
      (priority) => `execstream_temporal_request_wait_seconds_total{priority="${priority}"} 0`,
    ),
    ...['end', 'view', 'watch', 'poll', 'retry', 'sweep'].map(
      (priority) =>
        `execstream_temporal_requests_waiting{priority="${priority}"} ${priority === 'poll' ? 3 : 0}`,
    ),
  ]);
});
