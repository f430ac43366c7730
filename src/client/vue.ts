// The package entry `execstream/client/vue`: composables over the stores of the client.
import {
  type ComputedRef,
  computed,
  getCurrentInstance,
  type MaybeRefOrGetter,
  onMounted,
  shallowRef,
  toValue,
  watch,
} from 'vue';
import type { ExecutionKind } from '../event/events.ts';
import type { ExecutionState } from '../event/state.ts';
import {
  type ExecutionOptions,
  type ExecutionsOptions,
  executionRequest,
  executionsRequest,
} from './bindings/requests.ts';
import { type Snapshot, type StoreRequest, shareStore } from './bindings/shared-store.ts';
import type { Client } from './client.ts';
import type { ListedExecution, ListFilter } from './list.ts';

/** What a composable returns: a `ref` for each part of a snapshot. */
export type Refs<T> = { readonly [Part in keyof Snapshot<T>]: ComputedRef<Snapshot<T>[Part]> } & {
  /** Connects again if `connection.status` is `failed`; does nothing otherwise. */
  retry(): void;
};

/**
 * Follows an execution while the component is mounted, or the scope active.
 * @param id none for no execution: the connection is `idle`
 */
export function useExecution(
  client: Client,
  kind: ExecutionKind,
  id: MaybeRefOrGetter<string | null | undefined>,
  options: ExecutionOptions = {},
): Refs<ExecutionState> {
  return useSharedStore(() => executionRequest(client, kind, toValue(id), options));
}

/**
 * The newest executions that match a filter, kept up to date while the component is mounted, or the scope active.
 * @param filter null for no list: the connection is `idle`
 */
export function useExecutions(
  client: Client,
  filter: MaybeRefOrGetter<ListFilter | null> = {},
  options: ExecutionsOptions = {},
): Refs<readonly ListedExecution[]> {
  return useSharedStore(() => executionsRequest(client, toValue(filter), options));
}

function useSharedStore<T>(request: () => StoreRequest<T>): Refs<T> {
  const store = computed(() => shareStore(request()));
  const snapshot = shallowRef(store.value.initial);
  const follow = () =>
    watch(
      store,
      (current, _previous, onCleanup) => {
        const update = () => {
          snapshot.value = current.snapshot;
        };
        onCleanup(current.subscribe(update));
        update();
      },
      { immediate: true },
    );
  // Servers do not mount components.
  if (getCurrentInstance()) onMounted(follow);
  else follow();
  return {
    state: computed(() => snapshot.value.state),
    connection: computed(() => snapshot.value.connection),
    error: computed(() => snapshot.value.error),
    retry: () => store.value.retry(),
  };
}
