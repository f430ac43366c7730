// One caller's HTTP client: counts every response, keeps none longer than needed, and closes all connections at the
// end.
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Claims, mintJwt } from '../viewers/jwt.ts';

export interface CallResult {
  /** The status, or 0 without a response. */
  readonly status: number;
  /** The first 64 KiB of the body. */
  readonly text: string;
}

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent unchanged, everything else as JSON. */
  readonly body?: unknown;
  readonly timeoutMs?: number;
}

export interface Caller {
  readonly jwt: string;
  call(path: string, options?: CallOptions): Promise<CallResult>;
  graphql(query: string, variables?: object, options?: CallOptions): Promise<CallResult>;
  /** Closes every open connection. */
  close(): void;
}

export interface CallerOptions {
  readonly url: string;
  readonly sharedKey: string;
  readonly claims: Claims;
  /** Receives each response's status, or the reason why there was none. */
  readonly onResponse?: (outcome: string) => void;
  /** Whether connections are kept for further requests. @default true */
  readonly isKeptAlive?: boolean;
  /** While it returns true, requests that get a 429 are repeated later. */
  readonly shouldRetry?: () => boolean;
}

const MAX_KEPT_BYTES = 64 * 1024;
const JWT_SECONDS = 3_600;
const RETRY_MS = 1_000;

export function createCaller(options: CallerOptions): Caller {
  const {
    url,
    sharedKey,
    claims,
    onResponse = () => {},
    shouldRetry = () => false,
    isKeptAlive = true,
  } = options;
  const agent = new Agent({ keepAlive: isKeptAlive, maxSockets: 256 });
  const jwt = mintJwt(sharedKey, claims, JWT_SECONDS);

  async function call(path: string, options: CallOptions = {}): Promise<CallResult> {
    for (;;) {
      const response = await callOnce(path, options);
      if (response.status !== 429 || !shouldRetry()) return response;
      await sleep(RETRY_MS);
    }
  }

  function callOnce(path: string, options: CallOptions): Promise<CallResult> {
    const { body, headers, timeoutMs = 60_000 } = options;
    const method = options.method ?? (body === undefined ? 'GET' : 'POST');
    const payload = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
    return new Promise((resolve) => {
      const settle = (status: number, text: string, outcome: string): void => {
        clearTimeout(timer);
        onResponse(outcome);
        resolve({ status, text });
      };
      const outgoing = request(url + path, {
        agent,
        method,
        headers: {
          authorization: `Bearer ${jwt}`,
          ...(payload !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
      });
      const timer = setTimeout(() => outgoing.destroy(new Error('timeout')), timeoutMs);
      outgoing.once('response', (response) => {
        read(response).then(
          (text) => settle(response.statusCode!, text, outcomeOf(response.statusCode!, text)),
          (error: Error) => settle(0, '', reasonOf(error)),
        );
      });
      outgoing.on('error', (error) => settle(0, '', reasonOf(error)));
      outgoing.end(payload);
    });
  }

  return {
    jwt,
    call,
    graphql: (query, variables, options) =>
      call('/graphql', {
        ...options,
        headers: { accept: 'application/json', ...options?.headers },
        body: { query, variables },
      }),
    close: () => agent.destroy(),
  };
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (bytes < MAX_KEPT_BYTES) chunks.push(chunk.subarray(0, MAX_KEPT_BYTES - bytes));
    bytes += chunk.length;
  }
  return Buffer.concat(chunks).toString();
}

/** GraphQL errors have their code in the body. */
function outcomeOf(status: number, text: string): string {
  const [, code] = /^\{"errors":.*?"code":"([A-Z_]+)"/s.exec(text.slice(0, 4_000)) ?? [];
  return status === 200 && code !== undefined ? `200 ${code}` : `${status}`;
}

function reasonOf(error: Error & { code?: string }): string {
  return error.code ?? error.message;
}
