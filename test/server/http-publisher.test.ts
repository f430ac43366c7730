// A publisher over HTTP through a network that cuts connections, and a server that is killed: nothing is lost, duplicated
// or out of order.
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { createHttpPublisher, type HttpPublisherOptions } from '../../src/worker-http.ts';
import { foldLog } from '../publish/fold.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { describeOwnRedis, startRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';
import { startProcess } from './process.ts';

const KEY = 'k'.repeat(32);
const tokenOf = (scope: string, expiresIn = '1h') =>
  new SignJWT({ scope })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('edge')
    .setExpirationTime(expiresIn)
    .sign(new TextEncoder().encode(KEY));

const publisherOf = (options: HttpPublisherOptions) =>
  createHttpPublisher({ ...options, limits: { callMs: 2_000, endMs: 60_000, ...options.limits } });

/** Publishes numbered words and tool calls, and calls back in the middle. */
async function publishWords(
  publisher: ReturnType<typeof createHttpPublisher>,
  { id, words, atHalf }: { id: string; words: number; atHalf?: () => Promise<void> },
) {
  const run = await publisher.begin({ id, kind: 'agent' });
  let text = '';
  for (let i = 0; i < words; i += 1) {
    if (i === Math.floor(words / 2)) {
      await until(() => run.flush(), { timeoutMs: 20_000 });
      await atHalf?.();
    }
    text += `${i} `;
    await run.text(`${i} `);
    if (i % 10 === 0) await run.toolCall({ toolCallId: `t${i}`, toolName: 'n', status: 'started' });
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return { text, isEnded: await run.complete(), run };
}

describePostgres('with Postgres', () => {
  describeOwnRedis('and Redis', () => {
    test('cuts before and after a batch, and two SIGKILLs of the server, lose, duplicate and reorder nothing', async () => {
      await using redis = await startRedis();
      const database = await createDatabase();
      const env = { REDIS_URL: redis.url, DATABASE_URL: database.url, AUTH_SHARED_KEY: KEY };
      const server = await startProcess(env);
      await using log = createRedisLog({ redis: redis.url });
      // Every third request, in turn before and after it.
      let n = 0;
      await using proxy = await startCuttingProxy(server, () => {
        n += 1;
        return n % 3 !== 0 ? 'none' : n % 2 === 0 ? 'before' : 'after';
      });
      try {
        await using publisher = publisherOf({ url: proxy.url, token: () => tokenOf('publish') });
        const restart = async () => {
          await server.kill();
          await server.start();
        };
        const { text, isEnded } = await publishWords(publisher, {
          id: 'cut',
          words: 400,
          atHalf: async () => {
            await restart();
            void restart();
          },
        });
        expect(isEnded).toBe(true);
        const folded = await foldLog(log, 'cut');
        expect(folded.text).toBe(text);
        expect(folded.resets).toEqual([]);
        const calls = folded.events.flatMap((event) =>
          event.type === 'tool_call' ? [event.data.toolCallId] : [],
        );
        expect(calls).toEqual(Array.from({ length: 40 }, (_, i) => `t${10 * i}`));
        expect(folded.ends).toMatchObject([{ type: 'complete', data: { result: text } }]);
        expect(proxy.counts.before).toBeGreaterThan(0);
        expect(proxy.counts.after).toBeGreaterThan(0);
        console.log(
          `${proxy.counts.before} cuts before, ${proxy.counts.after} after a request; ${folded.events.length} events`,
        );
      } finally {
        await server.stop();
        await database.drop();
      }
    }, 120_000);
  });
});

test('a server in memory that is killed loses the log: viewers get a reset and the complete text', async () => {
  const server = await startProcess({});
  try {
    await using publisher = publisherOf({ url: server.url });
    const { text, isEnded } = await publishWords(publisher, {
      id: 'memory',
      words: 100,
      atHalf: async () => {
        await server.kill();
        await server.start();
      },
    });
    expect(isEnded).toBe(true);
    const state = await (await fetch(`${server.url}/api/v0/executions/agents/memory`)).json();
    expect(state).toMatchObject({ status: 'SUCCESS', result: text, attempt: 1 });
    const stream = await (
      await fetch(`${server.url}/api/v0/executions/agents/memory/stream?data=json`)
    ).text();
    expect(stream.match(/^event: .*/gm)!.slice(0, 2)).toEqual(['event: reset', 'event: agent_start']);
    const contents = [...stream.matchAll(/^event: llm_chunk\ndata: (.*)$/gm)].map(
      ([, data]) => JSON.parse(data!).content,
    );
    expect(contents.join('')).toBe(text);
  } finally {
    await server.stop();
  }
}, 60_000);

test('a token without the right to publish gives a clear error, and an expired one is renewed', async () => {
  const server = await startProcess({ AUTH_SHARED_KEY: KEY, AUTH_CLOCK_SKEW_SECONDS: '0' });
  try {
    await using reader = publisherOf({ url: server.url, token: await tokenOf('read'), logger: false });
    const rejected = await reader.begin({ id: 'a1', kind: 'agent' });
    expect(rejected).toMatchObject({
      state: 'rejected',
      error: { code: 'FORBIDDEN', message: 'you may not publish' },
    });
    await using anonymous = publisherOf({ url: server.url, logger: false, strict: true });
    await expect(anonymous.begin({ id: 'a1', kind: 'agent' })).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
    let tokens = 0;
    const token = () => {
      tokens += 1;
      // The first one is valid for a second.
      return tokenOf('publish', tokens === 1 ? '1s' : '1h');
    };
    await using publisher = publisherOf({ url: server.url, token, limits: { callMs: 10_000 } });
    const run = await publisher.begin({ id: 'a1', kind: 'agent' });
    await until(
      async () => {
        await run.warning('W', 'once more');
        return (await run.flush()) && tokens > 1;
      },
      { timeoutMs: 15_000 },
    );
    expect(await run.complete('done')).toBe(true);
    expect(run.stats.rejected).toBe(0);
  } finally {
    await server.stop();
  }
}, 60_000);
