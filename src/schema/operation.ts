// An operation that is not asked for over GraphQL's own HTTP: graphql/ runs it, the REST aliases ask for it.
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { ExecutionEvent } from '../event/events.ts';
import type { Caller } from '../execution/permission.ts';
import type { FrameSource } from '../sse/event-stream.ts';
import type { Encoding } from '../stream/encoder.ts';

/** What an operation makes of events; errors are fit to be shown. */
export interface EventExecutor {
  result(event: ExecutionEvent): ExecutionResult;
  /** The same as JSON. */
  json(event: ExecutionEvent): string;
}

export interface Operation {
  /** The request that it is run for. */
  readonly request: Request;
  readonly caller: Caller;
  readonly query: string;
  readonly variables: Record<string, unknown>;
  /** How a subscription's results are encoded; as GraphQL over SSE by default. */
  readonly encoding?: Encoding<EventExecutor>;
}

/** Runs an operation; a subscription that was accepted answers a source of frames. */
export type RunOperation = (operation: Operation) => Promise<FrameSource | ExecutionResult>;

/** Seconds after which an operation that was rejected for now may be repeated; undefined if its error does not say. */
export function retryAfterOf({ extensions }: GraphQLError): number | undefined {
  const { http } = extensions as { http?: { headers?: Readonly<Record<string, string>> } };
  const seconds = http?.headers?.['Retry-After'];
  return seconds === undefined ? undefined : Number(seconds);
}
