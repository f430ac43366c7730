// The log behind Sentinels: its master is killed, frozen and demoted while events are appended and followed.
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
import { expectComplete, startLoad } from './load.ts';

const SECONDS = 1_000;

describeOwnRedis('a log behind Sentinels', () => {
  test.each([
    ['killed', (redis: Sentinels) => redis.master().kill()],
    ['demoted while it lives', (redis: Sentinels) => redis.failOver()],
  ])(
    'a log whose master is %s under load delivers all events to viewers, or a reset and then all events',
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
      for (const viewer of viewers) expectComplete(viewer, text);
      const channels = () => askServer(master.port, (client) => client.pubsub('CHANNELS', 'stream:*'));
      await until(async () => (await channels())?.length === 0, { what: 'no subscription to be left' });
    },
    60 * SECONDS,
  );

  test(
    'a log replaces a master that hangs by the one that the Sentinels promote, and does not return to it',
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
          what: 'the notification of the interruption',
          timeoutMs: 15 * SECONDS,
        });
        const sent = request(head, [chunk('2')], { acknowledged: 1, batch: 'b' });
        expect(await until(() => log.append(id, sent), { timeoutMs: 15 * SECONDS })).toMatchObject({
          head: 2,
        });
        await heard.heard(2);
        expect(await until(() => tokens.get('t'), { timeoutMs: 15 * SECONDS })).toBe('kept');
        frozen!.thaw();
        // It still believes that it is the master, until the Sentinels reconfigure it.
        await until(() => askServer(frozen!.port, (client) => client.ping()), {
          what: 'the old master to respond',
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
    'a link reconnects when a failover is reported while the Sentinels are queried for the master',
    async () => {
      await using redis = await startSentinels();
      const link = openLink({
        redis: parseRedisUrl(redis.url) as RedisOptions,
        name: 'link',
        timeoutMs: 1_000,
      });
      try {
        await link.run((client) => client.ping());
        // What ioredis does when a Sentinel reports a failover; a real one cannot be timed to this moment.
        const { connector } = link.redis as unknown as {
          connector: { failoverDetector: { disconnect(): void } };
        };
        let reportedWhileConnecting = 0;
        const reportFailover = () => {
          reportedWhileConnecting += 1;
          connector.failoverDetector.disconnect();
        };
        link.redis.once('connecting', reportFailover);
        link.redis.once('end', () => link.redis.once('connecting', reportFailover));
        const stopped = new Promise((resolve) => link.redis.once('end', resolve));
        await askServer(redis.master().port, (client) => client.client('KILL', 'TYPE', 'normal'));
        await stopped;
        expect(await link.run((client) => client.ping())).toBe('PONG');
        expect(reportedWhileConnecting).toBe(2);
      } finally {
        await link.close();
      }
    },
    30 * SECONDS,
  );

  test(
    'calls fail within their timeout if the Sentinels do not know the master',
    async () => {
      await using redis = await startSentinels();
      const log = createRedisLog({ redis: redis.url.replace('mymaster', 'another'), commandTimeoutMs: 500 });
      await expect(log.ping()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
      await log.close();
    },
    30 * SECONDS,
  );

  test('the master and the Sentinels have separate passwords', async () => {
    await using redis = await startRedis({ args: ['--requirepass', 'data'] });
    const settings = ['requirepass watch', 'sentinel auth-pass mymaster data'];
    const { port, stop } = await startSentinel(redis.port, { quorum: 1, settings });
    const connects = async (password: string, sentinelPassword: string) => {
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
      expect(await connects('data', 'watch')).toBe(true);
      expect(await connects('data', 'data')).toBe('SOURCE_UNAVAILABLE');
      expect(await connects('watch', 'watch')).toBe('SOURCE_UNAVAILABLE');
    } finally {
      await stop();
    }
  });
});
