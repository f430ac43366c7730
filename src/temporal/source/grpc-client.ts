// The calls to Temporal that watching needs, each within a bound of our own, each failure a TemporalError.
//
// The client has no default deadline, and its retries (ten, some 18 s) heed neither a deadline nor an abort: so there
// are two tries at most, a deadline for each call, and a timer besides. Nothing of Temporal's is loaded, and nothing
// is connected, before the first call.
import type { Client, Connection } from '@temporalio/client';
import { failureMessage } from '../shared/failure.ts';
import { STREAM_QUERY } from '../shared/stream-query.ts';
import { taskIdOf } from './display-names.ts';
import { type TemporalCall, TemporalError, temporalError } from './errors.ts';
import { type TemporalClient, type TemporalSettings, toMs } from './temporal-client.ts';

export interface CallTimes {
  readonly callMs: number;
  readonly queryMs: number;
  /** Above what the server holds a question for. */
  readonly longPollMs: number;
}

const DEFAULT_TIMES: CallTimes = { callMs: 5_000, queryMs: 5_000, longPollMs: 40_000 };
/** What the connection's own deadline is given before our timer gives the call up. */
const GRACE_MS = 500;

const CLOSE_EVENT = 2;
const RUNNING = 1;
const PAUSED = 8;

interface Connected {
  readonly connection: Connection;
  clientOf(namespace: string): Client;
}

/** Makes the connection; nothing is connected yet, so this does not fail. */
export function createTemporalClient(
  settings: TemporalSettings,
  given: Partial<CallTimes> = {},
): TemporalClient {
  const { address, namespace, dataConverter } = settings;
  const times = { ...DEFAULT_TIMES, ...given };
  let connecting: Promise<Connected> | undefined;

  async function call<T>(
    asked: TemporalCall,
    forMs: number,
    work: (connected: Connected) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    // Of each call's own: the client never takes its listener off a signal again.
    const giving = new AbortController();
    const giveUp = (): void => giving.abort();
    signal?.addEventListener('abort', giveUp);
    if (signal?.aborted) giveUp();
    try {
      connecting ??= connect(settings);
      const connected = await connecting;
      const { connection } = connected;
      const answer = connection.withAbortSignal(giving.signal, () =>
        connection.withDeadline(Date.now() + forMs, () => work(connected)),
      );
      return await within(forMs + GRACE_MS, asked, answer);
    } catch (error) {
      throw temporalError(error, asked);
    } finally {
      signal?.removeEventListener('abort', giveUp);
      // Of one that our timer gave up on, nothing is to be left behind.
      giveUp();
    }
  }

  return {
    address,
    namespace,
    dataConverter,
    describe: (ref) =>
      call('read', times.callMs, async ({ connection }) => {
        const execution = { workflowId: ref.workflowId, runId: ref.runId ?? '' };
        const service = connection.workflowService;
        const answer = await service.describeWorkflowExecution({ namespace: ref.namespace, execution });
        const info = answer.workflowExecutionInfo ?? {};
        const runId = info.execution?.runId ?? '';
        const first = await service.getWorkflowExecutionHistory({
          namespace: ref.namespace,
          execution: { workflowId: ref.workflowId, runId },
          maximumPageSize: 1,
        });
        const started = first.history?.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
        return {
          ...ref,
          runId,
          firstRunId: started.firstExecutionRunId || runId,
          workflowType: info.type?.name ?? '',
          parentId: started.parentWorkflowExecution?.workflowId ?? undefined,
          attempt: Math.max(1, started.attempt ?? 1),
          startedAt: toMs(info.startTime),
          isOpen: info.status === RUNNING || info.status === PAUSED,
          historyLength: Number(info.historyLength ?? 0),
        };
      }),
    retries: (run) =>
      call('read', times.callMs, async ({ connection }) => {
        const execution = { workflowId: run.workflowId, runId: run.runId ?? '' };
        const request = { namespace: run.namespace, execution };
        const answer = await connection.workflowService.describeWorkflowExecution(request);
        return (answer.pendingActivities ?? []).flatMap(
          ({ activityType, activityId, attempt, lastFailure }) =>
            lastFailure && attempt
              ? {
                  taskId: taskIdOf(activityType?.name, activityId),
                  attempt,
                  message: failureMessage(lastFailure),
                }
              : [],
        );
      }),
    history: ({ run, from, isCloseOnly, isWaiting, limit }, signal) =>
      call(
        'read',
        isWaiting ? times.longPollMs : times.callMs,
        async ({ connection }) => {
          const answer = await connection.workflowService.getWorkflowExecutionHistory({
            namespace: run.namespace,
            execution: { workflowId: run.workflowId, runId: run.runId ?? '' },
            waitNewEvent: isWaiting ?? false,
            ...(isCloseOnly && { historyEventFilterType: CLOSE_EVENT }),
            ...(from && { nextPageToken: from }),
            ...(limit && { maximumPageSize: limit }),
          });
          const next = answer.nextPageToken;
          return { events: answer.history?.events ?? [], next: next?.length ? next : undefined };
        },
        signal,
      ),
    query: (run, since, signal) =>
      call(
        'query',
        times.queryMs,
        ({ clientOf }) =>
          clientOf(run.namespace).workflow.getHandle(run.workflowId, run.runId).query(STREAM_QUERY, since),
        signal,
      ),
    ping: () =>
      call('read', times.callMs, async ({ connection }) => {
        await connection.workflowService.getSystemInfo({});
      }),
    async close() {
      const made = await connecting?.catch(() => undefined);
      await made?.connection.close().catch(() => {});
    },
  };
}

async function connect(settings: TemporalSettings): Promise<Connected> {
  const { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } = await import(
    '@temporalio/client'
  );
  const { address, tls, apiKey, metadata, dataConverter } = settings;
  const connection = Connection.lazy({
    address,
    interceptors: [makeGrpcRetryInterceptor(defaultGrpcRetryOptions({ maxAttempts: 2 }))],
    ...(tls !== undefined && { tls }),
    ...(apiKey !== undefined && { apiKey }),
    ...(metadata && { metadata }),
  });
  const clients = new Map<string, Client>();
  const clientOf = (namespace: string): Client => {
    const client =
      clients.get(namespace) ??
      new Client({ connection, namespace, ...(dataConverter && { dataConverter }) });
    clients.set(namespace, client);
    return client;
  };
  return { connection, clientOf };
}

/** A timer of our own: retries heed no deadline. */
async function within<T>(ms: number, asked: TemporalCall, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const condition = asked === 'query' ? 'slow-worker' : 'away';
    timer = setTimeout(() => reject(new TemporalError(condition, `no answer within ${ms} ms`)), ms);
    timer.unref();
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    // One that is given up on may still fail.
    answer.catch(() => {});
  }
}
