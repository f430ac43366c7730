// What a result of a subscription looks like as bytes: the one thing in which GraphQL and REST streams differ.
import type { Frame } from './frame.ts';

/** Encodes results as frames. Each result is encoded once for all viewers, so nothing here knows of a viewer. */
export interface Encoding<Result> {
  readonly name: string;
  /** @param id the event's cursor */
  next(id: string, result: Result): Frame;
  /**
   * What follows the terminal event.
   * @param id the terminal event's cursor, where it is known
   */
  complete(id: string | undefined): Frame | undefined;
}
