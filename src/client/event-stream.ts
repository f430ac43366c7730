// A resumable stream of server-sent events over a connection: each attempt continues after the last event id.
import { ExecstreamError } from '../event/errors.ts';
import type { Attempt } from './connection.ts';
import { createSseParser, type SseMessage } from './sse-parser.ts';

/** The meaning of a message. */
export interface Decoded<T> {
  /** Absent for a message that the application does not receive. */
  readonly event?: T | undefined;
  /** Whether the stream has ended, and is not to be resumed. */
  readonly isEnd?: boolean;
}

export interface EventStreamRequest<T> {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent by POST. */
  readonly body?: string;
  /** The last event id to begin with; empty for none. */
  readonly lastEventId: string;
  /** @throws ExecstreamError for a rejection; any other error breaks the connection */
  decode(message: SseMessage): Decoded<T>;
}

/**
 * Creates the attempts of a stream, for `Connection.run`. Each of them continues after the one before. Nothing is read
 * from the network while the consumer is busy.
 */
export function createStreamAttempts<T>({
  url,
  headers,
  body,
  lastEventId,
  decode,
}: EventStreamRequest<T>): (attempt: Attempt) => AsyncGenerator<T, void, undefined> {
  let cursor = lastEventId;
  return async function* ({ request, step, check, dispatch }) {
    const resume: Record<string, string> = cursor === '' ? {} : { 'last-event-id': cursor };
    const response = await request(url, { ...headers, accept: 'text/event-stream', ...resume }, body);
    if (response.status === 204) return dispatch({ type: 'end' });
    const reader = response.body!.getReader();
    try {
      const type = response.headers.get('content-type');
      if (!/^text\/event-stream\b/i.test(`${type}`))
        throw new ExecstreamError('CONFIG', `${url}: expected text/event-stream, got ${type}`);
      dispatch({ type: 'opened' });
      const parser = createSseParser(cursor, (ms) => dispatch({ type: 'retry', ms }));
      // Removes a byte order mark, and keeps characters that are split between two parts.
      const decoder = new TextDecoder();
      for (;;) {
        const { done, value } = await step(() => reader.read());
        if (done) throw new Error('the response ended');
        for (const message of parser.push(decoder.decode(value, { stream: true }))) {
          const { event, isEnd } = decode(message);
          // A header can have no other characters.
          if (/^[ -~]*$/.test(message.id)) cursor = message.id;
          if (message.data !== undefined) dispatch({ type: 'received' });
          if (event !== undefined) yield event;
          if (isEnd) return dispatch({ type: 'end' });
          check();
        }
      }
    } finally {
      // A body that has failed rejects with its error.
      reader.cancel().catch(() => {});
    }
  };
}
