// What an event looks like as bytes: the one thing in which GraphQL and REST streams differ.
import type { ExecutionResult } from 'graphql';
import type { ExecutionEvent } from '../event/events.ts';
import type { Frame } from '../sse/frame.ts';

/** What an operation makes of events; errors are fit to be shown. */
export interface EventExecutor {
  result(event: ExecutionEvent): ExecutionResult;
  /** The same as JSON. */
  json(event: ExecutionEvent): string;
}

/** Encodes events as frames. Each is encoded once for all viewers, so nothing here knows of a viewer. */
export interface Encoder {
  readonly name: string;
  /** @param executor what an operation makes of events */
  next(event: ExecutionEvent, executor: EventExecutor): Frame;
  /**
   * What follows the terminal event.
   * @param id the terminal event's cursor, where it is known
   */
  complete(id: string | undefined): Frame | undefined;
}
