// What one server takes on, in all: each part's own limits, under one name, and their defaults.
import { DEFAULT_QUOTAS, type QuotaLimits } from '../execution/quotas.ts';
import { DEFAULT_QUERY_LIMITS, type QueryLimits } from '../graphql/query-limits.ts';
import { DEFAULT_RESERVATIONS_PER_CALLER } from '../graphql/reservations.ts';
import { DEFAULT_DOCUMENT_LIMITS, type DocumentLimits } from '../graphql/shared-encodings.ts';
import { DEFAULT_STREAM_LIMITS, type StreamLimits } from '../tail/stream-admission.ts';
import { DEFAULT_TOKENS_PER_CALLER } from './auth/stream-tokens.ts';
import type { ConnectionLimits } from './connections.ts';

export interface Limits extends Omit<ConnectionLimits, 'maxConnections'> {
  readonly streams: StreamLimits;
  readonly query: QueryLimits;
  readonly documents: DocumentLimits;
  readonly quotas: QuotaLimits;
  readonly reservationsPerCaller: number;
  /** Of those that have not expired, of all servers that share a Redis. */
  readonly streamTokensPerCaller: number;
  /** Of a GraphQL request's body. That of a batch of events is the protocol's (docs/publishing.md). */
  readonly maxBodyBytes: number;
}

export const DEFAULT_LIMITS: Limits = {
  streams: DEFAULT_STREAM_LIMITS,
  query: DEFAULT_QUERY_LIMITS,
  documents: DEFAULT_DOCUMENT_LIMITS,
  quotas: DEFAULT_QUOTAS,
  reservationsPerCaller: DEFAULT_RESERVATIONS_PER_CALLER,
  streamTokensPerCaller: DEFAULT_TOKENS_PER_CALLER,
  maxBodyBytes: 128 * 1024,
  maxHeaderBytes: 16 * 1024,
  requestTimeoutMs: 30_000,
  maxPipelined: 64,
};

/** Connections beside those that streams may have: of queries, publishers, probes, and refusals. */
const OTHER_CONNECTIONS = 2_000;

/** How many connections the streams and all else need. */
export function maxConnections({ streams }: Limits): number {
  return streams.perNode + OTHER_CONNECTIONS;
}
