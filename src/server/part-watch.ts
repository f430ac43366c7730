// Watches the parts that a server depends on, so that the log names the cause of an outage even if nothing probes
// readiness.
import { type Check, createHealthCheck, type Health } from '../rest/health.ts';
import type { ErrorLogger } from '../telemetry/logger.ts';
import { OutageLog } from '../telemetry/outage-log.ts';

const CHECK_EVERY_MS = 5_000;

/** After this time without a failed request, requests succeed again. */
const QUIET_MS = 60_000;

export interface PartWatch {
  /** Checks all parts; the outcomes are logged. */
  check(): Promise<Health>;
  /** A request failed because a part is unavailable. */
  onUnavailable(error: unknown): void;
  /** Starts to check the parts, and returns a function that stops it. */
  start(): () => void;
}

export function createPartWatch(
  checks: { readonly log: Check; readonly database: Check },
  logger: ErrorLogger,
): PartWatch {
  const outages: { readonly [part: string]: OutageLog } = {
    log: new OutageLog('log', logger),
    database: new OutageLog('database', logger),
  };
  /** Failures that no check detects, such as a disk that is full for some tables. */
  const requests = new OutageLog('requests', logger, ['fail', 'succeed']);
  let isStopped = false;
  const check = createHealthCheck(checks, (part, error) => {
    // A check in flight fails when a stopping server closes its parts.
    if (isStopped) return;
    if (error === undefined) outages[part]?.succeeded();
    else outages[part]?.failed(error);
  });

  return {
    check,
    onUnavailable: (error) =>
      void check().then(({ isOk }) => {
        if (isOk) requests.failed(error);
      }),
    start: () => {
      const tick = () => void check().then(() => requests.succeeded(QUIET_MS));
      tick();
      const timer = setInterval(tick, CHECK_EVERY_MS).unref();
      return () => {
        isStopped = true;
        clearInterval(timer);
      };
    },
  };
}
