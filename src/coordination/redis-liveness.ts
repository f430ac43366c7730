// Publisher liveness in Redis: one sorted set of all executions, scored by the time of the last heartbeat. The scripts
// take the time from Redis' own clock.
import type { Redis } from 'ioredis';
import type { Connection } from '../redis/connection.ts';
import { livenessKey } from '../redis/keys.ts';
import type { LivenessReader, LivenessWriter } from './liveness.ts';
import { FIND_SILENT, READ_SILENCES, RECORD_HEARTBEAT, RECORD_MISSING_HEARTBEATS } from './scripts.gen.ts';

type LivenessRedis = Redis & {
  recordHeartbeat(key: string, executionId: string): Promise<unknown>;
  readSilences(key: string, ...executionIds: string[]): Promise<(number | null)[]>;
  findSilent(key: string, ms: number, limit: number): Promise<string[]>;
  recordMissingHeartbeats(key: string, ...executionIds: string[]): Promise<unknown>;
};

/** Creates the workers' side, on a connection that the caller owns. */
export function createLivenessWriter(connection: Connection, prefix: string): LivenessWriter {
  connection.defineCommand('recordHeartbeat', { numberOfKeys: 1, lua: RECORD_HEARTBEAT });
  const key = livenessKey(prefix);
  return {
    recordHeartbeat: async (id) =>
      void (await connection.run(key, (redis) => (redis as LivenessRedis).recordHeartbeat(key, id))),
    removeHeartbeat: async (id) => void (await connection.run(key, (redis) => redis.zrem(key, id))),
  };
}

/** Creates the servers' side, on a connection that the caller owns. */
export function createLivenessReader(connection: Connection, prefix: string): LivenessReader {
  connection.defineCommand('readSilences', { numberOfKeys: 1, lua: READ_SILENCES });
  connection.defineCommand('findSilent', { numberOfKeys: 1, lua: FIND_SILENT });
  connection.defineCommand('recordMissingHeartbeats', { numberOfKeys: 1, lua: RECORD_MISSING_HEARTBEATS });
  const key = livenessKey(prefix);
  const silencesMs = async (ids: readonly string[]) => {
    const reply = await connection.run(key, (redis) => (redis as LivenessRedis).readSilences(key, ...ids));
    return reply.map((ms) => ms ?? undefined);
  };
  return {
    silenceMs: async (id) => (await silencesMs([id]))[0],
    silencesMs,
    findSilent: (ms, limit) =>
      connection.run(key, (redis) => (redis as LivenessRedis).findSilent(key, ms, limit)),
    recordMissingHeartbeats: async (ids) => {
      if (ids.length === 0) return;
      await connection.run(key, (redis) => (redis as LivenessRedis).recordMissingHeartbeats(key, ...ids));
    },
  };
}
