// The driver of a connection: performs what the state machine requires, with timers, a network and a page.
import type { BackoffPolicy } from '../async/backoff.ts';
import { MAX_TIMER_MS } from '../async/timeout.ts';
import {
  type ConnectionInput,
  type ConnectionState,
  INITIAL_MACHINE,
  isFinalState,
  isOpen,
  transition,
} from './connection-state.ts';
import { isPageHidden, observePage } from './page-lifecycle.ts';
import { rejectionOf } from './rejection.ts';
import type { Tokens } from './tokens.ts';

export interface ConnectionOptions {
  /**
   * Sends the requests, for example with `credentials: 'include'`. An ExecstreamError that it throws counts as a rejection by
   * the server: permanent, unless its code is retryable.
   * @default globalThis.fetch
   */
  readonly fetch?: typeof globalThis.fetch;
  /**
   * Limits of the random delay before an attempt, which the server's `retry:` and `Retry-After` add to.
   * @default { firstMs: 1_000, maxMs: 30_000 }
   */
  readonly backoff?: BackoffPolicy;
  /**
   * The interval of the server's heartbeats (`HEARTBEAT_MS`), in ms. A connection on which nothing arrives for 2.5
   * intervals is dead, and replaced.
   * @default 15_000
   */
  readonly heartbeatMs?: number;
  /**
   * Whether to disconnect while the page is hidden.
   * @default false, for lists true
   */
  readonly pauseWhileHidden?: boolean;
  /** Closes the connection. */
  readonly signal?: AbortSignal;
}

/** Heartbeats without a byte after which a connection is dead. */
const DEAD_AFTER = 2.5;
/** The same when the page is used again: it was frozen, or the network has changed. */
const SUSPICIOUS_AFTER = 1.25;

/** One attempt to connect, and the connection that it leads to. */
export interface Attempt {
  /**
   * Sends a request with the token: a GET, or a POST if there is a body.
   * @returns a response with a status of success
   * @throws ExecstreamError for any other status
   */
  request(url: string, headers: Readonly<Record<string, string>>, body?: string): Promise<Response>;
  /** Waits for the next bytes. Rejects if the connection is dead, or when it is closed. */
  step<T>(call: () => Promise<T>): Promise<T>;
  /** Waits. Ends early when the page is used again. */
  pause(ms: number): Promise<void>;
  /** Throws if the connection was closed while the consumer was busy. */
  check(): void;
  dispatch(input: ConnectionInput): void;
}

export interface Connection {
  readonly state: ConnectionState;
  /** Calls a function after each change. Returns a function that ends it. */
  subscribe(listener: () => void): () => void;
  /** Calls the listeners. */
  notify(): void;
  /**
   * Makes attempts until one of them reaches the end. May be called once. An attempt returns after it has dispatched
   * `end`, and throws if it is cut.
   * @throws ExecstreamError if the server rejects a request permanently
   * @throws DOMException `AbortError` if the connection was closed, or the reason of its signal
   */
  run<T>(attempt: (attempt: Attempt) => AsyncIterable<T>): AsyncGenerator<T, void, undefined>;
  close(): void;
}

export function createConnection(
  {
    fetch = globalThis.fetch,
    backoff = { firstMs: 1_000, maxMs: 30_000 },
    heartbeatMs = 15_000,
    ...options
  }: ConnectionOptions,
  tokens: Tokens,
): Connection {
  const { pauseWhileHidden = false, signal } = options;
  const listeners = new Set<() => void>();
  let machine = INITIAL_MACHINE;
  /** Aborted when the attempt is over. */
  let current = new AbortController();
  /** Ends the present step or pause. */
  let interrupt = (_reason: unknown): void => {};
  /** The page is used again, during the present step or pause. */
  let onWake = (): void => {};
  /** A token is valid if it was obtained after this time. */
  let tokenAfter = 0;

  function notify(): void {
    for (const listener of [...listeners]) {
      try {
        listener();
      } catch (error) {
        // Reported as an uncaught error, like that of an event listener; the stream goes on.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  function dispatch(input: ConnectionInput): void {
    const before = machine.connection;
    machine = transition(machine, input, { now: Date.now(), random: Math.random(), backoff });
    if (machine.connection === before) return;
    if (!isOpen(machine.connection)) current.abort();
    // A pause ends; a step is rejected, whose attempt is over.
    interrupt(current.signal.reason);
    notify();
  }

  function step<T>(call: () => Promise<T>): Promise<T> {
    const startedAt = Date.now();
    let timer: ReturnType<typeof setTimeout>;
    return new Promise<T>((resolve, reject) => {
      const failAfter = (heartbeats: number) => {
        clearTimeout(timer);
        const fail = () => reject(new Error('no heartbeat from the server'));
        timer = setTimeout(fail, Math.max(0, startedAt + heartbeats * heartbeatMs - Date.now()));
      };
      interrupt = reject;
      onWake = () => failAfter(SUSPICIOUS_AFTER);
      failAfter(DEAD_AFTER);
      check();
      call().then(resolve, reject);
    }).finally(() => {
      clearTimeout(timer);
      onWake = () => {};
    });
  }

  function pause(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout>;
    return new Promise<void>((resolve) => {
      interrupt = onWake = () => resolve();
      timer = setTimeout(resolve, Math.max(0, Math.min(ms, MAX_TIMER_MS)));
    }).finally(() => {
      clearTimeout(timer);
      onWake = () => {};
    });
  }

  function check(): void {
    current.signal.throwIfAborted();
  }

  async function request(
    url: string,
    headers: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<Response> {
    const token = await step(() => tokens.get(tokenAfter));
    // If the token is rejected, one that was obtained after this moment is needed.
    tokenAfter = Date.now();
    const response = await step(() =>
      fetch(url, {
        ...(body !== undefined && { method: 'POST', body }),
        headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
        cache: 'no-store',
        signal: current.signal,
      }),
    );
    if (!response.ok) throw await step(() => rejectionOf(response));
    return response;
  }

  const close = (): void => dispatch({ type: 'close' });

  async function* run<T>(start: (attempt: Attempt) => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    const stopObserving = observePage({
      onWake() {
        if (pauseWhileHidden && isPageHidden()) return;
        dispatch({ type: 'wake' });
        onWake();
      },
      onHide() {
        if (pauseWhileHidden) dispatch({ type: 'hide' });
      },
    });
    signal?.addEventListener('abort', close);
    if (signal?.aborted) close();
    else if (pauseWhileHidden && isPageHidden()) dispatch({ type: 'hide' });
    try {
      while (!isFinalState(machine.connection)) {
        const { connection } = machine;
        if (isOpen(connection)) yield* attemptOnce(start);
        else {
          await pause(
            ((connection as { retryAt?: number }).retryAt ?? Number.POSITIVE_INFINITY) - Date.now(),
          );
          dispatch({ type: 'due' });
        }
      }
      const state = machine.connection;
      if (state.status === 'failed') throw state.error;
      if (state.status === 'ended' && state.reason)
        throw signal?.aborted ? signal.reason : new DOMException('closed', 'AbortError');
    } finally {
      close();
      stopObserving();
      signal?.removeEventListener('abort', close);
    }
  }

  async function* attemptOnce<T>(
    start: (attempt: Attempt) => AsyncIterable<T>,
  ): AsyncGenerator<T, void, undefined> {
    current = new AbortController();
    try {
      yield* start({ request, step, pause, check, dispatch });
    } catch (error) {
      // Before a reconnect the token is renewed, unless another stream has renewed it after this moment.
      if (machine.connection.status === 'live') tokenAfter = Date.now();
      dispatch({ type: 'cut', error, canRenewToken: tokens.canRenew });
    } finally {
      current.abort();
    }
  }

  return {
    get state() {
      return machine.connection;
    },
    subscribe(listener) {
      // One entry per subscription: a function that subscribes twice is called until it leaves twice.
      const entry = () => listener();
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
    notify,
    run,
    close,
  };
}
