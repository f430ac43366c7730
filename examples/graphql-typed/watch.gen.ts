/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
export type WatchAgentSubscriptionVariables = Exact<{
  id: string | number;
}>;


export type WatchAgentSubscription = { agentStream:
    | { __typename: 'AgentStartEvent' }
    | { __typename: 'AgentStatusEvent' }
    | { __typename: 'CompleteEvent', result: unknown, usage: { totalTokens: number } | null }
    | { __typename: 'CustomEvent' }
    | { __typename: 'ErrorEvent', status: string, message: string }
    | { __typename: 'GapEvent', text: string | null }
    | { __typename: 'LlmChunkEvent', content: string }
    | { __typename: 'ResetEvent', reason: string }
    | { __typename: 'StructuredDeltaEvent' }
    | { __typename: 'TaskStartEvent' }
    | { __typename: 'TaskStatusEvent' }
    | { __typename: 'ToolCallEvent', toolName: string, status: string, args: unknown, result: unknown, error: string | null }
    | { __typename: 'WarningEvent' }
    | { __typename: 'WorkflowStartEvent' }
    | { __typename: 'WorkflowStatusEvent' }
   };
