// The GraphQL documents that the REST aliases run.

export const WORKFLOW_STREAM = /* GraphQL */ `
  subscription WorkflowEvents($id: ID!, $after: Cursor, $events: [EventType!], $pollMs: Int) {
    workflowStream(id: $id, after: $after, events: $events, pollMs: $pollMs) {
      type
      data
    }
  }
`;

export const AGENT_STREAM = /* GraphQL */ `
  subscription AgentEvents($id: ID!, $after: Cursor, $events: [EventType!], $pollMs: Int) {
    agentStream(id: $id, after: $after, events: $events, pollMs: $pollMs) {
      type
      data
    }
  }
`;

export const TASK_STREAM = /* GraphQL */ `
  subscription TaskEvents($id: ID!, $after: Cursor, $events: [EventType!], $pollMs: Int) {
    taskStream(id: $id, after: $after, events: $events, pollMs: $pollMs) {
      type
      data
    }
  }
`;

export const EXECUTION_DOCUMENT = /* GraphQL */ `
  query ExecutionState($kind: ExecutionKind!, $id: ID!, $first: Int!, $after: String) {
    execution(kind: $kind, id: $id) {
      id
      kind
      status
      mode
      attempt
      name
      parent {
        id
      }
      childrenCount
      children(first: $first, after: $after) {
        edges {
          node {
            id
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
      workflowId
      runId
      input
      result
      resultOmitted
      error {
        message
        code
      }
      usage {
        inputTokens
        outputTokens
        totalTokens
        model
        costUsd
      }
      startedAt
      finishedAt
      durationMs
      lastCursor
    }
  }
`;

export const CREATE_STREAM_TOKEN = /* GraphQL */ `
  mutation NewStreamToken($executions: [ID!]!) {
    createStreamToken(executions: $executions) {
      token
      expiresAt
    }
  }
`;

export const REVOKE_STREAM_TOKEN = /* GraphQL */ `
  mutation EndStreamToken($token: String!) {
    revokeStreamToken(token: $token)
  }
`;
