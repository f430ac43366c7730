// The answers that a request for an event stream can get: the stream, nothing left, or come back later.
import type { FrameSource } from './event-stream.ts';
import type { EventStreams } from './event-streams.ts';
import { type Frame, joined, opening } from './frame.ts';
import { RelayedBody, type RelayHooks } from './relayed-body.ts';

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache, no-transform',
  // nginx would hold frames back otherwise.
  'X-Accel-Buffering': 'no',
};

/** Seconds after which a request that was refused for now may come again. */
export const RETRY_AFTER_SECONDS = 5;

/** A stream of a source's frames. */
export function streamResponse(streams: EventStreams, source: FrameSource, signal: AbortSignal): Response {
  return new Response(streams.open(source, signal), { headers: HEADERS });
}

/** An event stream that a library answers, as one of ours. */
export function relayedResponse(
  streams: EventStreams,
  answer: Response,
  signal: AbortSignal,
  hooks: RelayHooks,
): Response {
  return streamResponse(streams, new RelayedBody(answer.body!, hooks), signal);
}

/** These frames as a whole stream, ended cleanly. */
export function completeStream(...frames: Frame[]): Response {
  return new Response(joined(frames).bytes as Uint8Array<ArrayBuffer>, { headers: HEADERS });
}

/** The execution has ended and the client has seen all of it: a browser's EventSource stops at this answer. */
export function noContent(): Response {
  return new Response(null, { status: 204 });
}

/**
 * A refusal for now. A browser's EventSource gives up for good on any answer but 200, and comes back after a
 * connection that ended: so it is told how long to wait, and why.
 */
export function retryLater(reason: string, retryAfterSeconds: number = RETRY_AFTER_SECONDS): Response {
  return completeStream(opening(retryAfterSeconds * 1_000, reason));
}
