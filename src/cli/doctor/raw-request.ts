// HTTP requests as a browser sends them, with the times at which bytes arrive. `fetch` does not show comments of a stream,
// the coding of its body, or whether the head of a response was held back.
import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestHttp,
} from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { until } from './until.ts';

export interface RawOptions {
  /** @default 'GET' */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
  /** How long the head of the response may take, in ms. @default 10_000 */
  readonly timeoutMs?: number;
}

export interface RawResponse extends Disposable {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The decoded body so far. */
  readonly text: string;
  /** How the body ended; undefined while it is open. */
  readonly end: 'complete' | 'broken' | undefined;
  /** Waits for a text in the body, or its end. Returns whether the condition holds. */
  until(condition: () => boolean, timeoutMs: number): Promise<boolean>;
  /** The complete body, of a response that ends. */
  body(timeoutMs?: number): Promise<string>;
}

/** What browsers accept. */
const ACCEPT_ENCODING = 'gzip, deflate, br';

/**
 * Sends a request.
 * @returns undefined if no head of a response arrives in time
 * @throws the error of a connection that fails
 */
export function openRaw(url: string, options: RawOptions = {}): Promise<RawResponse | undefined> {
  const { method = 'GET', headers = {}, body, timeoutMs = 10_000 } = options;
  const content = body && JSON.stringify(body);
  const send = url.startsWith('https:') ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request: ClientRequest = send(url, {
      method,
      // Each request has its own connection, as it would from another client.
      agent: false,
      headers: {
        'accept-encoding': ACCEPT_ENCODING,
        ...(content && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
        ...headers,
      },
    });
    const timer = setTimeout(() => {
      request.destroy();
      resolve(undefined);
    }, timeoutMs);
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.on('response', (response) => {
      clearTimeout(timer);
      resolve(new BodyReader(request, response));
    });
    request.end(content);
  });
}

class BodyReader implements RawResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  text = '';
  end: 'complete' | 'broken' | undefined;
  readonly #request: ClientRequest;

  constructor(request: ClientRequest, response: IncomingMessage) {
    this.#request = request;
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    const body = decoded(response);
    body.setEncoding('utf8');
    body.on('data', (text: string) => {
      this.text += text;
    });
    body.on('end', () => {
      this.end ??= response.complete ? 'complete' : 'broken';
    });
    for (const stream of [response, body]) {
      stream.on('error', () => {
        this.end ??= 'broken';
      });
      stream.on('close', () => {
        this.end ??= response.complete ? 'complete' : 'broken';
      });
    }
    request.on('error', () => {});
  }

  async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    await until(() => condition() || this.end !== undefined, timeoutMs);
    return condition();
  }

  async body(timeoutMs = 10_000): Promise<string> {
    await until(() => this.end !== undefined, timeoutMs);
    return this.text;
  }

  [Symbol.dispose](): void {
    this.#request.destroy();
  }
}

function decoded(response: IncomingMessage): Readable {
  const coding = response.headers['content-encoding'];
  const decoder =
    coding === 'gzip'
      ? createGunzip()
      : coding === 'br'
        ? createBrotliDecompress()
        : coding === 'deflate'
          ? createInflate()
          : undefined;
  if (!decoder) return response;
  // A connection that breaks is not an error here: `end` shows it.
  return pipeline(response, decoder, () => {});
}
