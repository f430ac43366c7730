// The client of Temporal's API over gRPC. What does not change, or not within a second, is requested once.
import { LruMap } from '../../async/lru-map.ts';
import type { ErrorLogger } from '../../telemetry/logger.ts';
import { STDERR } from '../../telemetry/stderr-logger.ts';
import { STREAM_QUERY } from '../shared/stream-query.ts';
import { addCodecs, NO_CODEC } from './codec.ts';
import { clientOptionsOf, type TemporalSettings } from './connection-settings.ts';
import { createCalls } from './grpc-calls.ts';
import {
  describePendingTasks,
  describeRun,
  hasPoller,
  type RunStart,
  readHistory,
  readStart,
} from './grpc-requests.ts';
import { listOpenRuns, listRuns } from './grpc-visibility.ts';
import { createRemoteCodec } from './remote-codec.ts';
import type { RequestPriority } from './request-priority.ts';
import type { TemporalClient, WorkflowRef, WorkflowRun } from './temporal-client.ts';
import { pollItems, queryOffset } from './workflow-streams/stream-requests.ts';

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
/** How long the workers of a task queue are known, and of how many task queues. */
const POLLERS_MS = 1_000;
const MAX_TASK_QUEUES = 1_000;
/** Runs whose first event is known. */
const MAX_STARTS = 10_000;

/**
 * Creates a client. It connects with the first call, so this does not fail.
 * @param logger for outages of the codec server. @default stderr
 */
export function createTemporalClient(
  settings: TemporalSettings,
  callTimes: Partial<CallTimes> = {},
  logger: ErrorLogger = STDERR,
): TemporalClient {
  const { namespace, dataConverter } = clientOptionsOf(settings);
  const { callMs: timeoutMs, queryMs, longPollMs } = { ...DEFAULT_TIMES, ...callTimes };
  const remote = settings.codec ? createRemoteCodec(settings.codec, logger) : NO_CODEC;
  const codec = addCodecs(remote, dataConverter?.payloadCodecs);
  const { call, metrics, close } = createCalls(settings, remote);
  const starts = new LruMap<string, RunStart>(MAX_STARTS);
  const pollers = new LruMap<string, { readonly at: number; readonly hasWorker: Promise<boolean> }>(
    MAX_TASK_QUEUES,
  );

  /** When workers responded to a query last, by task queue. */
  const respondedAt = new LruMap<string, number>(MAX_TASK_QUEUES);

  async function describe(ref: WorkflowRef, priority?: RequestPriority): Promise<WorkflowRun> {
    const request = { namespace: ref.namespace, priority, timeoutMs };
    const state = await call({ ...request, kind: 'describe' }, ({ connection }) =>
      describeRun(connection, ref),
    );
    const run = { ...ref, runId: state.runId };
    const key = JSON.stringify([run.namespace, run.runId]);
    const start =
      starts.get(key) ??
      (await call({ ...request, kind: 'history' }, ({ connection }) => readStart(connection, run, codec)));
    starts.set(key, start);
    return { ...run, ...start, ...state };
  }

  function hasWorker(run: WorkflowRun, priority?: RequestPriority): Promise<boolean> {
    const key = taskQueueKey(run.namespace, run.taskQueue);
    const known = pollers.get(key);
    if (known && performance.now() - known.at < POLLERS_MS) return known.hasWorker;
    const request = { kind: 'task_queue', namespace: run.namespace, priority, timeoutMs } as const;
    const read = {
      at: performance.now(),
      hasWorker: call(request, ({ connection }) => hasPoller(connection, run)),
    };
    pollers.set(key, read);
    read.hasWorker.catch(() => {
      if (pollers.get(key) === read) pollers.delete(key);
    });
    return read.hasWorker;
  }

  return {
    namespace,
    metrics,
    describe,
    list: (request) =>
      call({ kind: 'list', namespace: request.namespace, timeoutMs }, ({ connection }) =>
        listRuns(connection, request),
      ),
    pendingTasks: (run, signal) =>
      call(
        { kind: 'describe', namespace: run.namespace, priority: 'poll', timeoutMs, signal },
        ({ connection }) => describePendingTasks(connection, run),
      ),
    history(request, signal) {
      const { run, isWaiting, priority } = request;
      const waiting = { kind: 'history_wait', priority: priority ?? 'watch', timeoutMs: longPollMs } as const;
      const reading = { kind: 'history', priority, timeoutMs } as const;
      return call(
        { ...(isWaiting ? waiting : reading), namespace: run.namespace, signal },
        ({ connection }) => readHistory(connection, request, codec),
      );
    },
    hasWorker,
    hasResponded(run, withinMs) {
      const at = respondedAt.get(taskQueueKey(run.namespace, run.taskQueue));
      return at !== undefined && performance.now() - at < withinMs;
    },
    openRuns: (listed, workflowIds) =>
      call({ kind: 'list', namespace: listed, priority: 'sweep', timeoutMs }, ({ connection }) =>
        listOpenRuns(connection, listed, workflowIds),
      ),
    streamOffset: (run, signal) =>
      call(
        {
          ...{ kind: 'query', namespace: run.namespace, priority: 'poll', timeoutMs: queryMs },
          ...{ taskQueue: run.taskQueue, signal },
        },
        ({ clientOf }) => queryOffset(clientOf(run.namespace), run),
      ),
    pollStream: (run, poll, signal) =>
      call(
        { kind: 'update', namespace: run.namespace, priority: 'poll', timeoutMs: queryMs, signal },
        ({ connection }) => pollItems(connection, run, poll),
      ),
    query({ namespace: queried, workflowId, runId, taskQueue }, since, signal, options = {}) {
      const { priority = 'poll', queueSignal, onSent } = options;
      const request = { kind: 'query', namespace: queried, priority, timeoutMs: queryMs } as const;
      return call({ ...request, taskQueue, signal, queueSignal, onSent }, async ({ clientOf }) => {
        const handle = clientOf(queried).workflow.getHandle(workflowId, runId);
        const result = await handle.query(STREAM_QUERY, since);
        if (taskQueue !== undefined) respondedAt.set(taskQueueKey(queried, taskQueue), performance.now());
        return result;
      });
    },
    decode: codec,
    ping: () =>
      call({ kind: 'system_info', namespace, timeoutMs }, async ({ connection }) => {
        await connection.workflowService.getSystemInfo({});
      }),
    close,
  };
}

function taskQueueKey(namespace: string, taskQueue: string): string {
  return JSON.stringify([namespace, taskQueue]);
}
