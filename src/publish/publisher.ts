// A worker's publisher with its own access to the log and the rows: on a log and a store of the caller, or with connections
// to Redis and Postgres, which it closes.
import type { LivenessWriter } from '../coordination/liveness.ts';
import { requireObject } from '../event/errors.ts';
import { checkPostgresUrl } from '../execution/database/location.ts';
import { createPrismaStore } from '../execution/prisma-store.ts';
import type { ExecutionStore } from '../execution/store.ts';
import type { LogWriter } from '../log/log.ts';
import { createRedisLogWriter, type RedisLogWriterOptions } from '../log/redis/writer.ts';
import { createDirectTransport, type Transport } from './transport.ts';
import { createPublisherOn, type Publisher, type PublisherSettings } from './transport-publisher.ts';

/** What a publisher writes to. */
interface Parts {
  /** The log to append to, such as `createRedisLogWriter()` returns. */
  readonly log: LogWriter & LivenessWriter;
  /** The rows of the executions, such as `createPrismaStore()` returns. */
  readonly store: ExecutionStore;
}

/** A publisher on a log and a store of the caller. */
export interface PublisherOptions extends PublisherSettings, Parts {}

/** A publisher that connects to Redis and Postgres, and closes both. */
export interface ConnectedPublisherOptions extends PublisherSettings, RedisLogWriterOptions {
  /** The URL of Postgres. */
  readonly database: string;
}

/**
 * Creates a publisher. It connects in the background: this does not fail if Redis or Postgres is unavailable. A `log` and
 * a `store` belong to the caller, who closes them.
 * @throws ExecstreamError `CONFIG` without `log` or `store`, or without `redis` or `database`; `BAD_USER_INPUT` for a
 *   literal or pattern that cannot be redacted.
 * @example
 * ```ts
 * await using publisher = createPublisher({
 *   redis: 'redis://localhost:6379',
 *   database: 'postgres://localhost/app',
 * });
 * const run = await publisher.begin({ kind: 'agent', id: 'poem-1' });
 * await run.text('Shall I compare thee to a summer’s day?');
 * await run.complete();
 * ```
 */
export function createPublisher(options: PublisherOptions | ConnectedPublisherOptions): Publisher {
  return createPublisherOn(() => connectParts(options), Object(options));
}

/** The transport on the parts of the options, or on new ones. */
function connectParts(options: PublisherOptions | ConnectedPublisherOptions): Transport {
  const isConnected = 'database' in Object(options) || 'redis' in Object(options);
  if (!isConnected) {
    const parts = options as PublisherOptions;
    checkParts(parts);
    return createDirectTransport(parts.log, parts.store, async () => {});
  }
  const { database, ...settings } = options as ConnectedPublisherOptions;
  checkPostgresUrl('database', database);
  const log = createRedisLogWriter(settings);
  const store = createPrismaStore({ url: database });
  return createDirectTransport(log, store, async () => {
    await Promise.all([log.close(), store.close()]);
  });
}

/**
 * Checks the two parts that publishers and sinks write to.
 * @throws ExecstreamError `CONFIG`, naming the part that is missing
 */
export function checkParts(options: { readonly log: unknown; readonly store: unknown }): void {
  requireObject('options', options, '{ log, store }');
  requireObject('log', options.log, 'a log, such as createRedisLogWriter() returns');
  requireObject('store', options.store, 'a store, such as createPrismaStore() returns');
}
