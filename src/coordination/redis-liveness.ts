// Signs of life in Redis: one sorted set of all executions, scored by the time of the last sign. By Redis' own
// clock, taken in the script.
import type { Redis } from 'ioredis';
import type { Connection } from '../redis/connection.ts';
import { livenessKey } from '../redis/keys.ts';
import type { LivenessReader, LivenessWriter } from './liveness.ts';

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

/** ARGV: execution ids. LT adds what is missing, and lowers a score of the future. */
const RECORD_MISSING = `${NOW}
local entries = {}
for i, id in ipairs(ARGV) do
  entries[2 * i - 1] = string.format('%.0f', now)
  entries[2 * i] = id
end
redis.call('ZADD', KEYS[1], 'LT', unpack(entries))
`;

type LivenessRedis = Redis & {
  recordHeartbeat(key: string, executionId: string): Promise<unknown>;
  silencesOf(key: string, ...executionIds: string[]): Promise<(number | null)[]>;
  findSilent(key: string, ms: number, limit: number): Promise<string[]>;
  recordMissingHeartbeats(key: string, ...executionIds: string[]): Promise<unknown>;
};

/** What a worker needs. */
export function createLivenessWriter(connection: Connection, prefix: string): LivenessWriter {
  connection.defineCommand('recordHeartbeat', { numberOfKeys: 1, lua: KEEP });
  const key = livenessKey(prefix);
  return {
    recordHeartbeat: async (id) =>
      void (await connection.run(key, (redis) => (redis as LivenessRedis).recordHeartbeat(key, id))),
    removeHeartbeat: async (id) => void (await connection.run(key, (redis) => redis.zrem(key, id))),
  };
}

/** What a server needs besides. */
export function createLivenessReader(connection: Connection, prefix: string): LivenessReader {
  connection.defineCommand('silencesOf', { numberOfKeys: 1, lua: SILENCES });
  connection.defineCommand('findSilent', { numberOfKeys: 1, lua: SILENT });
  connection.defineCommand('recordMissingHeartbeats', { numberOfKeys: 1, lua: RECORD_MISSING });
  const key = livenessKey(prefix);
  const silences = async (ids: readonly string[]) => {
    const told = await connection.run(key, (redis) => (redis as LivenessRedis).silencesOf(key, ...ids));
    return told.map((ms) => ms ?? undefined);
  };
  return {
    silenceMs: async (id) => (await silences([id]))[0],
    silencesMs: silences,
    findSilent: (ms, limit) =>
      connection.run(key, (redis) => (redis as LivenessRedis).findSilent(key, ms, limit)),
    recordMissingHeartbeats: async (ids) => {
      if (ids.length === 0) return;
      await connection.run(key, (redis) => (redis as LivenessRedis).recordMissingHeartbeats(key, ...ids));
    },
  };
}
