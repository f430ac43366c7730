// The log on Redis, whole: for servers. Workers import writer.ts, which loads no GraphQL.
import type { EventLog } from '../log.ts';
import { createSilences } from './alive.ts';
import { connect } from './connect.ts';
import { logKeys } from './keys.ts';
import { createLeases } from './lease.ts';
import { createAnnouncementSource, type ListenOptions } from './listen.ts';
import { readPage } from './read.ts';
import { createWriter, type RedisLogWriterOptions } from './writer.ts';

export interface RedisLogOptions extends RedisLogWriterOptions, ListenOptions {}

/**
 * Makes the log on Redis 7 or newer. Returns at once, whether Redis is there or not; it keeps two connections, which
 * come back by themselves.
 */
export function createRedisLog(options: RedisLogOptions): EventLog {
  const { prefix = '' } = options;
  const connection = connect(options, 'execstream-log');
  const announcements = createAnnouncementSource(options);
  return {
    ...createWriter(connection, options),
    ...createSilences(connection, prefix),
    ...createLeases(connection, prefix),
    read: (executionId, after, limit) =>
      readPage(connection, logKeys(prefix, executionId), executionId, after, limit),
    batchHead: async (executionId, batch) => {
      const { meta } = logKeys(prefix, executionId);
      const head = await connection.ask((redis) => redis.hget(meta, `b:${batch}`));
      return head === null ? undefined : Number(head);
    },
    listen: (executionId, listener) =>
      announcements.listen(logKeys(prefix, executionId).channel, executionId, listener),
    // Both connections: without the other one nothing can be listened to.
    ping: async () => {
      await Promise.all([connection.ask((redis) => redis.ping()), announcements.ping()]);
    },
    close: async () => void (await Promise.all([connection.close(), announcements.close()])),
  };
}
