// Calls that concurrent requests share. A request gets the response to a call that started after it, so that what Temporal
// has acknowledged before is in it.
import { delay } from '../../async/delay.ts';
import { LruMap } from '../../async/lru-map.ts';

/** Calls that start within this time after the one before are repeated. */
const REPEATED_MS = 1_000;
const MAX_KEPT = 10_000;

export interface SharedCallsOptions<Request, Response> {
  /** Requests with equal keys share calls. */
  keyOf(request: Request): string;
  /** Between the starts of two calls with one key at least, in ms, however many requests there are. */
  readonly spacingMs: number;
  /** @param isRepeated whether the call follows another one with the same key within a second */
  call(request: Request, isRepeated: boolean): Promise<Response>;
}

/** One call, and the one that follows it for requests that came after it had started. */
interface Call<Response> {
  readonly startedAt: number;
  readonly response: Promise<Response>;
  isDone: boolean;
  next?: Promise<Response>;
}

/** Creates a function that returns a response to a call which starts after the request. Rejects as `call` does. */
export function shareCalls<Request, Response>({
  keyOf,
  spacingMs,
  call: send,
}: SharedCallsOptions<Request, Response>): (request: Request) => Promise<Response> {
  const calls = new LruMap<string, Call<Response>>(MAX_KEPT);

  function start(key: string, request: Request, before: Call<Response> | undefined): Promise<Response> {
    const startedAt = performance.now();
    const isRepeated = before !== undefined && startedAt - before.startedAt < REPEATED_MS;
    const call: Call<Response> = { startedAt, response: send(request, isRepeated), isDone: false };
    const done = (): void => {
      call.isDone = true;
    };
    call.response.then(done, done);
    calls.set(key, call);
    return call.response;
  }

  async function startAfter(key: string, request: Request, before: Call<Response>): Promise<Response> {
    await before.response.catch(() => {});
    await delay(before.startedAt + spacingMs - performance.now(), undefined, true);
    return start(key, request, before);
  }

  return (request) => {
    const key = keyOf(request);
    const call = calls.get(key);
    const isEarly = call && (!call.isDone || performance.now() - call.startedAt < spacingMs);
    if (!isEarly) return start(key, request, call);
    call.next ??= startAfter(key, request, call);
    return call.next;
  };
}
