// One hostile input: bytes for a separate connection, and the expectations of the response.
import type { Redis } from 'ioredis';

export interface HostileInput {
  /** The name under which the input is counted. */
  readonly kind: string;
  /** The API whose error format a response must have; `http` if the input reaches no path. */
  readonly api: 'rest' | 'graphql' | 'http';
  /** Written one after the other. */
  readonly pieces: readonly Buffer[];
  /** The HTTP is invalid, so the server may close the connection without a response. */
  readonly isBroken?: boolean;
  /** The request is incomplete: the connection is kept open briefly, then ended or cut. */
  readonly isIncomplete?: boolean;
  /** More responses mean that one request was parsed as two. @default 1 */
  readonly maxResponses?: number;
  /**
   * Returns the fault of the statuses and bodies, for inputs with specific expectations. The connection is then read
   * until the server closes it.
   */
  readonly expects?: (statuses: readonly number[], bodies: readonly string[]) => string | undefined;
  /** Writes to Redis as another client, before the input is sent. */
  readonly before?: (redis: Redis) => Promise<unknown>;
}

export interface Head {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Whether the connection closes after it. @default true */
  readonly isLast?: boolean;
}

/** The bytes of a request that is valid HTTP unless one of its parts is invalid. */
export function requestBytes({ method, path = '/', headers = {}, body, isLast = true }: Head): Buffer {
  const sent = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
  const lines = [
    `${method ?? (body === undefined ? 'GET' : 'POST')} ${path} HTTP/1.1`,
    'Host: localhost',
    `Connection: ${isLast ? 'close' : 'keep-alive'}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? [] : [`Content-Length: ${sent.length}`]),
  ];
  // Latin-1, so that a header can contain any byte.
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), sent]);
}
