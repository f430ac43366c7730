// Liveness and readiness.
import { isExecstreamError } from '../event/errors.ts';
import { failureReasonOf } from '../telemetry/failure-reason.ts';

/** Checks a part that the server needs; rejects if it does not work. */
export type Check = () => Promise<void>;

/** Limits the load that probes, which need no credentials, can cause on Redis and the database. */
const CHECKS_PER_SECOND = 5;

export function live(): Response {
  return Response.json({ status: 'ok' });
}

export interface Health {
  readonly isOk: boolean;
  /** `ok`, or why the part does not work. */
  readonly parts: { readonly [part: string]: string };
}

/**
 * Creates a function that checks all parts. Concurrent calls share one check; calls above the limit get the latest
 * result.
 * @param onChecked receives the outcome of each check of a part: the error, or undefined
 */
export function createHealthCheck(
  checks: { readonly [part: string]: Check },
  onChecked: (part: string, error: unknown) => void = () => {},
): () => Promise<Health> {
  let latest: Promise<Health> | undefined;
  let isRunning = false;
  let countedFrom = 0;
  let counted = 0;

  async function checkPart([part, check]: [string, Check]): Promise<[string, string]> {
    try {
      await check();
      onChecked(part, undefined);
      return [part, 'ok'];
    } catch (error) {
      onChecked(part, error);
      return [part, reasonOf(error)];
    }
  }

  async function checkAll(): Promise<Health> {
    const parts = await Promise.all(Object.entries(checks).map(checkPart));
    return { isOk: parts.every(([, reason]) => reason === 'ok'), parts: Object.fromEntries(parts) };
  }

  return () => {
    const now = performance.now();
    if (now - countedFrom >= 1_000) {
      countedFrom = now;
      counted = 0;
    }
    if (latest && (isRunning || counted >= CHECKS_PER_SECOND)) return latest;
    counted += 1;
    isRunning = true;
    latest = checkAll().finally(() => {
      isRunning = false;
    });
    return latest;
  };
}

/** Creates the readiness handler: 200 if every part works; 503 with the reasons, or while the server drains. */
export function createReadiness(checkHealth: () => Promise<Health>) {
  return async (isDraining: boolean): Promise<Response> => {
    if (isDraining) return Response.json({ status: 'draining' }, { status: 503 });
    const { isOk, parts } = await checkHealth();
    return Response.json({ status: isOk ? 'ok' : 'unavailable', parts }, { status: isOk ? 200 : 503 });
  };
}

/** The messages of other errors are not shown: a driver's may contain hosts and users. */
function reasonOf(error: unknown): string {
  if (!isExecstreamError(error)) return 'check failed';
  const reason = failureReasonOf(error.cause);
  return reason === undefined || error.message.includes(reason)
    ? error.message
    : `${error.message}: ${reason}`;
}
