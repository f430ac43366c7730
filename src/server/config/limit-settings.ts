// Settings of limits.
import { MAX_MESSAGE_BYTES, MIN_MESSAGE_BYTES } from '../../event/size-limits.ts';
import { DEFAULT_STREAM_SETTINGS } from '../../sse/stream-settings.ts';
import { DEFAULT_SERVER_LIMITS } from '../limits.ts';
import { integer, type Setting } from './env.ts';

const { streams, documents, quotas, query } = DEFAULT_SERVER_LIMITS;

/** A limit of at least 1. */
const count = (name: string, fallback: number, doc: string, max = 1_000_000): Setting<number> =>
  integer(name, { default: fallback, min: 1, max, doc });

export const LIMIT_SETTINGS = {
  streams: {
    perNode: count(
      'MAX_STREAMS',
      streams.perNode,
      'Streams of this server. Above it: 503 `CAPACITY`. Connections above these and 2,000 others are closed.',
    ),
    perCaller: count(
      'MAX_STREAMS_PER_CALLER',
      streams.perCaller,
      'Streams of one caller. Above it: 429 `TOO_MANY_STREAMS`. No limit while authentication is off.',
    ),
    newPerSecond: count(
      'MAX_NEW_STREAMS_PER_SECOND',
      streams.newPerSecond,
      'New streams of one caller, after a burst of up to `MAX_STREAMS_PER_CALLER`. Above it: 429 `TOO_MANY_STREAMS`.',
    ),
  },
  documents: {
    perExecution: count(
      'MAX_DOCUMENTS_PER_EXECUTION',
      documents.perExecution,
      'Different documents (with filter) that the viewers of one execution have open. Above it: 429 `TOO_MANY_STREAMS`.',
    ),
    perCaller: count(
      'MAX_DOCUMENTS_PER_CALLER',
      documents.perCaller,
      'Of those, the ones that one caller opened first. Above it: 429 `TOO_MANY_STREAMS`.',
    ),
  },
  quotas: {
    queries: count(
      'MAX_QUERIES_PER_SECOND',
      quotas.queries,
      'GraphQL queries and mutations of one caller, and the REST requests that run one (states, stream tokens). Above' +
        ' it: 429 `TOO_MANY_REQUESTS`.',
    ),
    begins: count(
      'MAX_BEGINS_PER_SECOND',
      quotas.begins,
      'Executions and attempts that one caller begins over HTTP. Above it: 429 `TOO_MANY_REQUESTS`.',
    ),
    batches: count(
      'MAX_BATCHES_PER_SECOND',
      quotas.batches,
      'Batches of events that one caller publishes over HTTP. Above it: 429 `TOO_MANY_REQUESTS`.',
    ),
    streamTokens: count(
      'MAX_NEW_STREAM_TOKENS_PER_SECOND',
      quotas.streamTokens,
      'Stream tokens that one caller creates. Above it: 429 `TOO_MANY_REQUESTS`.',
    ),
    reservations: count(
      'MAX_NEW_RESERVATIONS_PER_SECOND',
      quotas.reservations,
      'Single-connection reservations that one caller makes. Above it: 429 `TOO_MANY_REQUESTS`.',
    ),
  },
  streamTokensPerCaller: count(
    'MAX_STREAM_TOKENS_PER_CALLER',
    DEFAULT_SERVER_LIMITS.streamTokensPerCaller,
    'Unexpired stream tokens of one caller, on all servers that share a Redis. Above it: 429 `TOO_MANY_REQUESTS`.',
  ),
  reservationsPerCaller: count(
    'MAX_RESERVATIONS_PER_CALLER',
    DEFAULT_SERVER_LIMITS.reservationsPerCaller,
    'Single-connection reservations of one caller, connected or not. Above it: 429 `TOO_MANY_REQUESTS`.',
  ),
  maxBodyBytes: integer('MAX_BODY_BYTES', {
    default: DEFAULT_SERVER_LIMITS.maxBodyBytes,
    min: 1_024,
    max: 100_000_000,
    doc: 'The body of a GraphQL request. Above it: 413. A batch of events has [a limit of its own](docs/publishing.md).',
  }),
  messageBytes: integer('MAX_MESSAGE_BYTES', {
    default: DEFAULT_SERVER_LIMITS.messageBytes,
    min: MIN_MESSAGE_BYTES,
    max: MAX_MESSAGE_BYTES,
    doc:
      'The largest message of a stream, from `id:` to the blank line. Text and patches are split so that they fit;' +
      ' [arguments and results](docs/events.md#size) that do not fit are omitted. Raise it only if all readers can buffer' +
      ' such a message: Go readers with a default `bufio.Scanner` fail above 64 KiB.',
  }),
  maxHeaderBytes: integer('MAX_HEADER_BYTES', {
    default: DEFAULT_SERVER_LIMITS.maxHeaderBytes,
    min: 2_048,
    max: 1_048_576,
    doc: "A request's request line and headers. Above it: 431.",
  }),
  requestTimeoutMs: integer('REQUEST_TIMEOUT_MS', {
    default: DEFAULT_SERVER_LIMITS.requestTimeoutMs,
    min: 1_000,
    max: 600_000,
    doc: 'The time in which a request must arrive completely. Above it: 408.',
  }),
  keepAliveTimeoutMs: integer('KEEP_ALIVE_TIMEOUT_MS', {
    default: DEFAULT_SERVER_LIMITS.keepAliveTimeoutMs,
    min: 1_000,
    max: 3_600_000,
    doc:
      'A connection without a request is closed after this time. It must exceed the time for which a load balancer keeps' +
      ' idle connections (often 60 s), which would otherwise send a request while the connection is closed.',
  }),
  maxPipelined: count(
    'MAX_PIPELINED_REQUESTS',
    DEFAULT_SERVER_LIMITS.maxPipelined,
    'Requests of one connection that wait for a response (HTTP/1.1 pipelining), which are handled in order. Above it' +
      ' the connection is closed. A server lets up to 2,500 of them wait in total.',
    1_000,
  ),
  query: {
    depth: count(
      'MAX_QUERY_DEPTH',
      query.depth,
      'Nesting depth of a GraphQL document. Above it: 400 `BAD_USER_INPUT`, on a stream as a message.',
      1_000,
    ),
    aliases: integer('MAX_QUERY_ALIASES', {
      default: query.aliases,
      min: 0,
      max: 1_000_000,
      doc: 'Aliases of a document. Above it: 400 `BAD_USER_INPUT`.',
    }),
    tokens: integer('MAX_QUERY_TOKENS', {
      default: query.tokens,
      min: 10,
      max: 1_000_000,
      doc: 'Lexical tokens of a document. Above it: 400 `BAD_USER_INPUT`.',
    }),
    cost: count(
      'MAX_QUERY_COST',
      query.cost,
      'Fields of a document, each multiplied by the sizes of the lists around it (`first`). Above it: 400' +
        ' `BAD_USER_INPUT`.',
      999_999_999,
    ),
    executions: count(
      'MAX_QUERY_EXECUTIONS',
      query.executions,
      'Executions in one result, counted each time they occur. Above it the operation fails: `BAD_USER_INPUT`.',
    ),
    contentBytes: integer('MAX_QUERY_CONTENT_BYTES', {
      default: query.contentBytes,
      min: 1_024,
      max: 999_999_999,
      doc:
        'Bytes of `input`, `result` and `error` in one result. Above it the operation fails: `BAD_USER_INPUT`. A result' +
        ' with a single execution may exceed it.',
    }),
    timeoutMs: integer('QUERY_TIMEOUT_MS', {
      default: query.timeoutMs,
      min: 100,
      max: 600_000,
      doc: 'A query that runs or waits longer is aborted: 503 `SOURCE_UNAVAILABLE`.',
    }),
    operationsPerCaller: count(
      'MAX_QUERIES_PER_CALLER',
      query.operationsPerCaller,
      'Concurrent queries of one caller. Further ones wait.',
      1_000,
    ),
    reads: count(
      'MAX_QUERY_READS',
      query.reads,
      'Concurrent database reads of all queries. The remaining ones of the 10 connections serve publishing and streams.',
      1_000,
    ),
    readsPerCaller: count(
      'MAX_QUERY_READS_PER_CALLER',
      query.readsPerCaller,
      "Concurrent database reads of one caller's queries. Further ones wait in turn with those of other callers. Without" +
        ' authentication all requests belong to one caller.',
      1_000,
    ),
  },
};

/** Limits of each stream. */
export const STREAM_LIMIT_SETTINGS = {
  stalledMs: integer('STALLED_MS', {
    default: DEFAULT_STREAM_SETTINGS.stalledMs,
    min: 1_000,
    max: 86_400_000,
    doc: 'A client that reads nothing of a response for this time is disconnected. It may reconnect.',
  }),
  bytesPerSecond: integer('STREAM_BYTES_PER_SECOND', {
    default: DEFAULT_STREAM_SETTINGS.bytesPerSecond,
    min: 65_536,
    max: 999_999_999,
    doc: 'Bytes per second of one stream, such as one that replays an old log. The rest is sent in the next second.',
  }),
};
