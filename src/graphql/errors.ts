// Errors as GraphQL shows them: ours by their code, the specification's own as they are, anything else masked.
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { type ExecstreamError, isExecstreamError } from '../event/errors.ts';
import { RETRY_AFTER_SECONDS } from '../sse/responses.ts';

/** Codes that stand as an HTTP status of their own, also where an event stream was asked for. */
const STATUS: { readonly [code: string]: number } = {
  UNAUTHENTICATED: 401,
  TOO_MANY_STREAMS: 429,
  TOO_MANY_REQUESTS: 429,
  SOURCE_UNAVAILABLE: 503,
};

/** The status that stands for a result's errors, where they have one of their own. */
export function statusOf(result: ExecutionResult): number | undefined {
  for (const error of result.errors ?? []) {
    const status = STATUS[String(error.extensions.code)];
    if (status !== undefined) return status;
  }
  return undefined;
}

/** Shows an error to a caller. What is not meant for callers becomes `INTERNAL`. */
export function maskError(error: unknown): Error {
  if (!(error instanceof GraphQLError)) return internal(error);
  const { nodes, source, positions, path, originalError } = error;
  const shown = (message: string, code: string, retryAfterSeconds: number = RETRY_AFTER_SECONDS) => {
    const status = STATUS[code];
    const http = status && { status, headers: { 'Retry-After': String(retryAfterSeconds) } };
    return new GraphQLError(message, {
      nodes,
      source,
      positions,
      path,
      extensions: { code, ...(http && { http }) },
    });
  };
  const cause = rootCause(originalError);
  if (isExecstreamError(cause)) {
    // A scalar's error has come by way of a sentence that names the variable: keep that.
    const message = cause.code === 'INTERNAL' ? 'Unexpected error.' : error.message;
    return shown(message, cause.code, cause.retryAfterSeconds);
  }
  if (cause && !(cause instanceof GraphQLError)) return internal(cause);
  return error.extensions.code === undefined ? shown(error.message, 'BAD_USER_INPUT') : error;
}

/** An error of ours where GraphQL expects one of its own; `maskError` shows it by its code. */
export function toGraphQLError(error: ExecstreamError): GraphQLError {
  return new GraphQLError(error.message, { originalError: error });
}

/** The same for all errors of a result. */
export function maskErrors(result: ExecutionResult): ExecutionResult {
  if (!result.errors) return result;
  return { ...result, errors: result.errors.map((error) => maskError(error) as GraphQLError) };
}

/** Whether an error is a fault of ours, and not an answer to the caller. */
export function isInternal(error: unknown): boolean {
  const masked = maskError(error);
  return masked instanceof GraphQLError && masked.extensions.code === 'INTERNAL';
}

/** The codes that a caller may meet (protocol, "GraphQL"). */
const CODES: ReadonlySet<unknown> = new Set([
  'NOT_FOUND',
  'FORBIDDEN',
  'UNAUTHENTICATED',
  'BAD_CURSOR',
  'BAD_USER_INPUT',
  'TOO_MANY_STREAMS',
  'TOO_MANY_REQUESTS',
  'SOURCE_UNAVAILABLE',
  'INTERNAL',
]);

/** A Yoga plugin: Yoga's own refusals, of what does not parse or validate, carry the protocol's code for that. */
export function useProtocolCodes(): Plugin {
  return {
    onResultProcess: ({ result, setResult }) => {
      if (!('errors' in result) || !result.errors) return;
      setResult({ ...result, errors: result.errors.map(withProtocolCode) });
    },
  };
}

/** An error with one of the protocol's codes: what has none of them is the caller's mistake. */
export function withProtocolCode(error: GraphQLError): GraphQLError {
  if (CODES.has(error.extensions?.code)) return error;
  const { http } = error.extensions;
  const extensions = { code: 'BAD_USER_INPUT', ...(http ? { http } : {}) };
  const { message, nodes, source, positions, path } = error;
  return new GraphQLError(message, { nodes, source, positions, path, extensions });
}

/** An error as it is sent: Yoga's `extensions.http` speaks to the server, not to the client. */
export function withoutHttp(error: GraphQLError): object {
  const { http, ...extensions } = error.extensions;
  return { ...error.toJSON(), extensions };
}

function internal(cause: unknown): GraphQLError {
  const originalError = cause instanceof Error ? cause : new Error(String(cause));
  return new GraphQLError('Unexpected error.', { originalError, extensions: { code: 'INTERNAL' } });
}

function rootCause(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  return cause;
}
