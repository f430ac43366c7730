// The log in Redis fulfils the contract of logs.
import { afterAll, beforeAll } from 'vitest';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { describeOwnRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { logContract } from './contract.ts';

describeOwnRedis('the Redis log', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  logContract((bounds) => createRedisLog({ redis: server.url, prefix: 'test:', bounds }));
});
