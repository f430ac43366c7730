// The stores that components can show. A key consists of everything that a stream depends on, by value, so options can be
// written inline: functions, such as `fetch`, are options of the client.
import type { ExecutionKind } from '../../event/events.ts';
import { type ExecutionState, initialState } from '../../event/state.ts';
import type { Client, FollowOptions } from '../client.ts';
import type { ListedExecution, ListFilter, ListOptions } from '../list.ts';
import type { StoreRequest } from './shared-store.ts';

type ConnectionSettings = 'backoff' | 'heartbeatMs' | 'pauseWhileHidden';

/** As for `client.follow`. The other options are those of the client. */
export type ExecutionOptions = Pick<FollowOptions, 'mode' | 'initial' | ConnectionSettings>;

/** As for `client.list`. The other options are those of the client. */
export type ExecutionsOptions = Pick<ListOptions, 'pollMs' | 'initial' | ConnectionSettings>;

/** @param id none for no execution */
export function executionRequest(
  client: Client,
  kind: ExecutionKind,
  id: string | null | undefined,
  { mode, initial, ...settings }: ExecutionOptions,
): StoreRequest<ExecutionState> {
  return {
    client,
    key: typeof id === 'string' ? keyOf(['execution', kind, id, mode], settings) : undefined,
    initial: initial ?? initialState(kind, mode),
    open: (state) => client.follow(kind, id as string, { mode, initial: state, ...settings }),
  };
}

/** @param filter null for no list */
export function executionsRequest(
  client: Client,
  filter: ListFilter | null,
  { pollMs, initial = [], ...settings }: ExecutionsOptions,
): StoreRequest<readonly ListedExecution[]> {
  return {
    client,
    key: filter ? keyOf(['list', filter.kind, filter.status, filter.first, pollMs], settings) : undefined,
    initial,
    open: (state) => client.list(filter ?? {}, { pollMs, initial: state, ...settings }),
  };
}

function keyOf(
  parts: readonly unknown[],
  { backoff, heartbeatMs, pauseWhileHidden }: Pick<FollowOptions, ConnectionSettings>,
): string {
  return JSON.stringify([...parts, backoff?.firstMs, backoff?.maxMs, heartbeatMs, pauseWhileHidden]);
}
