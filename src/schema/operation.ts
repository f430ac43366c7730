// Operations that do not arrive as GraphQL requests: the REST aliases request them, and graphql/ runs them.
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { Caller } from '../execution/permission.ts';
import type { FrameSource } from '../sse/event-stream.ts';
import type { Encoder } from '../stream/encoder.ts';

export interface Operation {
  /** The HTTP request on whose behalf it runs. */
  readonly request: Request;
  readonly caller: Caller;
  readonly query: string;
  readonly variables: Record<string, unknown>;
  /**
   * How a subscription's results are encoded.
   * @default GraphQL over SSE
   */
  readonly encoding?: Encoder;
}

/** Runs an operation. A subscription that is accepted returns a source of frames. */
export type RunOperation = (operation: Operation) => Promise<FrameSource | ExecutionResult>;

/** Seconds after which a rejected operation may be repeated; undefined if its error does not state that. */
export function retryAfterOf({ extensions }: GraphQLError): number | undefined {
  const { http } = extensions as { http?: { headers?: Readonly<Record<string, string>> } };
  const seconds = http?.headers?.['Retry-After'];
  return seconds === undefined ? undefined : Number(seconds);
}
