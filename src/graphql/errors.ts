// Errors as GraphQL shows them: ours by their code, the specification's own as they are, anything else masked.
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { ERROR_CODES, type ExecstreamError, isErrorCode, isExecstreamError } from '../event/errors.ts';
import { RETRY_AFTER_SECONDS } from '../sse/responses.ts';

/** The HTTP status of a code that is sent as one even where an event stream was requested: 401, 429 and 503. */
function httpStatusOf(code: unknown): number | undefined {
  if (!isErrorCode(code)) return undefined;
  const { status, retryable } = ERROR_CODES[code];
  return retryable || code === 'UNAUTHENTICATED' ? status : undefined;
}

/** The HTTP status of a result's errors, if they have one. */
export function statusOf(result: ExecutionResult): number | undefined {
  for (const error of result.errors ?? []) {
    const status = httpStatusOf(error.extensions.code);
    if (status !== undefined) return status;
  }
  return undefined;
}

/** Shows an error to a caller. What is not meant for callers becomes `INTERNAL`. */
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
  if (isErrorCode(error.extensions?.code)) return error;
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
