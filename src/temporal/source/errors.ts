// What a failed call to Temporal means, and what viewers see of it: an error at the first request, a warning later.
import { messageOf } from '../../event/error-message.ts';
import { ExecstreamError } from '../../event/errors.ts';

/** The kind of call: the same gRPC status means one thing for a query and another for a read. */
export type TemporalCall = 'query' | 'read';

export type TemporalCondition =
  | 'unknown-workflow'
  | 'unknown-namespace'
  /** The workflow has no handler for our query: its history is used instead. */
  | 'no-query'
  /** The query's handler threw, or its result is too large. */
  | 'query-failed'
  /** No worker polls the workflow's task queue. */
  | 'no-worker'
  /** A worker polls, or did a moment ago, and does not respond in time. */
  | 'slow-worker'
  /** The workflow has had no workflow task yet, its workflow task keeps failing, or it is paused. */
  | 'not-ready'
  /** The workflow has as many queries or changes in progress as Temporal accepts: wait, and try again. */
  | 'busy'
  /** A result or a failure is encoded: a codec is missing, or its server is unavailable. */
  | 'undecodable'
  | 'rate-limited'
  | 'denied'
  /** Temporal is unreachable. */
  | 'unavailable';

/** The code and message of the warning for each condition. Temporal's own message is for logs, not for viewers. */
const WARNINGS: Readonly<Record<TemporalCondition, { readonly code: string; readonly message: string }>> = {
  'unknown-workflow': {
    code: 'WORKFLOW_UNKNOWN',
    message: 'Temporal does not know the workflow, or no longer',
  },
  'unknown-namespace': { code: 'WORKFLOW_UNKNOWN', message: 'Temporal does not know the namespace' },
  'no-query': { code: 'QUERY_FAILED', message: 'the workflow no longer handles the query for its stream' },
  'query-failed': { code: 'QUERY_FAILED', message: 'the query for the stream of the workflow failed' },
  'no-worker': {
    code: 'NO_WORKER',
    message: 'no worker polls the task queue of the workflow; the stream continues when one does',
  },
  'slow-worker': {
    code: 'WORKER_SLOW',
    message: 'the worker of the workflow does not respond in time; the stream continues when it does',
  },
  'not-ready': {
    code: 'QUERY_FAILED',
    message: 'the workflow cannot be queried at present: it has not started, is paused, or its code fails',
  },
  busy: { code: 'QUERY_FAILED', message: 'the workflow has too many queries in progress' },
  undecodable: {
    code: 'UNDECODABLE',
    message: 'what the workflow reports is encoded, and the codec of the server does not decode it',
  },
  'rate-limited': {
    code: 'RATE_LIMITED',
    message: 'Temporal limits the rate of requests; the stream continues with a delay',
  },
  denied: { code: 'SOURCE_UNAVAILABLE', message: 'Temporal rejected the credentials of the server' },
  unavailable: {
    code: 'SOURCE_UNAVAILABLE',
    message: 'Temporal is unavailable; the stream continues when it is back',
  },
};

/** A failed call to Temporal. */
export class TemporalError extends Error {
  override readonly name = 'TemporalError';
  readonly condition: TemporalCondition;

  constructor(condition: TemporalCondition, message: string, options?: ErrorOptions) {
    super(message, options);
    this.condition = condition;
  }
}

/** Whether an error is a failed call to Temporal (with this condition, if one is given). */
export function isTemporalError(error: unknown, condition?: TemporalCondition): error is TemporalError {
  return error instanceof TemporalError && (condition === undefined || error.condition === condition);
}

// gRPC status codes.
const CANCELLED = 1;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

/** The messages of the SDKs (Go, Java, Python, .NET, TypeScript) for a query without a handler. */
const NO_HANDLER =
  /did not register a handler|unknown query ?type|handler for .* (?:expected but )?not found|unknown query\b/i;

/** Temporal's messages for a workflow that cannot be queried yet, and for one whose workflow task failed. */
const NOT_READY = /workflow task|workflow state is not ready/i;

/** Temporal's messages for a workflow with too many queries (`query buffer is full`) or changes in progress. */
const BUSY = /query buffer is full|buffered query cleared|workflow is busy/i;

/**
 * Classifies an error of the client or its connection. It is recognised by its fields, because the client wraps some
 * statuses in its own classes and passes others through.
 */
export function toTemporalError(error: unknown, call: TemporalCall): TemporalError {
  if (error instanceof TemporalError) return error;
  const { code, message } = statusOf(error);
  return new TemporalError(conditionOf(error, code, message, call), message, { cause: error });
}

function conditionOf(
  error: unknown,
  code: number | undefined,
  message: string,
  call: TemporalCall,
): TemporalCondition {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NamespaceNotFoundError') return 'unknown-namespace';
  if (name === 'WorkflowNotFoundError') return 'unknown-workflow';
  if (name === 'QueryRejectedError') return 'not-ready';
  switch (code) {
    case NOT_FOUND:
      return /namespace\b.*\bnot found/i.test(message) ? 'unknown-namespace' : 'unknown-workflow';
    case INVALID_ARGUMENT:
      // For a read: the id is not a valid workflow or run id.
      if (call === 'read') return 'unknown-workflow';
      return NO_HANDLER.test(message) ? 'no-query' : 'query-failed';
    case FAILED_PRECONDITION:
      if (call === 'read') return 'unavailable';
      return NOT_READY.test(message) ? 'not-ready' : 'no-worker';
    case RESOURCE_EXHAUSTED:
      // Also the connection's own limit of a response.
      if (/larger than max/i.test(message)) return call === 'query' ? 'query-failed' : 'unavailable';
      return BUSY.test(message) ? 'busy' : 'rate-limited';
    case UNAVAILABLE:
      return call === 'query' && BUSY.test(message) ? 'busy' : 'unavailable';
    case DEADLINE_EXCEEDED:
    case CANCELLED:
      return call === 'query' ? 'slow-worker' : 'unavailable';
    case PERMISSION_DENIED:
    case UNAUTHENTICATED:
      return 'denied';
    case undefined:
      // Temporal responded, and the data converter failed.
      return call === 'query' && name !== 'AbortError' ? 'undecodable' : 'unavailable';
    default:
      return 'unavailable';
  }
}

/** Whether the call may succeed unchanged, a little later. */
export function isTransient(error: unknown): boolean {
  return isTemporalError(error) && TRANSIENT.has(error.condition);
}

const TRANSIENT: ReadonlySet<TemporalCondition> = new Set(['unavailable', 'rate-limited', 'busy']);

/** Whether a query may succeed after the next workflow task: its worker, or the state of the workflow, was the cause. */
export function dependsOnWorker({ condition }: TemporalError): boolean {
  return OF_WORKER.has(condition);
}

const OF_WORKER: ReadonlySet<TemporalCondition> = new Set([
  'no-query',
  'query-failed',
  'no-worker',
  'slow-worker',
  'not-ready',
  'busy',
]);

/** The first gRPC status in the chain of causes. */
function statusOf(error: unknown): { readonly code: number | undefined; readonly message: string } {
  let message = messageOf(error);
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    const { code, details } = cause as { code?: unknown; details?: unknown };
    if (typeof details === 'string' && details !== '') message = details;
    if (typeof code === 'number') return { code, message };
  }
  return { code: undefined, message };
}

/** The error for the first request for a workflow. */
export function toViewerError(error: TemporalError): ExecstreamError {
  const { condition, message } = error;
  if (condition === 'unknown-workflow' || condition === 'unknown-namespace') {
    return new ExecstreamError('NOT_FOUND', `Temporal does not know the workflow: ${message}`, {
      cause: error,
    });
  }
  // Also if Temporal rejects our credentials: it is not the caller who lacks a permission.
  const reason =
    condition === 'rate-limited' ? 'Temporal limits the rate of requests' : 'Temporal is unavailable';
  return new ExecstreamError('SOURCE_UNAVAILABLE', reason, { cause: error });
}

/** The warning for the viewers of a stream. */
export function toWarning({ condition }: TemporalError): { readonly code: string; readonly message: string } {
  return WARNINGS[condition];
}
