// A worker's publisher: begins runs, and sees them off when the worker stops.
import { invalidInput } from '../event/errors.ts';
import type { ExecutionStore } from '../execution/store.ts';
import type { LogWriter } from '../log/log.ts';
import { createRedactor, type RedactOptions } from '../redact/redaction.ts';
import { type Logger, SILENT } from '../telemetry/logger.ts';
import type { BeginRun } from './begin-run.ts';
import type { ExecutionPublisher } from './execution-publisher.ts';
import { DEFAULT_LIMITS, type PublisherLimits } from './limits.ts';
import { createRun, type Run } from './run.ts';

export interface PublisherOptions {
  readonly log: LogWriter;
  readonly store: ExecutionStore;
  /** Silent by default; pino's loggers fit. */
  readonly logger?: Logger;
  readonly limits?: Partial<PublisherLimits>;
  /**
   * Secrets known by their looks are replaced by `[redacted]` before anything is held, queued, sent, written on the
   * row or logged. Here is what to replace besides; `false` replaces nothing.
   */
  readonly redact?: false | RedactOptions;
}

export interface Publisher {
  /**
   * Begins an execution, or a new attempt of it, and its stream. Resolves within `beginMs`, though row or log be
   * away: the run then holds what is published and goes on trying.
   * @throws ExecstreamError `BAD_USER_INPUT` for what cannot be begun, `SUPERSEDED` for an older attempt or a second
   *   publisher, `ENDED`, `FORBIDDEN` for an id of another tenant, `EVENT_TOO_LARGE`.
   */
  begin(run: BeginRun): Promise<ExecutionPublisher>;
  /**
   * Sends what is queued and records ends under way, within `closeMs`, then lets go of every run. It ends none: a run
   * still open is left to its next attempt. It does not close `log` or `store`.
   */
  close(): Promise<void>;
}

/**
 * Makes a publisher over a log and a store, which stay the caller's.
 * @throws ExecstreamError `BAD_USER_INPUT` for a literal or pattern that cannot be redacted.
 */
export function createPublisher(options: PublisherOptions): Publisher {
  const { log, store, logger = SILENT, redact } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
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
