// One hostile input: bytes for a separate connection, and what a response to them must look like.
import type { Redis } from 'ioredis';

export interface HostileInput {
  /** Under this name it is counted. */
  readonly kind: string;
  /** Whose errors it must be answered with; `http` where no path is reached. */
  readonly api: 'rest' | 'graphql' | 'http';
  /** Written one after the other. */
  readonly pieces: readonly Buffer[];
  /** HTTP itself is broken, so that a connection closed without an answer is one. */
  readonly isBroken?: boolean;
  /** The rest never comes: the connection is held for a moment, then ended or cut. */
  readonly isIncomplete?: boolean;
  /** More answers than this mean that one request was taken for two. Default 1. */
  readonly mostAnswers?: number;
  /**
   * What is wrong with the statuses and bodies of the answers, where more is known of what they must be than that they
   * are proper ones. The connection is not cut before the server closes it.
   */
  readonly expects?: (statuses: readonly number[], bodies: readonly string[]) => string | undefined;
  /** What another client does to Redis before. */
  readonly before?: (redis: Redis) => Promise<unknown>;
}

export interface Head {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Whether the connection closes after it; true by default. */
  readonly isLast?: boolean;
}

/** The bytes of a request that HTTP has nothing against, but for what is in its parts. */
export function requestBytes({ method, path = '/', headers = {}, body, isLast = true }: Head): Buffer {
  const sent = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
  const lines = [
    `${method ?? (body === undefined ? 'GET' : 'POST')} ${path} HTTP/1.1`,
    'Host: localhost',
    `Connection: ${isLast ? 'close' : 'keep-alive'}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? [] : [`Content-Length: ${sent.length}`]),
  ];
  // Latin-1, so that any byte can be put into a header.
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), sent]);
}
