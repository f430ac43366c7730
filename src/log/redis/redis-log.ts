// The log in Redis for servers. Workers import writer.ts, which does not load GraphQL.

import { createRedisLeases } from '../../coordination/redis-lease.ts';
import { createLivenessReader } from '../../coordination/redis-liveness.ts';
import { connect } from '../../redis/connection.ts';
import { healthKeys, logKeys } from '../../redis/keys.ts';
import type { EventLog } from '../log.ts';
import { type AnnouncementOptions, createAnnouncements } from './announcements.ts';
import { readBatch, readHead, readPage } from './read-page.ts';
import { defineScripts } from './scripts.ts';
import { createWriter, type RedisLogWriterOptions } from './writer.ts';

export interface RedisLogOptions extends RedisLogWriterOptions, AnnouncementOptions {}

/**
 * Creates a log in Redis 7 or newer. Returns immediately, even if Redis cannot be reached. It keeps two connections (in
 * a cluster up to two to each master), and a third one with `waitReplicas`; they reconnect automatically.
 */
export function createRedisLog(options: RedisLogOptions): EventLog {
  const { prefix = '' } = options;
  const connection = connect(options, 'execstream-log');
  // WAIT blocks its connection; reads use another one.
  const writing = options.waitReplicas ? connect(options, 'execstream-append') : connection;
  if (writing !== connection) defineScripts(connection);
  const announcements = createAnnouncements(connection, options);
  const close = async () =>
    void (await Promise.all([connection.close(), writing.close(), announcements.close()]));
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
      // First: if Redis cannot save, PING fails too, with a less clear reason.
      await writing.checkWrites(prefix);
      // The other connections too: without them nothing can be read or listened to.
      await Promise.all([connection.ping(), announcements.check(healthKeys(prefix).channel)]);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
