// The log behind Sentinels: its master is killed, frozen and demoted while it is written and followed.
import type { RedisOptions } from 'ioredis';
import { expect, test } from 'vitest';
import { createRedisLog } from '../../../src/log/redis/redis-log.ts';
import { openLink } from '../../../src/redis/link.ts';
import { parseRedisUrl } from '../../../src/redis/url.ts';
import { createRedisTokenRecords } from '../../../src/server/auth/token-records.ts';
import { describeOwnRedis, startRedis } from '../../support/redis.ts';
import { askServer, type Sentinels, startSentinel, startSentinels } from '../../support/redis-sentinel.ts';
import { until } from '../../support/wait.ts';
import { freshId, request, take } from '../logs.ts';
import { chunk, recorder, texts } from '../recorder.ts';
import { expectWhole, startLoad } from './load.ts';

const SECONDS = 1_000;

describeOwnRedis('a log behind Sentinels', () => {
  test.each([
    ['killed', (redis: Sentinels) => redis.master().kill()],
    ['demoted while it lives', (redis: Sentinels) => redis.failOver()],
  ])(
    'its master is %s under load: viewers see all of it, or a reset and all of it again',
    async (_, lose) => {
      await using redis = await startSentinels();
      await using load = await startLoad({ redis: redis.url });
      const publishing = load.publish('a1');
      await until(() => load.log.head('a1'), { what: 'the log' });
      const viewers = [load.viewer('a1'), load.viewer('a1')];
      const reading = viewers.map((viewer) => viewer.readToEnd());
      await until(() => viewers.every(({ seen }) => seen.length > 100));
      await lose(redis);
      const master = await redis.failedOver();
      const before = publishing.published;
      await until(() => publishing.published > before + 100, { timeoutMs: 15 * SECONDS });
      const text = await publishing.stop();
      await Promise.all(reading);
      for (const viewer of viewers) expectWhole(viewer, text);
      const channels = () => askServer(master.port, (client) => client.pubsub('CHANNELS', 'stream:*'));
      await until(async () => (await channels())?.length === 0, { what: 'no subscription to be left' });
    },
    60 * SECONDS,
  );

  test(
    'a master that hangs is left for the one that the Sentinels make, and not gone back to',
    async () => {
      await using redis = await startSentinels();
      const log = createRedisLog({ redis: redis.url });
      const tokens = createRedisTokenRecords(redis.url, '');
      try {
        const id = freshId();
        const head = await take(log, id);
        const heard = recorder();
        await log.listen(id, heard);
        await log.append(id, request(head, [chunk('1')]));
        await heard.heard(1);
        await tokens.put('t', 'kept', 60_000);
        const [frozen] = redis.servers;
        for (const server of redis.servers.slice(1)) {
          await until(() => askServer(server.port, (client) => client.get('stream:token:t')), {
            what: 'a replica',
          });
        }
        frozen!.freeze();
        const master = await redis.failedOver();
        await until(() => heard.interruptions > 0, {
          what: 'the interruption to be told',
          timeoutMs: 15 * SECONDS,
        });
        const sent = request(head, [chunk('2')], { acknowledged: 1, batch: 'b' });
        expect(await until(() => log.append(id, sent), { timeoutMs: 15 * SECONDS })).toMatchObject({
          head: 2,
        });
        await heard.heard(2);
        expect(await until(() => tokens.get('t'), { timeoutMs: 15 * SECONDS })).toBe('kept');
        frozen!.thaw();
        // It takes itself for a master still, until the Sentinels have told it otherwise.
        await until(() => askServer(frozen!.port, (client) => client.ping()), {
          what: 'the old master to answer',
        });
        expect(await log.append(id, request(head, [chunk('3')], { acknowledged: 2 }))).toMatchObject({
          head: 3,
        });
        const page = await log.read(id, 0, 10);
        expect(texts(page!.events)).toEqual(['1', '2', '3']);
        const names = await askServer(master.port, (client) => client.client('LIST'));
        for (const name of ['execstream-log', 'execstream-listen', 'execstream-tokens']) {
          expect(names).toContain(`name=${name} `);
        }
      } finally {
        await Promise.all([log.close(), tokens.close()]);
      }
    },
    60 * SECONDS,
  );

  test(
    'a failover that is told while the Sentinels are asked for the master does not keep the link away',
    async () => {
      await using redis = await startSentinels();
      const link = openLink({
        redis: parseRedisUrl(redis.url) as RedisOptions,
        name: 'link',
        timeoutMs: 1_000,
      });
      try {
        await link.run((client) => client.ping());
        // What ioredis does when a Sentinel tells of a failover; no real one can be had at this very moment.
        const { connector } = link.redis as unknown as {
          connector: { failoverDetector: { disconnect(): void } };
        };
        let toldWhileAsking = 0;
        const tell = () => {
          toldWhileAsking += 1;
          connector.failoverDetector.disconnect();
        };
        link.redis.once('connecting', tell);
        link.redis.once('end', () => link.redis.once('connecting', tell));
        const stopped = new Promise((resolve) => link.redis.once('end', resolve));
        await askServer(redis.master().port, (client) => client.client('KILL', 'TYPE', 'normal'));
        await stopped;
        expect(await link.run((client) => client.ping())).toBe('PONG');
        expect(toldWhileAsking).toBe(2);
      } finally {
        await link.close();
      }
    },
    30 * SECONDS,
  );

  test(
    'Sentinels that do not know a master are no Redis, and a call ends within its bound',
    async () => {
      await using redis = await startSentinels();
      const log = createRedisLog({ redis: redis.url.replace('mymaster', 'another'), commandTimeoutMs: 500 });
      await expect(log.ping()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
      await log.close();
    },
    30 * SECONDS,
  );

  test('the master and the Sentinels have a password each, and neither does for the other', async () => {
    await using redis = await startRedis({ args: ['--requirepass', 'data'] });
    const settings = ['requirepass watch', 'sentinel auth-pass mymaster data'];
    const { port, stop } = await startSentinel(redis.port, { quorum: 1, settings });
    const answers = async (password: string, sentinelPassword: string) => {
      const url = `redis+sentinel://:${password}@127.0.0.1:${port}/mymaster?sentinelPassword=${sentinelPassword}`;
      const log = createRedisLog({ redis: url, commandTimeoutMs: 1_000 });
      try {
        return await log.ping().then(
          () => true,
          (error) => error.code,
        );
      } finally {
        await log.close();
      }
    };
    try {
      expect(await answers('data', 'watch')).toBe(true);
      expect(await answers('data', 'data')).toBe('SOURCE_UNAVAILABLE');
      expect(await answers('watch', 'watch')).toBe('SOURCE_UNAVAILABLE');
    } finally {
      await stop();
    }
  });
});
