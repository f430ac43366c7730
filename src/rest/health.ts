// Whether the process lives, and whether it can do its work.
import { messageOf } from '../event/error.ts';

/** A part that the server needs; rejects where it does not answer. */
export type Check = () => Promise<void>;

/** The process answers. */
export function live(): Response {
  return Response.json({ status: 'ok' });
}

/** Every part answers: 200, or 503 with what is down; a server that stops is not ready for anything new. */
export async function ready(
  checks: { readonly [part: string]: Check },
  isDraining: boolean,
): Promise<Response> {
  if (isDraining) return Response.json({ status: 'draining' }, { status: 503 });
  const names = Object.keys(checks);
  const settled = await Promise.allSettled(Object.values(checks).map((check) => check()));
  const parts = Object.fromEntries(
    settled.map((outcome, i) => [
      names[i],
      outcome.status === 'fulfilled' ? 'ok' : messageOf(outcome.reason),
    ]),
  );
  const ok = settled.every(({ status }) => status === 'fulfilled');
  return Response.json({ status: ok ? 'ok' : 'unavailable', parts }, { status: ok ? 200 : 503 });
}
