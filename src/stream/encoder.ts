// How an event is encoded: the only difference between GraphQL and REST streams.
import type { ExecutionResult } from 'graphql';
import type { ExecutionEvent } from '../event/events.ts';
import type { Frame } from '../sse/frame.ts';
import type { StreamFormat } from '../sse/stream-format.ts';

/** Executes an operation for events. Errors in its results are masked: they can be sent to clients. */
export interface EventExecutor {
  result(event: ExecutionEvent): ExecutionResult;
  /** The result as JSON. */
  json(event: ExecutionEvent): string;
}

/** Encodes events as frames. Each event is encoded once for all viewers, so an encoder depends on none of them. */
export interface Encoder {
  /** Encoders of one name produce the same frames for events, which their viewers share. */
  readonly name: string;
  /** How everything between events is written. */
  readonly format: StreamFormat;
  /** @param executor executes the viewers' operation */
  next(event: ExecutionEvent, executor: EventExecutor): Frame;
  /**
   * The frame after the terminal event, if the protocol has one.
   * @param id the terminal event's cursor, if it is known
   */
  complete(id: string | undefined): Frame | undefined;
}
