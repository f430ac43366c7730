// What the aliases need of GraphQL: its pipeline, handed in by the server, which runs their fixed documents.
import type { ExecutionResult } from 'graphql';
import type { ErrorCode } from '../event/error.ts';
import type { Caller } from '../execution/permission.ts';
import type { Encoding } from '../sse/encoding.ts';
import type { FrameSource } from '../sse/event-streams.ts';
import { problemOf } from './problem.ts';

export interface Operation {
  readonly request: Request;
  readonly caller: Caller;
  readonly query: string;
  readonly variables: Record<string, unknown>;
  readonly encoding?: Encoding<ExecutionResult>;
}

/** Runs an operation; a subscription that was accepted answers a source of frames. */
export type Run = (operation: Operation) => Promise<FrameSource | ExecutionResult>;

/** A result's first error, where it has one. */
export function refusalOf({ errors }: ExecutionResult): { code: ErrorCode; message: string } | undefined {
  const error = errors?.[0];
  return error && { code: (error.extensions.code ?? 'INTERNAL') as ErrorCode, message: error.message };
}

/** The answer to a refused operation. */
export function refuse({ code, message }: { code: ErrorCode; message: string }): Response {
  return problemOf(code, message);
}
