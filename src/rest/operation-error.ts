// Errors of the GraphQL operations that REST aliases run, as problem documents.
import type { ExecutionResult } from 'graphql';
import type { ErrorCode } from '../event/errors.ts';
import { retryAfterOf } from '../schema/operation.ts';
import { problemOf } from './problem.ts';

interface OperationError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterSeconds?: number | undefined;
}

/** A result's first error, if it has any. */
export function operationErrorOf({ errors }: ExecutionResult): OperationError | undefined {
  const error = errors?.[0];
  if (!error) return undefined;
  const { code = 'INTERNAL' } = error.extensions;
  return { code: code as ErrorCode, message: error.message, retryAfterSeconds: retryAfterOf(error) };
}

export function toProblem({ code, message, retryAfterSeconds }: OperationError): Response {
  return problemOf(code, message, retryAfterSeconds);
}
