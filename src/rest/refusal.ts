// What became of an operation that an alias had run.
import type { ExecutionResult } from 'graphql';
import type { ErrorCode } from '../event/errors.ts';
import { retryAfterOf } from '../schema/operation.ts';
import { problemOf } from './problem.ts';

interface RefusedOperation {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterSeconds?: number | undefined;
}

/** A result's first error, where it has one. */
export function refusalOf({ errors }: ExecutionResult): RefusedOperation | undefined {
  const error = errors?.[0];
  if (!error) return undefined;
  const { code = 'INTERNAL' } = error.extensions;
  return { code: code as ErrorCode, message: error.message, retryAfterSeconds: retryAfterOf(error) };
}

/** The answer to a refused operation. */
export function refuse({ code, message, retryAfterSeconds }: RefusedOperation): Response {
  return problemOf(code, message, retryAfterSeconds);
}
