// The calls to Temporal over gRPC. Each has a timeout, and each failure is a TemporalError.
//
// Temporal's client has no default deadline, and its retries (ten, about 18 s) ignore both deadline and abort signal. So
// each call gets two tries, a deadline and a timer. Temporal's packages are loaded, and the connection is opened, with
// the first call.
import type { Client, Connection } from '@temporalio/client';
import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { withTimeout } from '../../async/timeout.ts';
import type { ErrorLogger } from '../../telemetry/logger.ts';
import { STDERR } from '../../telemetry/stderr-logger.ts';
import { STREAM_QUERY } from '../shared/stream-query.ts';
import { type ClosableRetries, createClosableRetries } from './closable-retries.ts';
import { type TemporalCall, TemporalError, toTemporalError } from './errors.ts';
import { describeRun, hasPoller, pendingRetries, readHistory } from './grpc-requests.ts';
import { listRuns } from './grpc-visibility.ts';
import { createRemoteCodec, type RemoteCodec } from './remote-codec.ts';
import type { TemporalClient, TemporalSettings } from './temporal-client.ts';

/** Timeouts in ms. */
export interface CallTimes {
  /** @default 5000 */
  readonly callMs: number;
  /** @default 5000 */
  readonly queryMs: number;
  /**
   * For requests that wait for new events; longer than the server holds them.
   * @default 40000
   */
  readonly longPollMs: number;
}

const DEFAULT_TIMES: CallTimes = { callMs: 5_000, queryMs: 5_000, longPollMs: 40_000 };
/** How long the timer waits after the connection's own deadline. */
const GRACE_MS = 500;

interface Connected {
  readonly connection: Connection;
  clientOf(namespace: string): Client;
  readonly retries: ClosableRetries;
}

/**
 * Creates a client. It connects with the first call, so this does not fail.
 * @param logger for outages of the codec server. @default stderr
 */
export function createTemporalClient(
  settings: TemporalSettings,
  callTimes: Partial<CallTimes> = {},
  logger: ErrorLogger = STDERR,
): TemporalClient {
  const { address, namespace, dataConverter } = settings;
  const times = { ...DEFAULT_TIMES, ...callTimes };
  const codec: RemoteCodec = settings.codec
    ? createRemoteCodec(settings.codec, logger)
    : async (_namespace, payloads) => [...payloads];
  let connecting: Promise<Connected> | undefined;

  async function call<T>(
    kind: TemporalCall,
    ms: number,
    work: (connected: Connected) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    // One per call, because the client never removes its listener from a signal.
    const aborting = new AbortController();
    const abort = (): void => aborting.abort();
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    try {
      connecting ??= connect(settings, codec);
      const connected = await connecting;
      const { connection } = connected;
      return await withTimeout(
        () =>
          connection.withAbortSignal(aborting.signal, () =>
            connection.withDeadline(Date.now() + ms, () => work(connected)),
          ),
        { ms: ms + GRACE_MS, error: () => timeoutError(kind, ms + GRACE_MS), keepsAlive: false },
      );
    } catch (error) {
      throw toTemporalError(error, kind);
    } finally {
      signal?.removeEventListener('abort', abort);
      // Cancels a call that the timer ended.
      abort();
    }
  }

  return {
    address,
    namespace,
    dataConverter,
    describe: (ref) => call('read', times.callMs, ({ connection }) => describeRun(connection, ref)),
    list: (request) => call('read', times.callMs, ({ connection }) => listRuns(connection, request)),
    retries: (run) => call('read', times.callMs, ({ connection }) => pendingRetries(connection, run, codec)),
    history: (request, signal) =>
      call(
        'read',
        request.isWaiting ? times.longPollMs : times.callMs,
        ({ connection }) => readHistory(connection, request, codec),
        signal,
      ),
    hasWorker: (run) => call('read', times.callMs, ({ connection }) => hasPoller(connection, run)),
    query: ({ namespace, workflowId, runId }, since, signal) =>
      call(
        'query',
        times.queryMs,
        ({ clientOf }) =>
          clientOf(namespace).workflow.getHandle(workflowId, runId).query(STREAM_QUERY, since),
        signal,
      ),
    decode: codec,
    ping: () =>
      call('read', times.callMs, async ({ connection }) => {
        await connection.workflowService.getSystemInfo({});
      }),
    async close() {
      const connected = await connecting?.catch(() => undefined);
      await connected?.retries.close();
      await connected?.connection.close().catch(() => {});
    },
  };
}

function timeoutError(kind: TemporalCall, ms: number): TemporalError {
  return new TemporalError(kind === 'query' ? 'slow-worker' : 'unavailable', `no response within ${ms} ms`);
}

async function connect(settings: TemporalSettings, codec: RemoteCodec): Promise<Connected> {
  const { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } = await import(
    '@temporalio/client'
  );
  const { address, tls, apiKey, metadata, dataConverter } = settings;
  const retries = createClosableRetries(defaultGrpcRetryOptions({ maxAttempts: 2 }));
  const connection = Connection.lazy({
    address,
    interceptors: [makeGrpcRetryInterceptor(retries.options)],
    ...(tls !== undefined && { tls }),
    ...(apiKey !== undefined && { apiKey }),
    ...(metadata && { metadata }),
  });
  const clients = new Map<string, Client>();
  const clientOf = (namespace: string): Client => {
    const client =
      clients.get(namespace) ??
      new Client({ connection, namespace, dataConverter: withRemoteCodec(dataConverter, namespace, codec) });
    clients.set(namespace, client);
    return client;
  };
  return { connection, clientOf, retries };
}

/** Results are decoded; the argument of our query is not encoded, which codecs let pass. */
function withRemoteCodec(
  dataConverter: DataConverter | undefined,
  namespace: string,
  codec: RemoteCodec,
): DataConverter {
  const remote: PayloadCodec = {
    encode: async (payloads) => payloads,
    decode: (payloads) => codec(namespace, payloads),
  };
  return { ...dataConverter, payloadCodecs: [...(dataConverter?.payloadCodecs ?? []), remote] };
}
