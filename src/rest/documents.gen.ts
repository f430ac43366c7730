// Made by `npm run codegen` from documents.ts; not edited by hand.
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
export type EventType =
  | 'AGENT_START'
  | 'AGENT_STATUS'
  | 'COMPLETE'
  | 'ERROR'
  | 'GAP'
  | 'LLM_CHUNK'
  | 'RESET'
  | 'STRUCTURED_DELTA'
  | 'TASK_START'
  | 'TASK_STATUS'
  | 'TOOL_CALL'
  | 'WARNING'
  | 'WORKFLOW_START'
  | 'WORKFLOW_STATUS';

export type ExecutionKind =
  | 'AGENT'
  | 'TASK'
  | 'WORKFLOW';

export type ExecutionMode =
  | 'STRUCTURED'
  | 'TEXT';

export type ExecutionStatus =
  | 'CANCELED'
  | 'FAILED'
  | 'PAUSED'
  | 'PENDING'
  | 'RUNNING'
  | 'SUCCESS'
  | 'TERMINATED'
  | 'TIMED_OUT'
  | 'WAITING';

export type WorkflowEventsSubscriptionVariables = Exact<{
  id: string;
  after?: string | null | undefined;
  events?: Array<EventType> | EventType | null | undefined;
  pollMs?: number | null | undefined;
}>;


export type WorkflowEventsSubscription = { workflowStream:
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
   };

export type AgentEventsSubscriptionVariables = Exact<{
  id: string;
  after?: string | null | undefined;
  events?: Array<EventType> | EventType | null | undefined;
  pollMs?: number | null | undefined;
}>;


export type AgentEventsSubscription = { agentStream:
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
   };

export type TaskEventsSubscriptionVariables = Exact<{
  id: string;
  after?: string | null | undefined;
  events?: Array<EventType> | EventType | null | undefined;
  pollMs?: number | null | undefined;
}>;


export type TaskEventsSubscription = { taskStream:
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
    | { type: EventType, data: unknown }
   };

export type ExecutionStateQueryVariables = Exact<{
  kind: ExecutionKind;
  id: string;
}>;


export type ExecutionStateQuery = { execution: { id: string, kind: ExecutionKind, status: ExecutionStatus, mode: ExecutionMode, attempt: number, name: string | null, workflowId: string | null, runId: string | null, input: unknown, result: unknown, resultOmitted: boolean, startedAt: string, finishedAt: string | null, durationMs: number | null, lastCursor: string | null, parent: { id: string } | null, children: { edges: Array<{ node: { id: string } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } }, error: { message: string, code: string | null } | null, usage: { inputTokens: number, outputTokens: number, totalTokens: number, model: string | null, costUsd: number | null } | null } | null };

export type NewStreamTokenMutationVariables = Exact<{
  executions: Array<string> | string;
}>;


export type NewStreamTokenMutation = { createStreamToken: { token: string, expiresAt: string } };

export type EndStreamTokenMutationVariables = Exact<{
  token: string;
}>;


export type EndStreamTokenMutation = { revokeStreamToken: boolean };
