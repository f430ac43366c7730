// Responses to a request for an event stream: the stream, no content, or an invitation to retry later.
import type { FrameSource } from './event-stream.ts';
import type { EventStreams } from './event-streams.ts';
import { type Frame, joinFrames, opening } from './frame.ts';
import { RelayedBody, type RelayHooks } from './relayed-body.ts';
import { InterruptedBody } from './response-body.ts';
import { SSE_FORMAT, type StreamFormat } from './stream-format.ts';
import { DEFAULT_STREAM_SETTINGS } from './stream-settings.ts';

/** Seconds after which a request that was rejected temporarily may be repeated. */
export const RETRY_AFTER_SECONDS = 5;

/** Streams a source's frames. */
export function streamResponse(streams: EventStreams, source: FrameSource, signal: AbortSignal): Response {
  return new Response(streams.open(source, signal), { headers: headersOf(source.format) });
}

/** Streams the body of a library's response, as one of our event streams. */
export function relayedResponse(
  streams: EventStreams,
  response: Response,
  signal: AbortSignal,
  hooks: RelayHooks,
): Response {
  return streamResponse(streams, new RelayedBody(response.body!, hooks), signal);
}

/** A complete stream of a few frames, which ends cleanly. */
export function completeStream(format: StreamFormat, ...frames: Frame[]): Response {
  const { bytes } = joinFrames([format.opening(DEFAULT_STREAM_SETTINGS.retryMs), ...frames]);
  return new Response(bytes as Uint8Array<ArrayBuffer>, { headers: headersOf(format) });
}

/** The execution has ended and the client has received all of it. A browser's EventSource then stops reconnecting. */
export function noContent(): Response {
  return new Response(null, { status: 204 });
}

/**
 * A temporary rejection of a reconnecting client. A browser's EventSource stops permanently on any status but 200, and
 * reconnects after a stream has ended: so the response is a stream with a longer `retry:` and the reason. It is
 * unfinished, because other clients would take a complete one for the end of the execution.
 */
export function retryLater(reason: string, retryAfterSeconds: number = RETRY_AFTER_SECONDS): Response {
  const frame = opening(retryAfterSeconds * 1_000, reason);
  return new Response(new InterruptedBody(frame), { headers: headersOf(SSE_FORMAT) });
}

function headersOf({ contentType }: StreamFormat): Record<string, string> {
  return {
    'Content-Type': contentType,
    'Cache-Control': 'no-cache, no-transform',
    // nginx would hold frames back otherwise.
    'X-Accel-Buffering': 'no',
  };
}
