// The package entry `execstream/client/react`: hooks over the stores of the client.
export type { ExecutionOptions, ExecutionsOptions } from '../bindings/requests.ts';
export type { BindingConnection } from '../bindings/shared-store.ts';
export { ExecstreamProvider, type ExecstreamProviderProps, useExecstreamClient } from './context.ts';
export {
  type UseExecutionOptions,
  type UseExecutionsOptions,
  useExecution,
  useExecutions,
} from './use-execution.ts';
export type { HookResult } from './use-shared-store.ts';
