// A log in Redis that another client has corrupted is reported as unavailable, and never as another error.
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { isExecstreamError } from '../../src/event/errors.ts';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { chunk } from '../support/app.ts';
import { describeRedis, sharedRedisUrl } from '../support/redis.ts';

const envelope = (more: object) =>
  JSON.stringify({
    id: '9-k3f9ab01zz',
    seq: 9,
    type: 'llm_chunk',
    ts: 'now',
    attempt: 1,
    data: { content: '' },
    ...more,
  });

describeRedis('a corrupt log', () => {
  test.each<[name: string, damage: (redis: Redis, log: string, meta: string) => Promise<unknown>]>([
    ['an entry that is not JSON', (redis, log) => redis.xadd(log, '9-0', 'e', 'nonsense')],
    ['an entry without data', (redis, log) => redis.xadd(log, '9-0', 'e', envelope({ data: null }))],
    ['a chunk without text', (redis, log) => redis.xadd(log, '9-0', 'e', envelope({ data: { content: 1 } }))],
    ['an id that is not a cursor', (redis, log) => redis.xadd(log, '9-0', 'e', envelope({ id: '9' }))],
    ["another event's id", (redis, log) => redis.xadd(log, '9-0', 'e', envelope({ id: '8-k3f9ab01zz' }))],
    ['an invalid epoch', (redis, _, meta) => redis.hset(meta, 'epoch', '__proto__')],
    ['a seq that is not a number', (redis, log) => redis.xadd(log, '9-0', 'e', envelope({ seq: '9' }))],
    [
      'a delta without a patch',
      (redis, log) => redis.xadd(log, '9-0', 'e', envelope({ type: 'structured_delta', data: {} })),
    ],
    ['an attempt that is not a number', (redis, _, meta) => redis.hset(meta, 'attempt', 'x')],
    ['a meta key without an end', (redis, _, meta) => redis.hdel(meta, 'end')],
  ])('%s is LOG_CORRUPT, and the log is readable once it is repaired', async (_, damage) => {
    const prefix = `corrupt-${crypto.randomUUID()}:`;
    const log = createRedisLog({ redis: sharedRedisUrl(), prefix });
    const redis = new Redis(sharedRedisUrl());
    try {
      const opened = await log.open('a1', { numbering: 'auto', publisher: 'p', attempt: 1 });
      if (opened.outcome !== 'opened') throw new Error(opened.outcome);
      await log.append('a1', {
        epoch: opened.head.epoch,
        acknowledged: 0,
        publisher: 'p',
        events: [chunk('text')],
      });
      const [entries, meta] = [`${prefix}stream:log:{a1}`, `${prefix}stream:meta:{a1}`];
      const before = await redis.hgetall(meta);
      await damage(redis, entries, meta);
      const error = await log.read('a1', 0, 100).catch((error: unknown) => error);
      expect(isExecstreamError(error, 'LOG_CORRUPT'), String(error)).toBe(true);

      await redis.xdel(entries, '9-0');
      await redis.hset(meta, before);
      expect((await log.read('a1', 0, 100))?.events.map(({ data }) => data)).toEqual([{ content: 'text' }]);
    } finally {
      redis.disconnect();
      await log.close();
    }
  });
});
