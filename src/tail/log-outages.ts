// Logs why the logs of executions cannot be read: a line at the start and at the end of an outage. All tails share it,
// because an outage of Redis concerns all of them, and 10,000 tails must not log 10,000 lines.
import { isExecstreamError } from '../event/errors.ts';
import type { ErrorLogger } from '../telemetry/logger.ts';

export class LogOutages {
  readonly #logger: ErrorLogger;
  /** The executions whose log is unavailable. */
  readonly #affected = new Set<string>();

  constructor(logger: ErrorLogger) {
    this.#logger = logger;
  }

  /** A log could not be read. Errors that concern one execution, such as a corrupt entry, get a line each. */
  began(executionId: string, err: unknown): void {
    if (!isExecstreamError(err, 'SOURCE_UNAVAILABLE')) {
      this.#logger.error({ err, executionId }, 'log of an execution cannot be read: viewers wait, retrying');
      return;
    }
    if (this.#affected.size === 0) {
      this.#logger.error({ err, executionId }, 'logs cannot be read: viewers wait, retrying');
    }
    this.#affected.add(executionId);
  }

  /** A log was read, or is no longer needed. */
  ended(executionId: string): void {
    if (!this.#affected.delete(executionId) || this.#affected.size > 0) return;
    this.#logger.info?.({}, 'logs can be read again');
  }
}
