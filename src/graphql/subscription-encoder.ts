// Encodes results as messages of GraphQL over SSE, distinct connections mode
// (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md), with the event's cursor as `id:`.
import type { ExecutionResult } from 'graphql';
import { type Frame, lineFrame } from '../sse/frame.ts';
import { pingFormat, SSE_FORMAT } from '../sse/stream-format.ts';
import type { Encoder } from '../stream/encoder.ts';

export const SSE_TYPE = 'text/event-stream';

export const GRAPHQL_ENCODING: Encoder = {
  name: 'graphql',
  format: SSE_FORMAT,
  next: (event, executor) => lineFrame(event.id, 'next', executor.json(event)),
  complete: (id) => lineFrame(id, 'complete', ''),
};

/** The same with heartbeats as messages. Clients of the protocol accept no other type than `next`. */
export const GRAPHQL_PING_ENCODING: Encoder = {
  ...GRAPHQL_ENCODING,
  format: pingFormat('next', '{"data":null,"extensions":{"ping":true}}'),
};

/** Encodes a result that belongs to no event, without an id. */
export function nextFrame(result: ExecutionResult): Frame {
  return lineFrame(undefined, 'next', JSON.stringify(result));
}
