// The GraphQL documents that the REST aliases run.

export const WORKFLOW_STREAM = /* GraphQL */ `
  subscription WorkflowEvents($id: ID!, $runId: ID, $after: Cursor, $events: [EventType!], $pollMs: Int) {
    workflowStream(id: $id, runId: $runId, after: $after, events: $events, pollMs: $pollMs) {
      type
      data
    }
  }
`;

export const AGENT_STREAM = /* GraphQL */ `
  subscription AgentEvents($id: ID!, $runId: ID, $after: Cursor, $events: [EventType!], $pollMs: Int) {
    agentStream(id: $id, runId: $runId, after: $after, events: $events, pollMs: $pollMs) {
      type
      data
    }
  }
`;

export const TASK_STREAM = /* GraphQL */ `
  subscription TaskEvents($id: ID!, $runId: ID, $after: Cursor, $events: [EventType!], $pollMs: Int) {
    taskStream(id: $id, runId: $runId, after: $after, events: $events, pollMs: $pollMs) {
      type
      data
    }
  }
`;

export const EXECUTION_DOCUMENT = /* GraphQL */ `
  query ExecutionState(
    $kind: ExecutionKind!
    $id: ID!
    $runId: ID
    $childrenFirst: Int!
    $childrenAfter: String
    $hasRuns: Boolean!
    $runsFirst: Int!
    $runsAfter: String
  ) {
    execution(kind: $kind, id: $id, runId: $runId) {
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
      children(first: $childrenFirst, after: $childrenAfter) {
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
      runs(first: $runsFirst, after: $runsAfter) @include(if: $hasRuns) {
        edges {
          node {
            runId
            status
            startedAt
            finishedAt
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
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
