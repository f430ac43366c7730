// Stores that components share: everything on a page that shows the same execution has one connection, opened by the first
// subscription and closed after the last. What they show changes once per animation frame.
//
// Rules (test/client/bindings/shared-store.test.ts)
// 1. Nothing is opened without a subscription, so rendering has no effects, and servers never connect.
// 2. A store is closed in the next task: a component that is replaced, or that React's StrictMode mounts twice, keeps it.
// 3. A snapshot is replaced only if the state or the connection has changed.
// 4. Nothing is sent to a listener after it has unsubscribed.
import type { ExecstreamError } from '../../event/errors.ts';
import type { Client } from '../client.ts';
import { type ConnectionState, INITIAL_MACHINE } from '../connection-state.ts';
import type { Store } from '../store.ts';
import { onNextFrame } from './frames.ts';

/** The state of a connection as components see it: `idle` if there is nothing to connect to. */
export type BindingConnection = ConnectionState | { readonly status: 'idle' };

/** What a component shows. Immutable. */
export interface Snapshot<T> {
  readonly state: T;
  readonly connection: BindingConnection;
  /** Why the server has rejected the request permanently; `connection.status` is then `failed`. */
  readonly error: ExecstreamError | undefined;
}

/** How to open a store. */
export interface StoreRequest<T> {
  readonly client: Client;
  /** Requests of a client with the same key share one store; undefined for none. */
  readonly key: string | undefined;
  /** The state until there is another. */
  readonly initial: T;
  /** Opens the store; it continues after `state`. */
  open(state: T): Store<T>;
}

/** A store that is open while it has subscriptions. */
export interface SharedStore<T> {
  /** What servers render, and pages until they have a connection. */
  readonly initial: Snapshot<T>;
  readonly snapshot: Snapshot<T>;
  /** Calls a function after a change, once per animation frame. Returns a function that ends it. */
  subscribe(listener: () => void): () => void;
  /** Connects again after the server has rejected the request permanently. */
  retry(): void;
}

/** The open stores of each client. */
const stores = new WeakMap<Client, Map<string, OpenStore<unknown>>>();

/** The store of a request. It does not connect before the first subscription. */
export function shareStore<T>(request: StoreRequest<T>): SharedStore<T> {
  const { client, key } = request;
  const connection: BindingConnection = key === undefined ? { status: 'idle' } : INITIAL_MACHINE.connection;
  const initial: Snapshot<T> = { state: request.initial, connection, error: undefined };
  /** The latest snapshot, while the store is not open. */
  let last = initial;
  const current = () => (key === undefined ? undefined : (stores.get(client)?.get(key) as OpenStore<T>));

  return {
    initial,
    get snapshot() {
      return current()?.snapshot ?? last;
    },
    subscribe(listener) {
      if (key === undefined) return () => {};
      const store = current() ?? openStore(request, key, last);
      const leave = store.subscribe(listener);
      return () => {
        last = { ...initial, state: store.snapshot.state };
        leave();
      };
    },
    retry: () => current()?.retry(),
  };
}

interface OpenStore<T> {
  readonly snapshot: Snapshot<T>;
  subscribe(listener: () => void): () => void;
  retry(): void;
}

function openStore<T>({ client, open }: StoreRequest<T>, key: string, first: Snapshot<T>): OpenStore<T> {
  const listeners = new Set<() => void>();
  let snapshot = first;
  let disconnect = connect();
  let closing: ReturnType<typeof setTimeout> | undefined;
  const siblings = stores.get(client) ?? new Map<string, OpenStore<unknown>>();

  function connect(): () => void {
    const store = open(snapshot.state);
    let isScheduled = false;
    let cancelFrame = (): void => {};
    const update = () => {
      isScheduled = false;
      const { state, connection } = store;
      if (state === snapshot.state && connection === snapshot.connection) return;
      const error = connection.status === 'failed' ? connection.error : undefined;
      snapshot = { state, connection, error };
      for (const listener of [...listeners]) listener();
    };
    update();
    const leave = store.subscribe(() => {
      if (isScheduled) return;
      isScheduled = true;
      cancelFrame = onNextFrame(update);
    });
    return () => {
      cancelFrame();
      leave();
      store.close();
    };
  }

  function close(): void {
    siblings.delete(key);
    disconnect();
  }

  const self: OpenStore<T> = {
    get snapshot() {
      return snapshot;
    },
    subscribe(listener) {
      clearTimeout(closing);
      // One entry per subscription: a function that subscribes twice is called until it leaves twice.
      const entry = () => listeners.has(entry) && listener();
      listeners.add(entry);
      return () => {
        if (listeners.delete(entry) && listeners.size === 0) closing = setTimeout(close, 0);
      };
    },
    retry() {
      if (snapshot.connection.status !== 'failed') return;
      disconnect();
      disconnect = connect();
    },
  };
  stores.set(client, siblings.set(key, self as OpenStore<unknown>));
  return self;
}
