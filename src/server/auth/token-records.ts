// What is remembered of the stream tokens: in Redis for all servers, or in this process.
import type { Redis } from 'ioredis';
import { Counts } from '../../async/counts.ts';
import { ExecstreamError } from '../../event/errors.ts';
import { connect } from '../../redis/connection.ts';

/** Whose a record is, so that the records of one owner can be limited. */
export interface RecordOwner {
  /** An opaque id, equal for all records of one owner. */
  readonly id: string;
  /** Records that the owner may have at the same time. */
  readonly limit: number;
}

/** Records by key, each gone at its time. Methods reject with `SOURCE_UNAVAILABLE` where Redis does not answer. */
export interface TokenRecords {
  /**
   * Stores a record.
   * @returns false if its owner has as many as they may; nothing is stored then
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` also where no more are taken.
   */
  put(key: string, record: string, keepMs: number, owner?: RecordOwner): Promise<boolean>;
  get(key: string): Promise<string | undefined>;
  /** Keeps a record until a time, in ms since 1970; answers whether it was still there. */
  keepUntil(key: string, atMs: number, ownerId?: string): Promise<boolean>;
  remove(key: string, ownerId?: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Counts a record of an owner, unless that has as many as it may: a sorted set of the owner's records by the time when
 * they expire. KEYS: the set. ARGV: now, when the record expires, its key, the limit, how long the set is kept.
 */
const COUNT = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
`;

/** No record is kept longer: the longest session that can be configured. */
const LONGEST_KEPT_MS = 24 * 60 * 60 * 1_000;

interface CountingRedis extends Redis {
  countTokenRecord(...args: (string | number)[]): Promise<number>;
}

/** `prefix` stands before every key, as before those of the log. */
export function createRedisTokenRecords(redisUrl: string, prefix: string): TokenRecords {
  const { run: ask, close, defineCommand } = connect({ redis: redisUrl }, 'execstream-tokens');
  defineCommand('countTokenRecord', { numberOfKeys: 1, lua: COUNT });
  const name = (key: string) => `${prefix}stream:token:${key}`;
  const setOf = (ownerId: string) => `${prefix}stream:tokens-of:${ownerId}`;

  async function count(key: string, keepMs: number, { id, limit }: RecordOwner): Promise<boolean> {
    const now = Date.now();
    const args = [setOf(id), now, now + keepMs, key, limit, LONGEST_KEPT_MS];
    const counted = await ask(setOf(id), (redis) => (redis as CountingRedis).countTokenRecord(...args));
    return counted === 1;
  }

  return {
    // Both at the same time: in a cluster they are keys of different nodes.
    put: async (key, record, keepMs, owner) => {
      const [isCounted] = await Promise.all([
        owner === undefined || count(key, keepMs, owner),
        ask(name(key), (redis) => redis.set(name(key), record, 'PX', keepMs)),
      ]);
      if (!isCounted) await ask(name(key), (redis) => redis.del(name(key)));
      return isCounted;
    },
    get: async (key) => (await ask(name(key), (redis) => redis.get(name(key)))) ?? undefined,
    keepUntil: async (key, atMs, ownerId) => {
      const [kept] = await Promise.all([
        ask(name(key), (redis) => redis.pexpireat(name(key), atMs)),
        ownerId !== undefined && ask(setOf(ownerId), (redis) => redis.zadd(setOf(ownerId), 'XX', atMs, key)),
      ]);
      return kept === 1;
    },
    remove: async (key, ownerId) => {
      await Promise.all([
        ask(name(key), (redis) => redis.del(name(key))),
        ownerId !== undefined && ask(setOf(ownerId), (redis) => redis.zrem(setOf(ownerId), key)),
      ]);
    },
    close,
  };
}

const MOST_IN_MEMORY = 100_000;

/** Expired records are looked for at most this often: there may be many others. */
const SWEEP_MS = 1_000;

interface MemoryRecord {
  readonly record: string;
  readonly ownerId: string | undefined;
  until: number;
}

/** For one server. */
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
    records.size >= MOST_IN_MEMORY || (owner !== undefined && byOwner.of(owner.id) >= owner.limit);
  let sweptAt = Date.now();
  const sweep = (afterMs: number) => {
    if (Date.now() - sweptAt < afterMs) return;
    sweptAt = Date.now();
    for (const key of [...records.keys()]) known(key);
  };
  return {
    put: async (key, record, keepMs, owner) => {
      sweep(isFull(owner) ? SWEEP_MS : 60_000);
      if (records.size >= MOST_IN_MEMORY) {
        throw new ExecstreamError('CAPACITY', `server is at its limit of stream tokens (${MOST_IN_MEMORY})`);
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
