// A raw client of event streams for tests, with the status, the headers, every byte, and the way the stream ended.
//
//   using stream = await openSse(`${url}/api/v0/executions/tasks/t1/stream`, { lastEventId: '3-k3f9ab01zz' });
//   expect(stream.status).toBe(200);
//   await stream.until(() => stream.frames.length === 3, 'three frames');
//   expect(stream.text).toBe('retry: 1000\n…');
//   expect(await stream.ended()).toBe('clean');
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { createParser } from 'eventsource-parser';

// The real clock, also if a test uses fake timers.
const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout } = globalThis;

/** One message of the stream, as an EventSource would dispatch it. */
export interface SseFrame {
  /** The id in this frame, not inherited from earlier ones; undefined if it has none. */
  id: string | undefined;
  event: string | undefined;
  data: string;
}

/**
 * How a body ended: `clean` with its last chunk, by the server; `aborted` by a broken connection; `destroyed` by
 * this client.
 */
export type SseEnd = 'clean' | 'aborted' | 'destroyed';

export interface SseOptions {
  /** @default GET, or POST with a `body` */
  method?: string;
  /** Sent unchanged, with `accept: text/event-stream` unless it is set here. */
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  /** The `Last-Event-ID` header. */
  lastEventId?: string;
  /** Timeout for the response head. @default 10_000 */
  timeoutMs?: number;
}

/**
 * Sends a request on a separate connection and resolves once the response head has arrived, with any status. The
 * body is read from then on.
 * @throws Error if the connection fails, or the head does not arrive in time.
 */
export function openSse(url: string | URL, options: SseOptions = {}): Promise<SseStream> {
  const { body, lastEventId, timeoutMs = 10_000 } = options;
  const headers: Record<string, string> = { accept: 'text/event-stream' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (lastEventId !== undefined) headers['last-event-id'] = lastEventId;
  Object.assign(headers, options.headers);

  return new Promise((resolve, reject) => {
    const method = options.method ?? (body === undefined ? 'GET' : 'POST');
    // Without an agent, connections are neither shared nor kept alive.
    const outgoing = request(url, { method, headers, agent: false });
    const timer = realSetTimeout(() => {
      outgoing.destroy(new Error(`no response from ${url} within ${timeoutMs} ms`));
    }, timeoutMs);
    outgoing.once('response', (response) => {
      realClearTimeout(timer);
      resolve(new SseStream(outgoing, response));
    });
    // Stays for the lifetime of the request: errors after the head are reported by the end of the response.
    outgoing.on('error', (error) => {
      realClearTimeout(timer);
      reject(error);
    });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** A response whose body is read as an event stream. Created by `openSse`; the test must destroy it (`using`). */
export class SseStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The messages so far. Blocks without `data:` are not messages; see `lastEventId`, `comments` and `text`. */
  readonly frames: SseFrame[] = [];
  /** The comments so far, including heartbeats, without the colon and its space. */
  readonly comments: string[] = [];
  /** The last `retry:`, in ms. */
  retryMs: number | undefined;
  /** How the body ended; undefined until then. */
  end: SseEnd | undefined;

  readonly #request: ClientRequest;
  readonly #response: IncomingMessage;
  readonly #chunks: Buffer[] = [];
  readonly #waiters = new Set<() => void>();
  #received = 0;

  constructor(outgoing: ClientRequest, response: IncomingMessage) {
    this.#request = outgoing;
    this.#response = response;
    this.status = response.statusCode!;
    this.headers = response.headers;
    const parser = createParser({
      onEvent: ({ id, event, data }) => this.frames.push({ id, event, data }),
      onComment: (comment) => this.comments.push(comment),
      onRetry: (retry) => {
        this.retryMs = retry;
      },
    });
    const decoder = new TextDecoder();
    response.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#received += chunk.length;
      parser.feed(decoder.decode(chunk, { stream: true }));
      this.#wake();
    });
    // An aborted body is an error here; the `close` event follows and handles it.
    response.on('error', () => {});
    response.once('close', () => {
      this.end ??= response.complete ? 'clean' : 'aborted';
      this.#wake();
    });
  }

  /** Every byte of the body so far, without chunked framing. */
  get raw(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** The body so far as text. */
  get text(): string {
    return this.raw.toString('utf8');
  }

  /** The number of bytes read so far; cheap, unlike `raw.length`. */
  get received(): number {
    return this.#received;
  }

  /** The id that a browser would send when it reconnects, also from a block without data. */
  get lastEventId(): string | undefined {
    const text = this.text;
    const complete = text.slice(0, text.lastIndexOf('\n\n') + 1);
    return [...complete.matchAll(/^id: ?(.*)$/gm)].at(-1)?.[1];
  }

  /**
   * Waits until `condition` holds. It is checked immediately, after every chunk of the body, and at the end.
   * @param what a description for the error.
   * @throws Error with the last bytes received, if it does not hold in time (default 5 s) or the body ends first.
   */
  until(condition: () => boolean, what = 'the condition', timeoutMs = 5_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error) => {
        realClearTimeout(timer);
        this.#waiters.delete(check);
        if (error) reject(error);
        else resolve();
      };
      const fail = (why: string) => settle(new Error(`${why} before ${what}; received ${this.#summary()}`));
      const check = () => {
        try {
          if (condition()) settle();
          else if (this.end) fail(`the stream ended (${this.end})`);
        } catch (error) {
          settle(error as Error);
        }
      };
      const timer = realSetTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
      this.#waiters.add(check);
      check();
    });
  }

  /** Waits for the first frame, received or still to come, that `match` accepts. Errors are those of `until`. */
  async frame(match: (frame: SseFrame) => boolean, what = 'a frame', timeoutMs = 5_000): Promise<SseFrame> {
    await this.until(() => this.frames.some(match), what, timeoutMs);
    return this.frames.find(match)!;
  }

  /** Waits for `count` frames and returns them. Errors are those of `until`. */
  async take(count: number, timeoutMs = 5_000): Promise<SseFrame[]> {
    await this.until(() => this.frames.length >= count, `${count} frames`, timeoutMs);
    return this.frames.slice(0, count);
  }

  /** Waits for the end of the body. Returns how it ended. */
  async ended(timeoutMs = 5_000): Promise<SseEnd> {
    await this.until(() => this.end !== undefined, 'the end', timeoutMs);
    return this.end!;
  }

  /** The body as JSON, for a rejected request; await `ended()` first. */
  json(): unknown {
    return JSON.parse(this.text);
  }

  /**
   * Stops reading, which causes backpressure in the server once the buffers in between are full: several MiB on
   * loopback. The end of a connection is not detected while paused.
   */
  pause(): void {
    this.#response.pause();
  }

  /** Continues reading after `pause()`. */
  resume(): void {
    this.#response.resume();
  }

  /** Closes the connection, like a browser tab that is closed. */
  destroy(): void {
    this.end ??= 'destroyed';
    this.#request.destroy();
    this.#wake();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  #wake(): void {
    for (const check of [...this.#waiters]) check();
  }

  #summary(): string {
    const text = this.text;
    const tail = text.length > 600 ? `…${text.slice(-600)}` : text;
    return `${this.#received} bytes, status ${this.status}, ${this.frames.length} frames:\n${tail}`;
  }
}
