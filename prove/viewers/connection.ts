// One connection of a viewer: a raw event stream over HTTP that can stop reading for a while.
import { type IncomingMessage, request } from 'node:http';
import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** How it ended. `clean` is the server's own end; `broken` any other. */
export interface ConnectionEnd {
  /** The answer's status; 0 where none came. */
  readonly status: number;
  readonly end: 'clean' | 'broken';
  /** What a refusal says; empty where there is none. */
  readonly refusal: string;
  readonly retryMs: number | undefined;
}

export interface Connection {
  readonly ended: Promise<ConnectionEnd>;
  /** Stops reading: the server's writes back up behind it. */
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

/** How long to wait for an answer's head. */
const ANSWER_MS = 15_000;
/** As long a silence as no heartbeat leaves: the connection is dead, whatever TCP says. */
const SILENT_MS = 30_000;

export function openConnection({ url, headers, body, onEvent }: ConnectionOptions): Connection {
  let response: IncomingMessage | undefined;
  let retryMs: number | undefined;
  let isPaused = false;
  let refusal = '';
  const parser = createParser({
    onEvent,
    onRetry: (ms) => {
      retryMs = ms;
    },
  });
  const decoder = new TextDecoder();
  const sent = request(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      accept: 'text/event-stream',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    agent: false,
  });
  const ended = new Promise<ConnectionEnd>((resolve) => {
    let timer = setTimeout(() => sent.destroy(), ANSWER_MS);
    const finish = (): void => {
      clearTimeout(timer);
      const end = response?.complete ? 'clean' : 'broken';
      resolve({ status: response?.statusCode ?? 0, end, retryMs, refusal });
    };
    const stayAlive = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => (isPaused ? stayAlive() : sent.destroy()), SILENT_MS);
    };
    sent.once('response', (answer) => {
      response = answer;
      stayAlive();
      if (isPaused) answer.pause();
      answer.on('data', (chunk: Buffer) => {
        timer.refresh();
        const text = decoder.decode(chunk, { stream: true });
        if (answer.statusCode === 200) parser.feed(text);
        else refusal += text;
      });
      answer.on('error', () => {});
      answer.once('close', finish);
    });
    sent.on('error', () => {
      if (!response) finish();
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
  return {
    ended,
    pause() {
      isPaused = true;
      response?.pause();
    },
    resume() {
      isPaused = false;
      response?.resume();
    },
    destroy: () => void sent.destroy(),
  };
}
