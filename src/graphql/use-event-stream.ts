// A Yoga plugin: answers of GraphQL over SSE in distinct connections mode, each `next` with its cursor as `id:`.
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
      const live = operations.of(request);
      if (live) {
        // A subscription that cannot be streamed is answered 406 by Yoga, and must not keep its viewer.
        if (!accepts(request, [MEDIA_TYPE, 'text/*', '*/*'])) return live.close();
        setResultProcessor(() => answer(request, live, streams), MEDIA_TYPE);
      } else if (accepts(request, [MEDIA_TYPE]) && !Array.isArray(result)) {
        setResultProcessor((once) => answerOnce(request, once as ExecutionResult), MEDIA_TYPE);
      }
    },
  };
}

function answer(request: Request, live: ViewerFrames, streams: EventStreams): Response {
  if (live.ended && request.method === 'GET' && lastEventIdOf(request) !== undefined) {
    live.close();
    return noContent();
  }
  return streamResponse(streams, live, request.signal);
}

/** A query's result, or a refusal: a client of graphql-sse retries on any 4xx, so a refusal is a message. */
function answerOnce(request: Request, result: ExecutionResult): Response {
  const status = statusOf(result);
  if (status === undefined) {
    return completeStream(opening(1_000), nextFrame(shown(result)), GRAPHQL_ENCODING.complete(undefined)!);
  }
  const error = result.errors![0]!;
  const retryAfter = retryAfterOf(error) ?? RETRY_AFTER_SECONDS;
  if (status !== 401 && lastEventIdOf(request) !== undefined) return retryLater(error.message, retryAfter);
  const headers = { 'Content-Type': 'application/json; charset=utf-8' };
  const retry = status === 401 ? undefined : { 'Retry-After': String(retryAfter) };
  return new Response(JSON.stringify(shown(result)), { status, headers: { ...headers, ...retry } });
}

function shown(result: ExecutionResult): ExecutionResult {
  if (!result.errors) return result;
  return { ...result, errors: result.errors.map(withoutHttp) } as unknown as ExecutionResult;
}

function accepts(request: Request, types: readonly string[]): boolean {
  const accepted = (request.headers.get('accept') ?? '*/*').split(',');
  return accepted.some((type) => types.includes(type.split(';')[0]!.trim().toLowerCase()));
}
