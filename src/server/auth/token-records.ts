// What is remembered of the stream tokens: in Redis for all servers, or in this process.
import { ExecstreamError } from '../../event/error.ts';
import { connect } from '../../log/redis/connect.ts';

/** Records by key, each gone at its time. Methods reject with `SOURCE_UNAVAILABLE` where Redis does not answer. */
export interface TokenRecords {
  /** @throws ExecstreamError `SOURCE_UNAVAILABLE` also where no more are taken. */
  put(key: string, record: string, keepMs: number): Promise<void>;
  get(key: string): Promise<string | undefined>;
  /** Keeps a record until a time, in ms since 1970; answers whether it was still there. */
  keepUntil(key: string, atMs: number): Promise<boolean>;
  remove(key: string): Promise<void>;
  close(): Promise<void>;
}

/** `prefix` stands before every key, as before those of the log. */
export function createRedisTokenRecords(redisUrl: string, prefix: string): TokenRecords {
  const { ask, close } = connect({ redis: redisUrl }, 'execstream-tokens');
  const name = (key: string) => `${prefix}stream:token:${key}`;
  return {
    put: async (key, record, keepMs) =>
      void (await ask(name(key), (redis) => redis.set(name(key), record, 'PX', keepMs))),
    get: async (key) => (await ask(name(key), (redis) => redis.get(name(key)))) ?? undefined,
    keepUntil: async (key, atMs) => (await ask(name(key), (redis) => redis.pexpireat(name(key), atMs))) === 1,
    remove: async (key) => void (await ask(name(key), (redis) => redis.del(name(key)))),
    close,
  };
}

const MOST_IN_MEMORY = 100_000;

/** For one server. */
export function createMemoryTokenRecords(): TokenRecords {
  const records = new Map<string, { readonly record: string; until: number }>();
  const known = (key: string) => {
    const kept = records.get(key);
    if (kept && kept.until > Date.now()) return kept;
    records.delete(key);
    return undefined;
  };
  const sweep = () => {
    for (const key of [...records.keys()]) known(key);
  };
  let sweptAt = Date.now();
  return {
    put: async (key, record, keepMs) => {
      if (records.size >= MOST_IN_MEMORY || Date.now() - sweptAt > 60_000) {
        sweep();
        sweptAt = Date.now();
      }
      if (records.size >= MOST_IN_MEMORY) {
        throw new ExecstreamError('SOURCE_UNAVAILABLE', 'no more stream tokens are given out for now');
      }
      records.set(key, { record, until: Date.now() + keepMs });
    },
    get: async (key) => known(key)?.record,
    keepUntil: async (key, atMs) => {
      const kept = known(key);
      if (!kept) return false;
      kept.until = atMs;
      return true;
    },
    remove: async (key) => void records.delete(key),
    close: async () => records.clear(),
  };
}
