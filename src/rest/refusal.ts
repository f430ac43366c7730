// What became of an operation that an alias had run.
import type { ExecutionResult } from 'graphql';
import type { ErrorCode } from '../event/error.ts';
import { problemOf } from './problem.ts';

/** A result's first error, where it has one. */
export function refusalOf({ errors }: ExecutionResult): { code: ErrorCode; message: string } | undefined {
  const error = errors?.[0];
  return error && { code: (error.extensions.code ?? 'INTERNAL') as ErrorCode, message: error.message };
}

/** The answer to a refused operation. */
export function refuse({ code, message }: { code: ErrorCode; message: string }): Response {
  return problemOf(code, message);
}
