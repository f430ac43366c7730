// One call to Temporal over gRPC: it waits for its turn, has a timeout, and its failure is a TemporalError.
//
// Temporal's client has no default deadline, and its retries (ten, about 18 s) ignore both deadline and abort signal. So
// each call gets a deadline and a timer, and two tries unless the connection is that of the application.
import { settleWithin, withTimeout } from '../../async/timeout.ts';
import type { Codec } from './codec.ts';
import type { TemporalSettings } from './connection-settings.ts';
import { isTemporalError, type TemporalCall, TemporalError, toTemporalError } from './errors.ts';
import { type Connected, connect } from './grpc-connection.ts';
import { DEFAULT_REQUEST_LIMITS, type LimitedRequest, RequestLimiter } from './request-limiter.ts';
import {
  createRequestCounter,
  type RequestKind,
  type RequestMetrics,
  type RequestOutcome,
} from './request-metrics.ts';

/** How long the timer waits after the connection's own deadline. */
const GRACE_MS = 500;
/** How long queries in flight may take while the connection closes. */
const CLOSE_MS = 1_000;

export interface CallRequest extends Omit<LimitedRequest, 'priority'> {
  readonly kind: RequestKind;
  /** @default 'view' */
  readonly priority?: LimitedRequest['priority'] | undefined;
  /** How long it may take once it is sent, in ms. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Aborts the wait for the turn alone. */
  readonly queueSignal?: AbortSignal | undefined;
  /** Is called when its turn has come. */
  readonly onSent?: (() => void) | undefined;
}

export interface Calls {
  /** @throws TemporalError */
  call<T>(request: CallRequest, send: (connected: Connected) => Promise<T>): Promise<T>;
  readonly metrics: RequestMetrics;
  close(): Promise<void>;
}

/** @param remote a codec server */
export function createCalls(settings: TemporalSettings, remote: Codec): Calls {
  const limiter = new RequestLimiter({ ...DEFAULT_REQUEST_LIMITS, ...settings.requestLimits });
  const counter = createRequestCounter(limiter);
  const queriesInFlight = new Set<Promise<unknown>>();
  let connecting: Promise<Connected> | undefined;

  /** Sends a call whose turn has come. */
  async function send<T>(
    { kind, timeoutMs }: CallRequest,
    work: (connected: Connected) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    // One per call, because the client never removes its listener from a signal.
    const aborting = new AbortController();
    const abort = (): void => aborting.abort();
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    let outcome: RequestOutcome = 'ok';
    try {
      connecting ??= connect(settings, remote);
      const connected = await connecting;
      const { connection } = connected;
      const ms = timeoutMs + GRACE_MS;
      return await withTimeout(
        () =>
          connection.withAbortSignal(aborting.signal, () =>
            connection.withDeadline(Date.now() + timeoutMs, () => work(connected)),
          ),
        { ms, error: () => timeoutError(kind, ms), keepsAlive: false },
      );
    } catch (error) {
      const failure = toTemporalError(error, callOf(kind));
      outcome = signal?.aborted ? 'aborted' : failure.condition;
      throw failure;
    } finally {
      counter.record(kind, outcome);
      signal?.removeEventListener('abort', abort);
      // Cancels a call that the timer ended.
      abort();
    }
  }

  /**
   * Sends a query whose turn has come, and waits for it. When the signal aborts, nobody waits any more, but the query is
   * not cancelled: a worker logs a warning if a query that it responds to is gone.
   */
  async function sendQuery<T>(
    request: CallRequest,
    work: (connected: Connected) => Promise<T>,
    done: () => void,
  ): Promise<T> {
    const { namespace, taskQueue, timeoutMs, signal } = request;
    const response = send(request, work, undefined)
      .catch((error) => {
        if (taskQueue !== undefined && isTemporalError(error, 'no-worker')) {
          limiter.rejectQueries(namespace, taskQueue, error);
        }
        throw error;
      })
      .finally(() => {
        queriesInFlight.delete(response);
        done();
      });
    queriesInFlight.add(response);
    response.catch(() => {});
    const ms = timeoutMs + 2 * GRACE_MS;
    return withTimeout(() => response, {
      ...{ ms, error: () => timeoutError('query', ms), keepsAlive: false },
      ...(signal && { signal }),
    });
  }

  return {
    async call(request, work) {
      const { kind, priority = 'view', signal, queueSignal } = request;
      try {
        const waitSignal =
          signal && queueSignal ? AbortSignal.any([signal, queueSignal]) : (signal ?? queueSignal);
        const done = await limiter.acquire({ ...request, priority }, waitSignal);
        request.onSent?.();
        return await (kind === 'query' ? sendQuery(request, work, done) : send(request, work, signal));
      } catch (error) {
        throw toTemporalError(error, callOf(kind));
      }
    },
    metrics: counter,
    async close() {
      await settleWithin(Promise.allSettled(queriesInFlight), CLOSE_MS);
      const connected = await connecting?.catch(() => undefined);
      await connected?.close();
    },
  };
}

/** Workers respond to queries and updates. */
function callOf(kind: RequestKind): TemporalCall {
  return kind === 'query' || kind === 'update' ? 'query' : 'read';
}

function timeoutError(kind: RequestKind, ms: number): TemporalError {
  return new TemporalError(
    callOf(kind) === 'query' ? 'slow-worker' : 'unavailable',
    `no response within ${ms} ms`,
  );
}
