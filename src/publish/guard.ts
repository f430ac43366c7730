// Keeps publishing from failing the work: whatever a publishing call throws becomes a log line and the result `false`.
import type { Logger } from '../telemetry/logger.ts';
import { REMIND_MS } from './retry.ts';

export interface GuardOptions {
  /** Whether errors are thrown instead. */
  readonly isStrict: boolean;
  readonly logger: Logger;
  readonly executionId: string;
  /** A call was rejected. */
  onRejected(error: unknown): void;
}

/**
 * Makes a publishing call.
 * @param name of the call, for the log line
 * @param call returns whether it has published something
 * @returns what the call returns; false if it throws or rejects, unless the publisher is strict
 */
export type Guard = (name: string, call: () => Promise<boolean>) => Promise<boolean>;

/** Creates the guard of one run. It logs the rejections of each call once a minute. */
export function createGuard({ isStrict, logger, executionId, onRejected }: GuardOptions): Guard {
  if (isStrict) return (_, call) => call();
  const loggedAt = new Map<string, number>();

  function report(name: string, err: unknown): void {
    onRejected(err);
    const now = Date.now();
    if (now - (loggedAt.get(name) ?? Number.NEGATIVE_INFINITY) < REMIND_MS) return;
    loggedAt.set(name, now);
    logger.error({ executionId, err }, `${name} rejected: nothing was published, and the work continues`);
  }

  return async (name, call) => {
    try {
      return await call();
    } catch (error) {
      report(name, error);
      return false;
    }
  };
}
