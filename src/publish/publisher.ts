// A worker's publisher: begins runs, and releases them when the worker stops. It uses a log and a store of the caller, or
// connects to Redis and Postgres and closes these connections itself.

import type { LivenessWriter } from '../coordination/liveness.ts';
import { invalidInput, requireObject } from '../event/errors.ts';
import { sizeLimitsOf } from '../event/size-limits.ts';
import { checkPostgresUrl } from '../execution/database/location.ts';
import { createPrismaStore } from '../execution/prisma-store.ts';
import type { ExecutionStore } from '../execution/store.ts';
import type { LogWriter } from '../log/log.ts';
import { createRedisLogWriter, type RedisLogWriterOptions } from '../log/redis/writer.ts';
import { createRedactor, type RedactOptions } from '../redact/redaction.ts';
import type { Logger } from '../telemetry/logger.ts';
import { STDERR } from '../telemetry/stderr-logger.ts';
import type { BeginRun } from './begin-run.ts';
import type { ExecutionPublisher } from './execution-publisher.ts';
import { DEFAULT_LIMITS, type PublisherLimits } from './limits.ts';
import { createRun, type Run } from './run.ts';

/** What a publisher writes to. */
interface Parts {
  /** The log to append to, such as `createRedisLogWriter()` returns. */
  readonly log: LogWriter & LivenessWriter;
  /** The rows of the executions, such as `createPrismaStore()` returns. */
  readonly store: ExecutionStore;
}

interface PublisherSettings {
  /**
   * Any structured logger, such as pino's.
   * @default warnings and errors go to stderr, one line each
   */
  readonly logger?: Logger;
  /**
   * Limits that differ from the defaults.
   * @default DEFAULT_LIMITS
   */
  readonly limits?: Partial<PublisherLimits>;
  /**
   * Secrets to redact in addition to the built-in kinds; `false` disables redaction. Secrets are replaced by
   * `[redacted]` before anything is queued, sent, written to the row or logged.
   * @default {} (the built-in kinds)
   */
  readonly redact?: false | RedactOptions;
}

/** A publisher on a log and a store of the caller. */
export interface PublisherOptions extends PublisherSettings, Parts {}

/** A publisher that connects to Redis and Postgres, and closes both. */
export interface ConnectedPublisherOptions extends PublisherSettings, RedisLogWriterOptions {
  /** The URL of Postgres. */
  readonly database: string;
}

export interface Publisher extends AsyncDisposable {
  /**
   * Begins an execution, or a new attempt of it, and its stream. Resolves within `beginMs` even if the row or the log
   * is unavailable; the run then queues events and keeps retrying.
   * @throws ExecstreamError `BAD_USER_INPUT` for invalid input, `SUPERSEDED` for an older attempt or a second publisher
   *   of the same attempt, `ENDED`, `FORBIDDEN` for an id of another tenant, `EVENT_TOO_LARGE`.
   */
  begin(run: BeginRun): Promise<ExecutionPublisher>;
  /**
   * Sends queued events and records pending ends, within `closeMs`, then releases every run. Open runs are not ended:
   * their next attempt continues. Then closes the connections of the publisher; a `log` and a `store` of the caller stay
   * open. `await using` calls this.
   */
  close(): Promise<void>;
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
  const createRedaction = createRedactor(Object(options).redact);
  const { log, store, closeParts } = partsOf(options);
  const { logger = STDERR } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const sizes = sizeLimitsOf(limits.messageBytes);
  const openRuns = new Set<Run>();
  let isClosed = false;

  async function close(): Promise<void> {
    isClosed = true;
    await Promise.all([...openRuns].map((run) => run.close()));
    await closeParts();
  }

  return {
    async begin(beginRun) {
      if (isClosed) throw invalidInput('the publisher is closed');
      const redaction = createRedaction();
      const run = createRun(beginRun, {
        log,
        store,
        logger: redaction.logger(logger),
        limits,
        sizes,
        redaction,
        onReleased: () => openRuns.delete(run),
      });
      openRuns.add(run);
      await run.begin();
      return run.publisher;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The parts of the options, or new ones. */
function partsOf(options: PublisherOptions | ConnectedPublisherOptions) {
  const isConnected = 'database' in Object(options) || 'redis' in Object(options);
  if (!isConnected) {
    const parts = options as PublisherOptions;
    checkParts(parts);
    return { log: parts.log, store: parts.store, closeParts: async () => {} };
  }
  const { database, ...settings } = options as ConnectedPublisherOptions;
  checkPostgresUrl('database', database);
  const log = createRedisLogWriter(settings);
  const store = createPrismaStore({ url: database });
  const closeParts = async () => void (await Promise.all([log.close(), store.close()]));
  return { log, store, closeParts };
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
