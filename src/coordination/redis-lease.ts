// Leases in Redis: a hash for each, which expires with the lease. Its key is in the same slot as the log's meta hash, so
// that taking a lease can read the newest fencing token that the log has seen.
import type { Redis } from 'ioredis';
import type { Connection } from '../redis/connection.ts';
import { logKeys } from '../redis/keys.ts';
import type { Leases } from './lease.ts';
import { DROP_LEASE, RENEW_LEASE, TAKE_LEASE } from './scripts.gen.ts';

type LeaseRedis = Redis & {
  takeLease(lease: string, meta: string, holder: string, forMs: number): Promise<number | null>;
  renewLease(lease: string, fence: number, forMs: number, note: string): Promise<number>;
  dropLease(lease: string, fence: number): Promise<unknown>;
};

/** Creates leases on a connection that the caller owns. */
export function createRedisLeases(connection: Connection, prefix: string): Leases {
  connection.defineCommand('takeLease', { numberOfKeys: 2, lua: TAKE_LEASE });
  connection.defineCommand('renewLease', { numberOfKeys: 1, lua: RENEW_LEASE });
  connection.defineCommand('dropLease', { numberOfKeys: 1, lua: DROP_LEASE });
  const run = <T>(key: string, command: (redis: LeaseRedis) => Promise<T>): Promise<T> =>
    connection.run(key, (redis) => command(redis as LeaseRedis));
  return {
    takeLease: async (id, holder, forMs) => {
      const { lease, meta } = logKeys(prefix, id);
      return (await run(lease, (redis) => redis.takeLease(lease, meta, holder, forMs))) ?? undefined;
    },
    renewLease: async (id, fence, forMs, note = '') => {
      const { lease } = logKeys(prefix, id);
      return (await run(lease, (redis) => redis.renewLease(lease, fence, forMs, note))) === 1;
    },
    readLeaseNote: async (id) => {
      const { lease } = logKeys(prefix, id);
      return (await run(lease, (redis) => redis.hget(lease, 'note'))) ?? undefined;
    },
    dropLease: async (id, fence) => {
      const { lease } = logKeys(prefix, id);
      await run(lease, (redis) => redis.dropLease(lease, fence));
    },
  };
}
