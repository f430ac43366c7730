// Results as messages of GraphQL over SSE, distinct connections mode
// (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md), with the event's cursor as `id:`.
import type { ExecutionResult } from 'graphql';
import type { Encoding } from '../sse/encoding.ts';
import { type Frame, frame } from '../sse/frame.ts';

export const GRAPHQL_ENCODING: Encoding<ExecutionResult> = {
  name: 'graphql',
  next: (id, result) => nextFrame(result, id),
  complete: (id) => frame(id, 'complete', ''),
};

/** One result; a refusal has no id. */
export function nextFrame(result: ExecutionResult, id?: string): Frame {
  return frame(id, 'next', JSON.stringify(result));
}
