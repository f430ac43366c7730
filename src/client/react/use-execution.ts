// The hooks.
import type { ExecutionKind } from '../../event/events.ts';
import type { ExecutionState } from '../../event/state.ts';
import {
  type ExecutionOptions,
  type ExecutionsOptions,
  executionRequest,
  executionsRequest,
} from '../bindings/requests.ts';
import type { Client } from '../client.ts';
import type { ListedExecution, ListFilter } from '../list.ts';
import { useExecstreamClient } from './context.ts';
import { type HookResult, useSharedStore } from './use-shared-store.ts';

export interface HookOptions<T, Selected> {
  /** @default that of the `ExecstreamProvider` */
  readonly client?: Client;
  /**
   * Computes what the component shows of the state. The component renders if that changes; of a new object or array, if one
   * of its entries changes. It may be an inline function.
   * @default the state
   */
  readonly select?: (state: T) => Selected;
}

export interface UseExecutionOptions<Selected>
  extends ExecutionOptions,
    HookOptions<ExecutionState, Selected> {}

export interface UseExecutionsOptions<Selected>
  extends ExecutionsOptions,
    HookOptions<readonly ListedExecution[], Selected> {}

/**
 * Follows an execution while the component is mounted, and renders it up to once per animation frame. All components that
 * follow the same execution share one connection. On a server it renders `initial`, and does not connect.
 * @param id none for no execution: the connection is `idle`
 * @throws ExecstreamError `CONFIG` without a client
 * @example
 * const { state, connection } = useExecution('agent', id);
 * return <pre>{state.text}</pre>;
 */
export function useExecution<Selected = ExecutionState>(
  kind: ExecutionKind,
  id: string | null | undefined,
  { client, select, ...options }: UseExecutionOptions<Selected> = {},
): HookResult<Selected> {
  return useSharedStore(executionRequest(useExecstreamClient(client), kind, id, options), select);
}

/**
 * The newest executions that match a filter, kept up to date while the component is mounted.
 * @param filter null for no list: the connection is `idle`
 * @throws ExecstreamError `CONFIG` without a client
 * @example
 * const { state: running } = useExecutions({ kind: 'agent', status: 'RUNNING' });
 */
export function useExecutions<Selected = readonly ListedExecution[]>(
  filter: ListFilter | null = {},
  { client, select, ...options }: UseExecutionsOptions<Selected> = {},
): HookResult<Selected> {
  return useSharedStore(executionsRequest(useExecstreamClient(client), filter, options), select);
}
