// What a failed call to Temporal means, and what a viewer is told of it: a refusal at the first look, a warning later.
import { ExecstreamError, messageOf } from '../../event/errors.ts';

/** What was asked: the same status of gRPC means one thing of a query and another of a read. */
export type TemporalCall = 'query' | 'read';

export type Condition =
  | 'unknown-workflow'
  | 'unknown-namespace'
  /** The workflow does not answer our query: its history is used instead. */
  | 'no-query'
  /** The query's handler threw, its answer is too large, or it was rejected (a paused workflow). */
  | 'query-failed'
  /** Nobody polls the workflow's task queue. */
  | 'no-worker'
  /** A worker is there, or was a moment ago, and does not answer in time. */
  | 'slow-worker'
  | 'denied'
  /** Temporal does not answer, or is too busy to. */
  | 'away';

/** What a standing warning says in each case; `no-query` is no trouble. */
const WARNINGS: Readonly<Record<Exclude<Condition, 'no-query'>, string>> = {
  'unknown-workflow': 'WORKFLOW_UNKNOWN',
  'unknown-namespace': 'WORKFLOW_UNKNOWN',
  'query-failed': 'QUERY_FAILED',
  'no-worker': 'NO_WORKER',
  'slow-worker': 'WORKER_SLOW',
  denied: 'SOURCE_UNAVAILABLE',
  away: 'SOURCE_UNAVAILABLE',
};

/** A call to Temporal that failed. */
export class TemporalError extends Error {
  override readonly name = 'TemporalError';
  readonly condition: Condition;

  constructor(condition: Condition, message: string, options?: ErrorOptions) {
    super(message, options);
    this.condition = condition;
  }
}

/** Whether an error is a failed call to Temporal (of this condition, if one is named). */
export function isTemporalError(error: unknown, condition?: Condition): error is TemporalError {
  return error instanceof TemporalError && (condition === undefined || error.condition === condition);
}

// Statuses of gRPC.
const CANCELLED = 1;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const FAILED_PRECONDITION = 9;
const UNAUTHENTICATED = 16;

/** How the SDKs of each language say that a workflow has no handler for a query. */
const NO_HANDLER =
  /did not register a handler|unknown query ?type|handler for .* (?:expected but )?not found|unknown query\b/i;

/**
 * Says what an error of the client or of its connection means. It is recognised by its fields: the client wraps some
 * statuses in classes of its own and leaves others as they are.
 */
export function temporalError(error: unknown, asked: TemporalCall): TemporalError {
  if (error instanceof TemporalError) return error;
  const { code, message } = statusOf(error);
  return new TemporalError(conditionOf(error, code, message, asked), message, { cause: error });
}

function conditionOf(
  error: unknown,
  code: number | undefined,
  message: string,
  asked: TemporalCall,
): Condition {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NamespaceNotFoundError') return 'unknown-namespace';
  if (name === 'WorkflowNotFoundError') return 'unknown-workflow';
  if (name === 'QueryRejectedError') return 'query-failed';
  switch (code) {
    case NOT_FOUND:
      return /namespace\b.*\bnot found/i.test(message) ? 'unknown-namespace' : 'unknown-workflow';
    case INVALID_ARGUMENT:
      // Of a read: an id that cannot be one of a workflow or a run.
      if (asked === 'read') return 'unknown-workflow';
      return NO_HANDLER.test(message) ? 'no-query' : 'query-failed';
    case FAILED_PRECONDITION:
      return asked === 'query' ? 'no-worker' : 'away';
    case DEADLINE_EXCEEDED:
    case CANCELLED:
      return asked === 'query' ? 'slow-worker' : 'away';
    case PERMISSION_DENIED:
    case UNAUTHENTICATED:
      return 'denied';
    default:
      return 'away';
  }
}

/** The first status of gRPC on the way to the innermost cause. */
function statusOf(error: unknown): { readonly code: number | undefined; readonly message: string } {
  let message = messageOf(error);
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    const { code, details } = cause as { code?: unknown; details?: unknown };
    if (typeof details === 'string' && details !== '') message = details;
    if (typeof code === 'number') return { code, message };
  }
  return { code: undefined, message };
}

/** The error that whoever asks for a workflow for the first time is refused with. */
export function refusalOf(error: TemporalError): ExecstreamError {
  const { condition, message } = error;
  if (condition === 'unknown-workflow' || condition === 'unknown-namespace') {
    return new ExecstreamError('NOT_FOUND', `Temporal knows no such workflow: ${message}`, { cause: error });
  }
  // Also where Temporal refuses our credentials: the caller is not the one who lacks a right.
  return new ExecstreamError('SOURCE_UNAVAILABLE', 'Temporal does not answer', { cause: error });
}

/** What the viewers of a stream that goes on are told. What Temporal said in full is for logs, not for them. */
export function warningOf({ condition }: TemporalError): { readonly code: string; readonly message: string } {
  const code = condition === 'no-query' ? 'QUERY_FAILED' : WARNINGS[condition];
  return { code, message: MESSAGES[condition] };
}

const MESSAGES: Readonly<Record<Condition, string>> = {
  'unknown-workflow': 'Temporal does not know the workflow (any more)',
  'unknown-namespace': 'Temporal does not know the namespace',
  'no-query': 'the workflow no longer answers the query for its stream',
  'query-failed': 'the workflow could not answer the query for its stream',
  'no-worker': 'no worker polls the task queue of the workflow; the stream goes on when one does',
  'slow-worker': 'the worker of the workflow does not answer in time; the stream goes on when it does',
  denied: 'Temporal refuses the server’s credentials',
  away: 'Temporal does not answer for now; the stream goes on when it does',
};
