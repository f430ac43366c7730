// Whether the process lives, and whether it can do its work.
import { isExecstreamError } from '../event/errors.ts';

/** A part that the server needs; rejects where it does not work. */
export type Check = () => Promise<void>;

/** Parts are checked up to so often, whoever asks: probes need no credentials and must not become load on them. */
const CHECKS_PER_SECOND = 5;

/** The process answers. */
export function live(): Response {
  return Response.json({ status: 'ok' });
}

/**
 * Makes the answer of readiness: 200 where every part works, or 503 with the reason of each that does not; a server that
 * stops is not ready for anything new. Probes that come together share one check, and those above the limit the last.
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

/** Only what is meant to be shown: a driver's message may name hosts and users. */
function reasonOf(error: unknown): string {
  return isExecstreamError(error) ? error.message : 'it fails';
}
