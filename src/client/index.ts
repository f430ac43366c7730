// The package entry `execstream/client`: follow executions in browsers, Node, Deno and Bun.
export type { BackoffPolicy } from '../async/backoff.ts';
export { type ErrorCode, ExecstreamError, isExecstreamError } from '../event/errors.ts';
export type * from '../event/events.ts';
export { type ChildState, type ExecutionState, initialState, reduce, type ToolCall } from '../event/state.ts';
export {
  type Client,
  type ClientOptions,
  createClient,
  type FollowOptions,
  type WatchOptions,
} from './client.ts';
export type { ConnectionOptions } from './connection.ts';
export type { ConnectionState } from './connection-state.ts';
export type { FollowedExecution, SharedState, TabSharing } from './follow.ts';
export type { ListedExecution, ListFilter, ListOptions } from './list.ts';
export type { StateStorage } from './state-storage.ts';
export type { Store } from './store.ts';
export type { TokenSource } from './tokens.ts';
