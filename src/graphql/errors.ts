// Errors in GraphQL responses: ours with their code, graphql-js's own unchanged, all others masked.
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { messageOf } from '../event/error-message.ts';
import { ERROR_CODES, type ExecstreamError, isErrorCode, isExecstreamError } from '../event/errors.ts';
import { RETRY_AFTER_SECONDS } from '../sse/responses.ts';

/** Codes of Apollo's protocol, by which its clients recognise that they have to send the document. */
const PERSISTED_QUERY_CODES: ReadonlySet<unknown> = new Set([
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
  'PERSISTED_QUERY_MISMATCH',
]);

/** The HTTP status of a code that is sent as a status even if an event stream was requested: 401, 429 and 503. */
function httpStatusOf(code: unknown): number | undefined {
  if (!isErrorCode(code)) return undefined;
  const { status, retryable } = ERROR_CODES[code];
  return retryable || code === 'UNAUTHENTICATED' ? status : undefined;
}

/** The HTTP status of a result's errors, if one of their codes has its own. */
export function statusOf(result: ExecutionResult): number | undefined {
  for (const error of result.errors ?? []) {
    const status = httpStatusOf(error.extensions.code);
    if (status !== undefined) return status;
  }
  return undefined;
}

/** Converts an error for the caller. Errors that callers must not see become `INTERNAL`. */
export function maskError(error: unknown): Error {
  if (!(error instanceof GraphQLError)) return internal(error);
  const { nodes, source, positions, path, originalError } = error;
  const shown = (message: string, code: string, retryAfterSeconds: number = RETRY_AFTER_SECONDS) => {
    const status = httpStatusOf(code);
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
    // For an error of a scalar, graphql-js has added the name of the variable to the message.
    const message = cause.code === 'INTERNAL' ? 'Unexpected error.' : error.message;
    return shown(message, cause.code, cause.retryAfterSeconds);
  }
  if (cause && !(cause instanceof GraphQLError)) return internal(cause);
  return error.extensions.code === undefined ? shown(error.message, 'BAD_USER_INPUT') : error;
}

/** Wraps an error of ours where a GraphQLError is required; `maskError` restores its code. */
export function toGraphQLError(error: ExecstreamError): GraphQLError {
  return new GraphQLError(error.message, { originalError: error });
}

/** Masks all errors of a result. */
export function maskErrors(result: ExecutionResult): ExecutionResult {
  if (!result.errors) return result;
  return { ...result, errors: result.errors.map((error) => maskError(error) as GraphQLError) };
}

/** Whether an error is a fault of the server rather than of the request. */
export function isInternal(error: unknown): boolean {
  const masked = maskError(error);
  return masked instanceof GraphQLError && masked.extensions.code === 'INTERNAL';
}

/** A Yoga plugin: gives Yoga's own errors, of parsing and validation, one of our codes. */
export function useProtocolCodes(): Plugin {
  return {
    onResultProcess: ({ result, setResult }) => {
      if (!('errors' in result) || !result.errors) return;
      setResult({ ...result, errors: result.errors.map(withProtocolCode) });
    },
  };
}

/** Returns an error with one of our codes. An error without one is a mistake in the request. */
export function withProtocolCode(error: GraphQLError): GraphQLError {
  const code = error.extensions?.code;
  if (isErrorCode(code) || PERSISTED_QUERY_CODES.has(code)) return error;
  const { http } = error.extensions;
  const extensions = { code: 'BAD_USER_INPUT', ...(http ? { http } : {}) };
  const { message, nodes, source, positions, path } = error;
  return new GraphQLError(message, { nodes, source, positions, path, extensions });
}

/** Returns an error as it is sent: Yoga's `extensions.http` is meant for the server. */
export function withoutHttp(error: GraphQLError): object {
  const { http, ...extensions } = error.extensions;
  return { ...error.toJSON(), extensions };
}

function internal(cause: unknown): GraphQLError {
  const originalError = cause instanceof Error ? cause : new Error(messageOf(cause), { cause });
  return new GraphQLError('Unexpected error.', { originalError, extensions: { code: 'INTERNAL' } });
}

function rootCause(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  return cause;
}
