// An operation that is not asked for over GraphQL's own HTTP: graphql/ runs it, the REST aliases ask for it.
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { Caller } from '../execution/permission.ts';
import type { FrameSource } from '../sse/event-stream.ts';
import type { Encoder } from '../stream/encoder.ts';

export interface Operation {
  /** The request that it is run for. */
  readonly request: Request;
  readonly caller: Caller;
  readonly query: string;
  readonly variables: Record<string, unknown>;
  /** How a subscription's results are encoded; as GraphQL over SSE by default. */
  readonly encoding?: Encoder;
}

/** Runs an operation; a subscription that was accepted answers a source of frames. */
export type RunOperation = (operation: Operation) => Promise<FrameSource | ExecutionResult>;

/** Seconds after which an operation that was rejected for now may be repeated; undefined if its error does not say. */
export function retryAfterOf({ extensions }: GraphQLError): number | undefined {
  const { http } = extensions as { http?: { headers?: Readonly<Record<string, string>> } };
  const seconds = http?.headers?.['Retry-After'];
  return seconds === undefined ? undefined : Number(seconds);
}
