// A Yoga plugin: responses of GraphQL over SSE in distinct connections mode, each `next` with its cursor as `id:`.
import type { ExecutionResult } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { retryAfterOf } from '../schema/operation.ts';
import type { EventStreams } from '../sse/event-streams.ts';
import { opening } from '../sse/frame.ts';
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
import { GRAPHQL_ENCODING, nextFrame } from './subscription-encoder.ts';
import type { SubscriptionRegistry } from './subscriptions.ts';

const MEDIA_TYPE = 'text/event-stream';

export function useEventStream(operations: SubscriptionRegistry, streams: EventStreams): Plugin {
  return {
    onResultProcess: ({ request, result, setResultProcessor }) => {
      const frames = operations.of(request);
      if (frames) {
        // Yoga responds with 406 to a request that does not accept a stream, and does not close the subscription.
        if (!accepts(request, [MEDIA_TYPE, 'text/*', '*/*'])) return frames.close();
        setResultProcessor(() => streamOf(request, frames, streams), MEDIA_TYPE);
      } else if (accepts(request, [MEDIA_TYPE]) && !Array.isArray(result)) {
        setResultProcessor((single) => responseOf(request, single as ExecutionResult), MEDIA_TYPE);
      }
    },
  };
}

function streamOf(request: Request, frames: ViewerFrames, streams: EventStreams): Response {
  if (frames.ended && request.method === 'GET' && lastEventIdOf(request) !== undefined) {
    frames.close();
    return noContent();
  }
  return streamResponse(streams, frames, request.signal);
}

/** The response with a single result. Clients of graphql-sse retry on any 4xx, so an error is sent as a message. */
function responseOf(request: Request, result: ExecutionResult): Response {
  const status = statusOf(result);
  if (status === undefined) {
    return completeStream(
      opening(1_000),
      nextFrame(withoutHttpExtensions(result)),
      GRAPHQL_ENCODING.complete(undefined)!,
    );
  }
  const error = result.errors![0]!;
  const retryAfter = retryAfterOf(error) ?? RETRY_AFTER_SECONDS;
  if (status !== 401 && lastEventIdOf(request) !== undefined) return retryLater(error.message, retryAfter);
  const headers = { 'Content-Type': 'application/json; charset=utf-8' };
  const retry = status === 401 ? undefined : { 'Retry-After': String(retryAfter) };
  return new Response(JSON.stringify(withoutHttpExtensions(result)), {
    status,
    headers: { ...headers, ...retry },
  });
}

function withoutHttpExtensions(result: ExecutionResult): ExecutionResult {
  if (!result.errors) return result;
  return { ...result, errors: result.errors.map(withoutHttp) } as unknown as ExecutionResult;
}

function accepts(request: Request, types: readonly string[]): boolean {
  const accepted = (request.headers.get('accept') ?? '*/*').split(',');
  return accepted.some((type) => types.includes(type.split(';')[0]!.trim().toLowerCase()));
}
