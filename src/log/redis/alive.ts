// Signs of life in Redis: one sorted set of all executions, scored by the time of the last sign. By Redis' own
// clock, taken in the script.
import type { Redis } from 'ioredis';
import type { SignsOfLife, Silences } from '../alive.ts';
import type { Connection } from './connect.ts';
import { aliveKey } from './keys.ts';

const NOW = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
`;

/** ARGV: execution id. */
const KEEP = `${NOW}
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
`;

/** ARGV: execution ids. */
const SILENCES = `${NOW}
local silences = {}
for i, at in ipairs(redis.call('ZMSCORE', KEYS[1], unpack(ARGV))) do
  silences[i] = at and math.max(0, now - tonumber(at))
end
return silences
`;

/** ARGV: ms, limit. */
const SILENT = `${NOW}
local before = string.format('(%.0f', now - tonumber(ARGV[1]))
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', before, 'LIMIT', 0, ARGV[2])
`;

type AliveRedis = Redis & {
  keepAlive(key: string, executionId: string): Promise<unknown>;
  silencesOf(key: string, ...executionIds: string[]): Promise<(number | null)[]>;
  silentLongerThan(key: string, ms: number, limit: number): Promise<string[]>;
};

/** What a worker needs. */
export function createSignsOfLife(connection: Connection, prefix: string): SignsOfLife {
  connection.defineCommand('keepAlive', { numberOfKeys: 1, lua: KEEP });
  const key = aliveKey(prefix);
  return {
    keepAlive: async (id) =>
      void (await connection.ask(key, (redis) => (redis as AliveRedis).keepAlive(key, id))),
    forget: async (id) => void (await connection.ask(key, (redis) => redis.zrem(key, id))),
  };
}

/** What a server needs besides. */
export function createSilences(connection: Connection, prefix: string): Silences {
  connection.defineCommand('silencesOf', { numberOfKeys: 1, lua: SILENCES });
  connection.defineCommand('silentLongerThan', { numberOfKeys: 1, lua: SILENT });
  const key = aliveKey(prefix);
  const silences = async (ids: readonly string[]) => {
    const told = await connection.ask(key, (redis) => (redis as AliveRedis).silencesOf(key, ...ids));
    return told.map((ms) => ms ?? undefined);
  };
  return {
    silence: async (id) => (await silences([id]))[0],
    silences,
    silentLongerThan: (ms, limit) =>
      connection.ask(key, (redis) => (redis as AliveRedis).silentLongerThan(key, ms, limit)),
  };
}
