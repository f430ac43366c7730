// One connection of a viewer: an event stream over HTTP that can stop reading for a while.
import { type IncomingMessage, request } from 'node:http';
import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** How the connection ended: `clean` if the server ended it, else `broken`. */
export interface ConnectionEnd {
  /** The status of the response; 0 without a response. */
  readonly status: number;
  readonly end: 'clean' | 'broken';
  /** The body of a rejection; empty if there is none. */
  readonly rejection: string;
  readonly retryMs: number | undefined;
}

export interface Connection {
  readonly ended: Promise<ConnectionEnd>;
  /** Stops reading, which causes backpressure in the server. */
  pause(): void;
  resume(): void;
  destroy(): void;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent by POST as JSON. */
  readonly body?: unknown;
  onEvent(event: EventSourceMessage): void;
}

/** Timeout for the head of the response. */
const RESPONSE_MS = 15_000;
/** Longer than the interval of heartbeats: after it, the connection is considered dead. */
const MAX_SILENCE_MS = 30_000;

export function openConnection({ url, headers, body, onEvent }: ConnectionOptions): Connection {
  let incoming: IncomingMessage | undefined;
  let retryMs: number | undefined;
  let isPaused = false;
  let rejection = '';
  const parser = createParser({
    onEvent,
    onRetry: (ms) => {
      retryMs = ms;
    },
  });
  const decoder = new TextDecoder();
  const outgoing = request(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      accept: 'text/event-stream',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    agent: false,
  });
  const ended = new Promise<ConnectionEnd>((resolve) => {
    let timer = setTimeout(() => outgoing.destroy(), RESPONSE_MS);
    const finish = (): void => {
      clearTimeout(timer);
      const end = incoming?.complete ? 'clean' : 'broken';
      resolve({ status: incoming?.statusCode ?? 0, end, retryMs, rejection });
    };
    const stayAlive = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => (isPaused ? stayAlive() : outgoing.destroy()), MAX_SILENCE_MS);
    };
    outgoing.once('response', (received) => {
      incoming = received;
      stayAlive();
      if (isPaused) received.pause();
      received.on('data', (chunk: Buffer) => {
        timer.refresh();
        const text = decoder.decode(chunk, { stream: true });
        if (received.statusCode === 200) parser.feed(text);
        else rejection += text;
      });
      received.on('error', () => {});
      received.once('close', finish);
    });
    outgoing.on('error', () => {
      if (!incoming) finish();
    });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
  return {
    ended,
    pause() {
      isPaused = true;
      incoming?.pause();
    },
    resume() {
      isPaused = false;
      incoming?.resume();
    },
    destroy: () => void outgoing.destroy(),
  };
}
