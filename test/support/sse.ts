// A raw client of event streams for tests: it sees the status, the headers, every byte, and how the stream ended.
//
//   using stream = await openSse(`${url}/api/v0/executions/tasks/t1/stream`, { lastEventId: '3-k3f9ab01zz' });
//   expect(stream.status).toBe(200);
//   await stream.until(() => stream.frames.length === 3, 'three frames');
//   expect(stream.text).toBe('retry: 1000\n…');
//   expect(await stream.ended()).toBe('clean');
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { createParser } from 'eventsource-parser';

// The real clock, also where a test has put a false one in its place.
const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout } = globalThis;

/** One message of the stream: what an EventSource would dispatch. */
export interface SseFrame {
  /** As this frame has it, not inherited from earlier ones; undefined where it has none. */
  id: string | undefined;
  event: string | undefined;
  data: string;
}

/**
 * How a body ended: `clean` with its last chunk, as the server meant it; `aborted` by a connection that broke;
 * `destroyed` by this client.
 */
export type SseEnd = 'clean' | 'aborted' | 'destroyed';

export interface SseOptions {
  /** Default GET, or POST where there is a `body`. */
  method?: string;
  /** Sent as they are; `accept: text/event-stream` unless named here. */
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  /** The `Last-Event-ID` header. */
  lastEventId?: string;
  /** How long to wait for the response's head; default 10 s. */
  timeoutMs?: number;
}

/**
 * Sends a request on a connection of its own and resolves as soon as the response's head is there, whatever its
 * status. Bytes are read from then on.
 * @throws Error if the connection fails, or no head comes in time.
 */
export function openSse(url: string | URL, options: SseOptions = {}): Promise<SseStream> {
  const { body, lastEventId, timeoutMs = 10_000 } = options;
  const headers: Record<string, string> = { accept: 'text/event-stream' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (lastEventId !== undefined) headers['last-event-id'] = lastEventId;
  Object.assign(headers, options.headers);

  return new Promise((resolve, reject) => {
    const method = options.method ?? (body === undefined ? 'GET' : 'POST');
    // No agent: no connection is shared or kept.
    const sent = request(url, { method, headers, agent: false });
    const timer = realSetTimeout(() => {
      sent.destroy(new Error(`no response from ${url} within ${timeoutMs} ms`));
    }, timeoutMs);
    sent.once('response', (response) => {
      realClearTimeout(timer);
      resolve(new SseStream(sent, response));
    });
    // Stays for the life of the request: an error after the head is told by the response's end.
    sent.on('error', (error) => {
      realClearTimeout(timer);
      reject(error);
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** A response whose body is read as an event stream. Made by `openSse`; to be destroyed by the test (`using`). */
export class SseStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The messages so far. Blocks without `data:` make none; see `lastEventId`, `comments` and `text`. */
  readonly frames: SseFrame[] = [];
  /** The comments so far, heartbeats among them, without their colon and its space. */
  readonly comments: string[] = [];
  /** The last `retry:`, in milliseconds. */
  retryMs: number | undefined;
  /** How the body ended; undefined while it has not. */
  end: SseEnd | undefined;

  readonly #request: ClientRequest;
  readonly #response: IncomingMessage;
  readonly #chunks: Buffer[] = [];
  readonly #waiters = new Set<() => void>();
  #received = 0;

  constructor(sent: ClientRequest, response: IncomingMessage) {
    this.#request = sent;
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
    // An aborted body is an error here; 'close' follows, and tells.
    response.on('error', () => {});
    response.once('close', () => {
      this.end ??= response.complete ? 'clean' : 'aborted';
      this.#wake();
    });
  }

  /** Every byte of the body so far, without the chunks' framing. */
  get raw(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** The bytes so far as text. */
  get text(): string {
    return this.raw.toString('utf8');
  }

  /** How many bytes of the body were read; cheap, unlike `raw.length`. */
  get received(): number {
    return this.#received;
  }

  /** The id that a browser would send when it comes back: also that of a block without data. */
  get lastEventId(): string | undefined {
    const text = this.text;
    const complete = text.slice(0, text.lastIndexOf('\n\n') + 1);
    return [...complete.matchAll(/^id: ?(.*)$/gm)].at(-1)?.[1];
  }

  /**
   * Waits until `condition` holds; it is asked now, after every piece of the body and at the end.
   * @param what names it in the error.
   * @throws Error if it does not hold in time (default 5 s), or the body ends first; with the last bytes received.
   */
  until(condition: () => boolean, what = 'the condition', timeoutMs = 5_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error) => {
        realClearTimeout(timer);
        this.#waiters.delete(check);
        if (error) reject(error);
        else resolve();
      };
      const fail = (why: string) => settle(new Error(`${why} before ${what}; received ${this.#shown()}`));
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

  /** Waits for the first frame, of those already there or to come, that `match` takes. Errors as of `until`. */
  async frame(match: (frame: SseFrame) => boolean, what = 'a frame', timeoutMs = 5_000): Promise<SseFrame> {
    await this.until(() => this.frames.some(match), what, timeoutMs);
    return this.frames.find(match)!;
  }

  /** Waits until there are `count` frames, and returns these. Errors as of `until`. */
  async take(count: number, timeoutMs = 5_000): Promise<SseFrame[]> {
    await this.until(() => this.frames.length >= count, `${count} frames`, timeoutMs);
    return this.frames.slice(0, count);
  }

  /** Waits for the end of the body and tells how it came. */
  async ended(timeoutMs = 5_000): Promise<SseEnd> {
    await this.until(() => this.end !== undefined, 'the end', timeoutMs);
    return this.end!;
  }

  /** The body so far as JSON, for a refusal; await `ended()` first. */
  json(): unknown {
    return JSON.parse(this.text);
  }

  /**
   * Stops reading: the server's writes back up once the buffers between are full, which on loopback takes several
   * MiB. The end of a connection is not seen while paused.
   */
  pause(): void {
    this.#response.pause();
  }

  /** Reads on after `pause()`. */
  resume(): void {
    this.#response.resume();
  }

  /** Closes the connection, as a tab that is closed does. */
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

  #shown(): string {
    const text = this.text;
    const tail = text.length > 600 ? `…${text.slice(-600)}` : text;
    return `${this.#received} bytes, status ${this.status}, ${this.frames.length} frames:\n${tail}`;
  }
}
