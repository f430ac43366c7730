// Leases in Redis: a hash for each, which expires with the lease. Its key shares the execution's slot, so that the
// token is drawn in the sight of the one that the log has seen.
import type { Redis } from 'ioredis';
import type { Connection } from '../redis/connection.ts';
import { logKeys } from '../redis/keys.ts';
import type { Leases } from './lease.ts';

/**
 * ARGV: holder, ms. A token is the time, or what is above the last one known: the lease's key may have expired, and
 * its holder's token have reached no log, so a counter alone would begin again.
 */
const TAKE = `
local lease, meta = KEYS[1], KEYS[2]
local held = redis.call('HMGET', lease, 'holder', 'fence')
if held[1] and held[1] ~= ARGV[1] then return nil end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local seen = tonumber(redis.call('HGET', meta, 'fence') or 0)
local fence = math.max(now, tonumber(held[2] or 0), seen) + 1
redis.call('HSET', lease, 'holder', ARGV[1], 'fence', string.format('%.0f', fence))
redis.call('PEXPIRE', lease, ARGV[2])
return fence
`;

/** ARGV: fence, ms, note. */
const RENEW = `
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], 'note') else redis.call('HSET', KEYS[1], 'note', ARGV[3]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;

/** ARGV: fence. */
const DROP = `
if redis.call('HGET', KEYS[1], 'fence') == ARGV[1] then redis.call('DEL', KEYS[1]) end
`;

type LeasingRedis = Redis & {
  takeLease(lease: string, meta: string, holder: string, forMs: number): Promise<number | null>;
  renewLease(lease: string, fence: number, forMs: number, note: string): Promise<number>;
  dropLease(lease: string, fence: number): Promise<unknown>;
};

/** The leases on a connection that its caller owns. */
export function createRedisLeases(connection: Connection, prefix: string): Leases {
  connection.defineCommand('takeLease', { numberOfKeys: 2, lua: TAKE });
  connection.defineCommand('renewLease', { numberOfKeys: 1, lua: RENEW });
  connection.defineCommand('dropLease', { numberOfKeys: 1, lua: DROP });
  const ask = <T>(key: string, command: (redis: LeasingRedis) => Promise<T>): Promise<T> =>
    connection.run(key, (redis) => command(redis as LeasingRedis));
  return {
    takeLease: async (id, holder, forMs) => {
      const { lease, meta } = logKeys(prefix, id);
      return (await ask(lease, (redis) => redis.takeLease(lease, meta, holder, forMs))) ?? undefined;
    },
    renewLease: async (id, fence, forMs, note = '') => {
      const { lease } = logKeys(prefix, id);
      return (await ask(lease, (redis) => redis.renewLease(lease, fence, forMs, note))) === 1;
    },
    readLeaseNote: async (id) => {
      const { lease } = logKeys(prefix, id);
      return (await ask(lease, (redis) => redis.hget(lease, 'note'))) ?? undefined;
    },
    dropLease: async (id, fence) => {
      const { lease } = logKeys(prefix, id);
      await ask(lease, (redis) => redis.dropLease(lease, fence));
    },
  };
}
