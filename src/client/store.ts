// The shape of everything that an application can display: a value that changes, and the connection that it comes from.
import type { Connection } from './connection.ts';
import type { ConnectionState } from './connection-state.ts';

/**
 * A value that is kept up to date. It fits React's `useSyncExternalStore` and Svelte's and Vue's equivalents:
 * `useSyncExternalStore(run.subscribe, () => run.state)`.
 */
export interface Store<T> {
  /** The latest value. Immutable: it is replaced when something changes, and its unchanged parts keep their identity. */
  readonly state: T;
  readonly connection: ConnectionState;
  /**
   * Calls a function after each change of `state` or `connection`, up to once per event.
   * @returns a function that ends it
   */
  subscribe(listener: () => void): () => void;
  /** Disconnects. The state stays as it is. */
  close(): void;
}

/** A store whose owner replaces the state, and then calls `connection.notify`. */
export function createStore<T>(connection: Connection, stateOf: () => T): Store<T> {
  return {
    get state() {
      return stateOf();
    },
    get connection() {
      return connection.state;
    },
    subscribe: connection.subscribe,
    close: connection.close,
  };
}
