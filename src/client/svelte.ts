// The package entry `execstream/client/svelte`: the stores of the client under Svelte's store contract, for `$run` and
// `fromStore`.
import type { ExecutionKind } from '../event/events.ts';
import type { ExecutionState } from '../event/state.ts';
import {
  type ExecutionOptions,
  type ExecutionsOptions,
  executionRequest,
  executionsRequest,
} from './bindings/requests.ts';
import { type SharedStore, type Snapshot, shareStore } from './bindings/shared-store.ts';
import type { Client } from './client.ts';
import type { ListedExecution, ListFilter } from './list.ts';

/** A readable store of Svelte. It connects with the first subscription. */
export interface ReadableSnapshot<T> {
  /** Calls a function immediately and after each change. Returns a function that ends it. */
  subscribe(run: (snapshot: Snapshot<T>) => void): () => void;
  /** Connects again if `connection.status` is `failed`; does nothing otherwise. */
  retry(): void;
}

/** An execution as a readable store. @param id none for no execution: the connection is `idle` */
export function executionStore(
  client: Client,
  kind: ExecutionKind,
  id: string | null | undefined,
  options: ExecutionOptions = {},
): ReadableSnapshot<ExecutionState> {
  return readable(shareStore(executionRequest(client, kind, id, options)));
}

/** The newest executions that match a filter. @param filter null for no list: the connection is `idle` */
export function executionListStore(
  client: Client,
  filter: ListFilter | null = {},
  options: ExecutionsOptions = {},
): ReadableSnapshot<readonly ListedExecution[]> {
  return readable(shareStore(executionsRequest(client, filter, options)));
}

function readable<T>(store: SharedStore<T>): ReadableSnapshot<T> {
  return {
    retry: store.retry,
    subscribe(run) {
      // Svelte subscribes on servers, too, which do not connect.
      const isServer = !('document' in globalThis);
      const leave = isServer ? () => {} : store.subscribe(() => run(store.snapshot));
      run(store.snapshot);
      return leave;
    },
  };
}
