// Encodes results as messages of GraphQL over SSE, distinct connections mode
// (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md), with the event's cursor as `id:`.
import type { ExecutionResult } from 'graphql';
import { type Frame, lineFrame } from '../sse/frame.ts';
import type { Encoder } from '../stream/encoder.ts';

export const GRAPHQL_ENCODING: Encoder = {
  name: 'graphql',
  next: (event, executor) => lineFrame(event.id, 'next', executor.json(event)),
  complete: (id) => lineFrame(id, 'complete', ''),
};

/** Encodes a result that belongs to no event, without an id. */
export function nextFrame(result: ExecutionResult): Frame {
  return lineFrame(undefined, 'next', JSON.stringify(result));
}
