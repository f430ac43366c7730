// How a protocol writes what belongs to no event: the start of a stream, heartbeats, and cursors of skipped events.
import { ExecstreamError } from '../event/errors.ts';
import { singleValue } from '../event/query-parameters.ts';
import { cursorOnly, type Frame, HEARTBEAT, lineFrame, opening } from './frame.ts';

export interface StreamFormat {
  readonly contentType: string;
  /** The first bytes. */
  opening(retryMs: number): Frame;
  /** @param cursor the cursor after events that the filter skipped, if it has advanced */
  heartbeat(cursor: string | undefined): Frame;
  /** Moves the client's cursor without an event; undefined if the protocol cannot. */
  cursor(cursor: string): Frame | undefined;
}

/** Server-sent events, with comments as heartbeats. */
export const SSE_FORMAT: StreamFormat = {
  contentType: 'text/event-stream; charset=utf-8',
  opening,
  heartbeat: (cursor) => (cursor === undefined ? HEARTBEAT : cursorOnly(cursor)),
  cursor: cursorOnly,
};

/**
 * Server-sent events, with messages as heartbeats: clients that hide comments from the application (EventSource,
 * graphql-sse) can detect a dead connection by their absence.
 */
export function pingFormat(event: string, data: string): StreamFormat {
  const ping = lineFrame(undefined, event, data);
  return {
    ...SSE_FORMAT,
    heartbeat: (cursor) => (cursor === undefined ? ping : lineFrame(cursor, event, data)),
  };
}

/**
 * Whether a request's URL requests heartbeats as messages: `ping=event`.
 * @throws ExecstreamError `BAD_USER_INPUT` for any other value
 */
export function isPingRequested(url: string): boolean {
  const value = singleValue(new URL(url).searchParams, 'ping');
  if (value === undefined || value === 'event') return value !== undefined;
  throw new ExecstreamError('BAD_USER_INPUT', `ping: expected event, got "${value.slice(0, 40)}"`);
}
