// Records of stream tokens: in Redis for all servers, or in this process.
import type { Redis } from 'ioredis';
import { Counts } from '../../async/counts.ts';
import { ExecstreamError } from '../../event/errors.ts';
import { connect } from '../../redis/connection.ts';

/** The owner of a record. The number of its records can be limited. */
export interface RecordOwner {
  /** An opaque id, equal for all records of one owner. */
  readonly id: string;
  /** Maximum number of unexpired records. */
  readonly limit: number;
}

/** Records by key, each with an expiry. Methods reject with `SOURCE_UNAVAILABLE` if Redis is unavailable. */
export interface TokenRecords {
  /**
   * Stores a record.
   * @returns false, without storing it, if its owner is at the limit
   * @throws ExecstreamError `SOURCE_UNAVAILABLE`, also at the limit of all records.
   */
  put(key: string, record: string, keepMs: number, owner?: RecordOwner): Promise<boolean>;
  get(key: string): Promise<string | undefined>;
  /** Sets the expiry of a record, in ms since 1970; returns whether it still existed. */
  keepUntil(key: string, atMs: number, ownerId?: string): Promise<boolean>;
  remove(key: string, ownerId?: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Adds a record to the sorted set of its owner's records by expiry, unless the owner is at its limit. KEYS: the set.
 * ARGV: now, the record's expiry, its key, the limit, the time to live of the set.
 */
const COUNT = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
`;

/** The longest session that can be configured. */
const MAX_KEPT_MS = 24 * 60 * 60 * 1_000;

interface CountingRedis extends Redis {
  countTokenRecord(...args: (string | number)[]): Promise<number>;
}

/** @param prefix of every key, as for the log */
export function createRedisTokenRecords(redisUrl: string, prefix: string): TokenRecords {
  const { run, close, defineCommand } = connect({ redis: redisUrl }, 'execstream-tokens');
  defineCommand('countTokenRecord', { numberOfKeys: 1, lua: COUNT });
  const name = (key: string) => `${prefix}stream:token:${key}`;
  const setOf = (ownerId: string) => `${prefix}stream:tokens-of:${ownerId}`;

  async function count(key: string, keepMs: number, { id, limit }: RecordOwner): Promise<boolean> {
    const now = Date.now();
    const args = [setOf(id), now, now + keepMs, key, limit, MAX_KEPT_MS];
    const counted = await run(setOf(id), (redis) => (redis as CountingRedis).countTokenRecord(...args));
    return counted === 1;
  }

  return {
    // Two commands, not one script: in a cluster the keys are on different nodes.
    put: async (key, record, keepMs, owner) => {
      const [isCounted] = await Promise.all([
        owner === undefined || count(key, keepMs, owner),
        run(name(key), (redis) => redis.set(name(key), record, 'PX', keepMs)),
      ]);
      if (!isCounted) await run(name(key), (redis) => redis.del(name(key)));
      return isCounted;
    },
    get: async (key) => (await run(name(key), (redis) => redis.get(name(key)))) ?? undefined,
    keepUntil: async (key, atMs, ownerId) => {
      const [kept] = await Promise.all([
        run(name(key), (redis) => redis.pexpireat(name(key), atMs)),
        ownerId !== undefined && run(setOf(ownerId), (redis) => redis.zadd(setOf(ownerId), 'XX', atMs, key)),
      ]);
      return kept === 1;
    },
    remove: async (key, ownerId) => {
      await Promise.all([
        run(name(key), (redis) => redis.del(name(key))),
        ownerId !== undefined && run(setOf(ownerId), (redis) => redis.zrem(setOf(ownerId), key)),
      ]);
    },
    close,
  };
}

const MAX_IN_MEMORY = 100_000;

/** Minimum time between sweeps for expired records at the limit: a sweep visits all records. */
const SWEEP_MS = 1_000;

interface MemoryRecord {
  readonly record: string;
  readonly ownerId: string | undefined;
  until: number;
}

/** For a single server. */
export function createMemoryTokenRecords(): TokenRecords {
  const records = new Map<string, MemoryRecord>();
  const byOwner = new Counts();
  const drop = (key: string) => {
    const ownerId = records.get(key)?.ownerId;
    if (ownerId !== undefined) byOwner.decrement(ownerId);
    records.delete(key);
  };
  const known = (key: string) => {
    const kept = records.get(key);
    if (kept && kept.until > Date.now()) return kept;
    drop(key);
    return undefined;
  };
  const isFull = (owner: RecordOwner | undefined) =>
    records.size >= MAX_IN_MEMORY || (owner !== undefined && byOwner.of(owner.id) >= owner.limit);
  let sweptAt = Date.now();
  const sweep = (afterMs: number) => {
    if (Date.now() - sweptAt < afterMs) return;
    sweptAt = Date.now();
    for (const key of [...records.keys()]) known(key);
  };
  return {
    put: async (key, record, keepMs, owner) => {
      sweep(isFull(owner) ? SWEEP_MS : 60_000);
      if (records.size >= MAX_IN_MEMORY) {
        throw new ExecstreamError('SOURCE_UNAVAILABLE', 'server is at its limit of stream tokens');
      }
      if (isFull(owner)) return false;
      if (owner) byOwner.increment(owner.id);
      records.set(key, { record, ownerId: owner?.id, until: Date.now() + keepMs });
      return true;
    },
    get: async (key) => known(key)?.record,
    keepUntil: async (key, atMs) => {
      const kept = known(key);
      if (!kept) return false;
      kept.until = atMs;
      return true;
    },
    remove: async (key) => drop(key),
    close: async () => records.clear(),
  };
}
