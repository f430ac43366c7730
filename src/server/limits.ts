// The limits of one server: those of its parts, and their defaults.
import { MIN_MESSAGE_BYTES } from '../event/size-limits.ts';
import { DEFAULT_QUOTAS, type QuotaLimits } from '../execution/quotas.ts';
import { DEFAULT_QUERY_LIMITS, type QueryLimits } from '../graphql/query-limits.ts';
import { DEFAULT_RESERVATIONS_PER_CALLER } from '../graphql/reservations.ts';
import { DEFAULT_DOCUMENT_LIMITS, type DocumentLimits } from '../graphql/shared-encodings.ts';
import { DEFAULT_STREAM_LIMITS, type StreamLimits } from '../tail/stream-admission.ts';
import { DEFAULT_TOKENS_PER_CALLER } from './auth/stream-tokens.ts';
import { invalid } from './config/env.ts';
import type { ConnectionLimits } from './connections.ts';

export interface Limits extends Omit<ConnectionLimits, 'maxConnections'> {
  readonly streams: StreamLimits;
  readonly query: QueryLimits;
  readonly documents: DocumentLimits;
  readonly quotas: QuotaLimits;
  readonly reservationsPerCaller: number;
  /** Unexpired stream tokens, on all servers that share a Redis. */
  readonly streamTokensPerCaller: number;
  /** Limit of a GraphQL request's body. The limit of a batch of events is fixed (docs/publishing.md). */
  readonly maxBodyBytes: number;
  /** The largest message of a stream: 61440 to 16777216 bytes. */
  readonly messageBytes: number;
}

export const DEFAULT_SERVER_LIMITS: Limits = {
  streams: DEFAULT_STREAM_LIMITS,
  query: DEFAULT_QUERY_LIMITS,
  documents: DEFAULT_DOCUMENT_LIMITS,
  quotas: DEFAULT_QUOTAS,
  reservationsPerCaller: DEFAULT_RESERVATIONS_PER_CALLER,
  streamTokensPerCaller: DEFAULT_TOKENS_PER_CALLER,
  maxBodyBytes: 128 * 1024,
  messageBytes: MIN_MESSAGE_BYTES,
  maxHeaderBytes: 16 * 1024,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 75_000,
  maxPipelined: 64,
};

/** Those limits that differ from the defaults. */
export type LimitOptions = {
  readonly [K in keyof Limits]?: Limits[K] extends number
    ? number | undefined
    : Partial<Limits[K]> | undefined;
};

/**
 * Completes limits with their defaults. One that is undefined has its default.
 * @throws ExecstreamError `CONFIG`, naming a limit that does not exist or is not a number of at least 0
 */
export function resolveLimits(options: LimitOptions = {}): Limits {
  return merged('limits', options, DEFAULT_SERVER_LIMITS);
}

function merged<T extends object>(name: string, options: object, defaults: T): T {
  const result = { ...defaults } as Record<string, unknown>;
  for (const [key, value] of Object.entries(options) as [string, unknown][]) {
    const path = `${name}.${key}`;
    const fallback = result[key];
    if (!Object.hasOwn(defaults, key)) throw invalid(path, 'there is no such limit');
    if (value === undefined) continue;
    const isGroup = typeof fallback === 'object';
    const isValid = isGroup ? typeof value === 'object' && value !== null : (value as number) >= 0;
    if (!isValid || typeof value !== typeof fallback) {
      throw invalid(
        path,
        `expected ${isGroup ? 'an object' : 'a number'}, got ${String(value).slice(0, 80)}`,
      );
    }
    result[key] = isGroup ? merged(path, value as object, fallback as object) : value;
  }
  return result as T;
}

/** Connections in addition to those of streams: of queries, publishers, probes, and rejected requests. */
const OTHER_CONNECTIONS = 2_000;

/** The number of connections that a server with these limits needs. */
export function maxConnections({ streams }: Limits): number {
  return streams.perNode + OTHER_CONNECTIONS;
}
