// One caller's HTTP client: every response is counted, none is kept longer than needed, and nothing outlives the attack.
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Claims, mintJwt } from '../viewers/jwt.ts';

export interface Answer {
  /** The status, or 0 where there was no response. */
  readonly status: number;
  /** The first 64 KiB of the body. */
  readonly text: string;
}

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is where it is a string, else as JSON. */
  readonly body?: unknown;
  readonly timeoutMs?: number;
}

export interface Caller {
  readonly jwt: string;
  call(path: string, options?: CallOptions): Promise<Answer>;
  graphql(query: string, variables?: object, options?: CallOptions): Promise<Answer>;
  /** Breaks every connection that is open. */
  close(): void;
}

export interface CallerOptions {
  readonly url: string;
  readonly sharedKey: string;
  readonly claims: Claims;
  /** Is given each response's status, or the reason why there was none. */
  readonly onAnswer?: (how: string) => void;
  /** Whether connections are kept for further requests; true by default. */
  readonly isKeptAlive?: boolean;
  /** While true, a 429 is waited out and the request sent again. */
  readonly isPatient?: () => boolean;
}

const MAX_KEPT_BYTES = 64 * 1024;
const JWT_SECONDS = 3_600;
const RETRY_MS = 1_000;

export function createCaller(options: CallerOptions): Caller {
  const {
    url,
    sharedKey,
    claims,
    onAnswer = () => {},
    isPatient = () => false,
    isKeptAlive = true,
  } = options;
  const agent = new Agent({ keepAlive: isKeptAlive, maxSockets: 256 });
  const jwt = mintJwt(sharedKey, claims, JWT_SECONDS);

  async function call(path: string, options: CallOptions = {}): Promise<Answer> {
    for (;;) {
      const answer = await callOnce(path, options);
      if (answer.status !== 429 || !isPatient()) return answer;
      await sleep(RETRY_MS);
    }
  }

  function callOnce(path: string, options: CallOptions): Promise<Answer> {
    const { body, headers, timeoutMs = 60_000 } = options;
    const method = options.method ?? (body === undefined ? 'GET' : 'POST');
    const sent = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
    return new Promise((resolve) => {
      const settle = (status: number, text: string, how: string): void => {
        clearTimeout(timer);
        onAnswer(how);
        resolve({ status, text });
      };
      const outgoing = request(url + path, {
        agent,
        method,
        headers: {
          authorization: `Bearer ${jwt}`,
          ...(sent !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
      });
      const timer = setTimeout(() => outgoing.destroy(new Error('timeout')), timeoutMs);
      outgoing.once('response', (response) => {
        read(response).then(
          (text) => settle(response.statusCode!, text, howOf(response.statusCode!, text)),
          (error: Error) => settle(0, '', reasonOf(error)),
        );
      });
      outgoing.on('error', (error) => settle(0, '', reasonOf(error)));
      outgoing.end(sent);
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
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    if (bytes < MAX_KEPT_BYTES) pieces.push(piece.subarray(0, MAX_KEPT_BYTES - bytes));
    bytes += piece.length;
  }
  return Buffer.concat(pieces).toString();
}

/** GraphQL's errors have their code in the body. */
function howOf(status: number, text: string): string {
  const [, code] = /^\{"errors":.*?"code":"([A-Z_]+)"/s.exec(text.slice(0, 4_000)) ?? [];
  return status === 200 && code !== undefined ? `200 ${code}` : `${status}`;
}

function reasonOf(error: Error & { code?: string }): string {
  return error.code ?? error.message;
}
