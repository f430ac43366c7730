// A Yoga plugin: the format of each response, as its request prefers. Subscriptions are sent as GraphQL over SSE (distinct
// connections mode) or as multipart, with a cursor per message; queries and mutations as JSON or as one message of a stream.
import { type ExecutionResult, GraphQLError } from 'graphql';
import { type Plugin, processRegularResult } from 'graphql-yoga';
import { preferredType } from '../http/negotiation.ts';
import { retryAfterOf } from '../schema/operation.ts';
import type { EventStreams } from '../sse/event-streams.ts';
import {
  completeStream,
  noContent,
  RETRY_AFTER_SECONDS,
  retryLater,
  streamResponse,
} from '../sse/responses.ts';
import type { ViewerFrames } from '../stream/viewer-frames.ts';
import { statusOf, withoutHttp } from './errors.ts';
import { lastEventIdOf } from './last-event-id.ts';
import { MULTIPART_ENCODING, MULTIPART_TYPE, payloadFrame } from './multipart-encoder.ts';
import { GRAPHQL_ENCODING, nextFrame, SSE_TYPE } from './subscription-encoder.ts';
import { STREAM_TYPES, type SubscriptionRegistry } from './subscriptions.ts';

/** The types of a single result, in the order in which a wildcard selects them. */
const RESULT_TYPES = ['application/json', 'application/graphql-response+json', ...STREAM_TYPES] as const;

export function useResponseFormat(operations: SubscriptionRegistry, streams: EventStreams): Plugin {
  return {
    // Before anything is executed.
    onParams: ({ request }) => {
      if (!preferredType(request, RESULT_TYPES)) throw new GraphQLError('Not Acceptable');
    },
    onResultProcess: ({ request, setResultProcessor }) => {
      const frames = operations.of(request);
      if (frames && preferredType(request, STREAM_TYPES)) {
        setResultProcessor(() => streamOf(request, frames, streams), SSE_TYPE);
        return;
      }
      frames?.close();
      const type = preferredType(request, RESULT_TYPES);
      if (frames) setResultProcessor(() => notAcceptable(STREAM_TYPES), '');
      else if (type === undefined) setResultProcessor(() => notAcceptable(RESULT_TYPES), '');
      else if (type === SSE_TYPE || type === MULTIPART_TYPE) {
        setResultProcessor((result) => messageOf(request, result as ExecutionResult, type), type);
      } else setResultProcessor(processRegularResult, type);
    },
  };
}

/** The response to a subscription: its stream, or 204 if a browser that reconnects has received everything. */
export function streamOf(request: Request, frames: ViewerFrames, streams: EventStreams): Response {
  if (frames.ended && request.method === 'GET' && lastEventIdOf(request) !== undefined) {
    frames.close();
    return noContent();
  }
  return streamResponse(streams, frames, request.signal);
}

/** A single result as a stream of one message. Clients of graphql-sse retry on any 4xx, so an error is a message too. */
function messageOf(request: Request, result: ExecutionResult, type: (typeof STREAM_TYPES)[number]): Response {
  const status = statusOf(result);
  const single = withoutHttpExtensions(result);
  if (status === undefined) {
    const { format, complete } = type === SSE_TYPE ? GRAPHQL_ENCODING : MULTIPART_ENCODING;
    const message = type === SSE_TYPE ? nextFrame(single) : payloadFrame(single);
    return completeStream(format, message, complete(undefined)!);
  }
  const error = result.errors![0]!;
  const retryAfter = retryAfterOf(error) ?? RETRY_AFTER_SECONDS;
  if (status !== 401 && lastEventIdOf(request) !== undefined) return retryLater(error.message, retryAfter);
  const headers = { 'Content-Type': 'application/json; charset=utf-8' };
  const retry = status === 401 ? undefined : { 'Retry-After': String(retryAfter) };
  return new Response(JSON.stringify(single), { status, headers: { ...headers, ...retry } });
}

function notAcceptable(expected: readonly string[]): Response {
  const message = `Accept: expected ${expected.join(', ')}`;
  const errors = [{ message, extensions: { code: 'NOT_ACCEPTABLE' } }];
  const headers = { 'Content-Type': 'application/json; charset=utf-8' };
  return new Response(JSON.stringify({ errors }), { status: 406, headers });
}

function withoutHttpExtensions(result: ExecutionResult): ExecutionResult {
  if (!result.errors) return result;
  return { ...result, errors: result.errors.map(withoutHttp) } as unknown as ExecutionResult;
}
