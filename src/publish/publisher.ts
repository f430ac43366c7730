// A worker's publisher: begins runs, and releases them when the worker stops.

import type { LivenessWriter } from '../coordination/liveness.ts';
import { invalidInput, requireObject } from '../event/errors.ts';
import { sizeLimitsOf } from '../event/size-limits.ts';
import type { ExecutionStore } from '../execution/store.ts';
import type { LogWriter } from '../log/log.ts';
import { createRedactor, type RedactOptions } from '../redact/redaction.ts';
import type { Logger } from '../telemetry/logger.ts';
import { STDERR } from '../telemetry/stderr-logger.ts';
import type { BeginRun } from './begin-run.ts';
import type { ExecutionPublisher } from './execution-publisher.ts';
import { DEFAULT_LIMITS, type PublisherLimits } from './limits.ts';
import { createRun, type Run } from './run.ts';

export interface PublisherOptions {
  /** The log to append to, such as `createRedisLogWriter()` returns. */
  readonly log: LogWriter & LivenessWriter;
  /** The rows of the executions, such as `createPrismaStore()` returns. */
  readonly store: ExecutionStore;
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

export interface Publisher {
  /**
   * Begins an execution, or a new attempt of it, and its stream. Resolves within `beginMs` even if the row or the log
   * is unavailable; the run then queues events and keeps retrying.
   * @throws ExecstreamError `BAD_USER_INPUT` for invalid input, `SUPERSEDED` for an older attempt or a second publisher
   *   of the same attempt, `ENDED`, `FORBIDDEN` for an id of another tenant, `EVENT_TOO_LARGE`.
   */
  begin(run: BeginRun): Promise<ExecutionPublisher>;
  /**
   * Sends queued events and records pending ends, within `closeMs`, then releases every run. Open runs are not ended:
   * their next attempt continues. `log` and `store` stay open.
   */
  close(): Promise<void>;
}

/**
 * Creates a publisher. The caller owns `log` and `store`, and closes them.
 * @throws ExecstreamError `CONFIG` without `log` or `store`, `BAD_USER_INPUT` for a literal or pattern that cannot be
 *   redacted.
 * @example
 * ```ts
 * const log = createRedisLogWriter({ redis: 'redis://localhost:6379' });
 * const store = createPrismaStore({ url: 'postgres://localhost/app' });
 * const publisher = createPublisher({ log, store });
 *
 * const run = await publisher.begin({ kind: 'agent', id: 'poem-1' });
 * await run.text('Shall I compare thee to a summer’s day?');
 * await run.complete();
 *
 * await publisher.close();
 * await log.close();
 * await store.close();
 * ```
 */
export function createPublisher(options: PublisherOptions): Publisher {
  checkParts(options);
  const { log, store, logger = STDERR, redact } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const sizes = sizeLimitsOf(limits.messageBytes);
  const createRedaction = createRedactor(redact);
  const openRuns = new Set<Run>();
  let isClosed = false;

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
    async close() {
      isClosed = true;
      await Promise.all([...openRuns].map((run) => run.close()));
    },
  };
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
