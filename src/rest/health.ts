// Liveness and readiness.
import { isExecstreamError } from '../event/errors.ts';

/** Checks a part that the server needs; rejects if it does not work. */
export type Check = () => Promise<void>;

/** Limits the load that probes, which need no credentials, can cause on Redis and the database. */
const CHECKS_PER_SECOND = 5;

export function live(): Response {
  return Response.json({ status: 'ok' });
}

/**
 * Creates the readiness handler: 200 if every part works; 503 with the reason for each that does not, or while the
 * server drains. Concurrent probes share one check; probes above the limit get the latest result.
 */
export function createReadiness(checks: { readonly [part: string]: Check }) {
  let latest: Promise<Health> | undefined;
  let isRunning = false;
  let countedFrom = 0;
  let counted = 0;

  function health(): Promise<Health> {
    const now = performance.now();
    if (now - countedFrom >= 1_000) {
      countedFrom = now;
      counted = 0;
    }
    if (latest && (isRunning || counted >= CHECKS_PER_SECOND)) return latest;
    counted += 1;
    isRunning = true;
    latest = checkAll(checks).finally(() => {
      isRunning = false;
    });
    return latest;
  }

  return async (isDraining: boolean): Promise<Response> => {
    if (isDraining) return Response.json({ status: 'draining' }, { status: 503 });
    const { isOk, parts } = await health();
    return Response.json({ status: isOk ? 'ok' : 'unavailable', parts }, { status: isOk ? 200 : 503 });
  };
}

interface Health {
  readonly isOk: boolean;
  readonly parts: { readonly [part: string]: string };
}

async function checkAll(checks: { readonly [part: string]: Check }): Promise<Health> {
  const settled = await Promise.allSettled(Object.values(checks).map((check) => check()));
  const reasons = settled.map((outcome) =>
    outcome.status === 'fulfilled' ? 'ok' : reasonOf(outcome.reason),
  );
  const parts = Object.fromEntries(Object.keys(checks).map((part, i) => [part, reasons[i]!]));
  return { isOk: settled.every(({ status }) => status === 'fulfilled'), parts };
}

/** The messages of other errors are not shown: a driver's may contain hosts and users. */
function reasonOf(error: unknown): string {
  return isExecstreamError(error) ? error.message : 'check failed';
}
