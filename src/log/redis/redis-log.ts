// The log on Redis, whole: for servers. Workers import writer.ts, which loads no GraphQL.

import { createRedisLeases } from '../../coordination/redis-lease.ts';
import { createLivenessReader } from '../../coordination/redis-liveness.ts';
import { connect } from '../../redis/connection.ts';
import { logKeys } from '../../redis/keys.ts';
import type { EventLog } from '../log.ts';
import { createAnnouncements, type ListenOptions } from './announcements.ts';
import { readBatch, readHead, readPage } from './read-page.ts';
import { defineScripts } from './scripts.ts';
import { createWriter, type RedisLogWriterOptions } from './writer.ts';

export interface RedisLogOptions extends RedisLogWriterOptions, ListenOptions {}

/**
 * Makes the log on Redis 7 or newer. Returns at once, whether Redis is there or not; it keeps two connections (in a
 * cluster, two to each master at most), which come back by themselves, and another one where it waits for replicas.
 */
export function createRedisLog(options: RedisLogOptions): EventLog {
  const { prefix = '' } = options;
  const connection = connect(options, 'execstream-log');
  // WAIT holds its connection up. Nobody who reads waits behind it.
  const writing = options.waitReplicas ? connect(options, 'execstream-append') : connection;
  if (writing !== connection) defineScripts(connection);
  const announcements = createAnnouncements(connection, options);
  return {
    ...createWriter(writing, options),
    head: (executionId) => readHead(connection, logKeys(prefix, executionId), executionId),
    ...createLivenessReader(connection, prefix),
    ...createRedisLeases(connection, prefix),
    read: (executionId, after, limit) =>
      readPage(connection, logKeys(prefix, executionId), executionId, after, limit),
    findBatch: (executionId, batch) => readBatch(connection, logKeys(prefix, executionId), batch),
    listen: (executionId, listener) =>
      announcements.listen(logKeys(prefix, executionId).channel, executionId, listener),
    ping: async () => {
      // First: where Redis cannot save, PING fails too, and does not say so clearly.
      await writing.checkWrites(`${prefix}stream:health`);
      // All connections: without the others nothing can be read or listened to.
      await Promise.all([connection.ping(), announcements.ping()]);
    },
    close: async () => void (await Promise.all([connection.close(), writing.close(), announcements.close()])),
  };
}
