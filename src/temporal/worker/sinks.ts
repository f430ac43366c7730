// The worker's side of the sink: appends the events of workflow tasks to their logs while the tasks run.
//
// Temporal waits for a sink before it completes the workflow task, so nothing is awaited here: an event is queued and the
// call returns. Events are provisional, because the task may fail and run again differently. That does not harm a log,
// which rejects events that contradict it, and the server then starts a new epoch from the query. But an end cannot be
// taken back: it waits until Temporal confirms that the run has closed.
import type { InjectedSinks } from '@temporalio/worker';
import type { WorkflowInfo } from '@temporalio/workflow';
import { settleWithin } from '../../async/timeout.ts';
import { isTerminal } from '../../event/events.ts';
import type { ExecutionStore } from '../../execution/store.ts';
import type { LogWriter } from '../../log/log.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { resolveLogger } from '../../telemetry/resolve-logger.ts';
import type { SinkEvent, StreamSinks } from '../shared/stream-query.ts';
import { createPendingEnds, type SinkEnd } from './pending-ends.ts';
import type { RunSinkEvent } from './sink-target.ts';
import type { HistoryService } from './wait-for-close.ts';
import { createWorkflowFeed, type WorkflowFeed } from './workflow-feed.ts';

export interface SinkOptions {
  readonly log: LogWriter;
  readonly store: ExecutionStore;
  /**
   * A logger; those of pino fit. `false` for none.
   * @default warnings and errors go to stderr, one line each
   */
  readonly logger?: Logger | false;
  /**
   * The tenant of a workflow.
   * @default no tenant
   */
  readonly tenantOf?: (info: WorkflowInfo) => string | undefined;
  /**
   * Bytes of events of all workflows that wait for the log. Above this limit all of them are dropped, and servers read
   * them by the query.
   * @default 8388608 (8 MiB)
   */
  readonly queueBytes?: number;
  /**
   * How long `close()` waits for queued events, in ms.
   * @default 5000
   */
  readonly closeMs?: number;
  /**
   * The service that confirms how a run closed.
   * @default none: servers record the ends
   */
  readonly service?: () => HistoryService | undefined;
}

/** The sinks of a worker, for its option `sinks`. */
export interface WorkerSinks {
  readonly sinks: InjectedSinks<StreamSinks>;
  /** Sends the queued events, within `closeMs`. It does not close `log` or `store`. */
  close(): Promise<void>;
}

const QUEUE_BYTES = 8 * 1024 * 1024;
const CLOSE_MS = 5_000;
/** Above this number, feeds without queued events are discarded. */
const MAX_FEEDS = 2_000;

/** Creates the sinks over a log and a store, which the caller closes. */
export function createWorkerSinks(options: SinkOptions): WorkerSinks {
  const { log, store, queueBytes = QUEUE_BYTES, closeMs = CLOSE_MS } = options;
  const logger = resolveLogger(options.logger);
  const feeds = new Map<string, WorkflowFeed>();
  const closing = new AbortController();
  let queuedBytes = 0;
  let dropped = 0;

  const ends = createPendingEnds({
    store,
    logger,
    signal: closing.signal,
    service: options.service ?? (() => undefined),
    send: async (end) => {
      const feed = push(end);
      await feed.idle;
      const { last } = feed;
      return last?.epoch === end.epoch && last.head >= end.event.seq ? last.logEpoch : undefined;
    },
  });

  function feedOf(executionId: string): WorkflowFeed {
    let feed = feeds.get(executionId);
    if (feed) feeds.delete(executionId);
    feed ??= createWorkflowFeed({
      log,
      store,
      logger,
      closing: closing.signal,
      onRemoved(bytes, isDropped) {
        queuedBytes -= bytes;
        if (isDropped) dropped += 1;
      },
    });
    // Last in the map's order, which is that of the last use.
    feeds.set(executionId, feed);
    return feed;
  }

  function evictIdle(): void {
    for (const [executionId, feed] of feeds) {
      if (feeds.size <= MAX_FEEDS) return;
      if (feed.isIdle) feeds.delete(executionId);
    }
  }

  function push(event: RunSinkEvent): WorkflowFeed {
    const feed = feedOf(event.executionId);
    queuedBytes += event.bytes;
    feed.push(event);
    if (queuedBytes > queueBytes) {
      logger.warn(
        { bytes: queuedBytes },
        'the log is slower than the workflows: dropped queued events; the server reads them by the query',
      );
      for (const each of feeds.values()) each.drop();
    }
    evictIdle();
    return feed;
  }

  function onEvent(info: WorkflowInfo, sinkEvent: SinkEvent): void {
    if (closing.signal.aborted) return;
    const { namespace, workflowId, runId, workflowType, firstExecutionRunId, attempt } = info;
    const tenant = options.tenantOf?.(info);
    const run = { namespace, workflowId, runId, workflowType, attempt, firstRunId: firstExecutionRunId };
    const event: RunSinkEvent = {
      ...sinkEvent,
      run: { ...run, ...startsOf(info), ...(tenant !== undefined && { tenant }) },
      bytes: Buffer.byteLength(JSON.stringify(sinkEvent.event)),
    };
    ends.cancel(event.executionId);
    if (isEnd(event)) ends.add(event);
    else push(event);
  }

  return {
    sinks: { execstream: { append: { fn: onEvent, callDuringReplay: false } } },
    async close() {
      const idle = Promise.all([...feeds.values()].map((feed) => feed.idle)).then(() => ends.idle());
      await settleWithin(idle, closeMs);
      closing.abort();
      if (queuedBytes > 0 || dropped > 0) {
        logger.info(
          { bytes: queuedBytes, dropped },
          'sinks closed before all events were appended; the server reads them by the query',
        );
      }
    },
  };
}

function isEnd(event: RunSinkEvent): event is SinkEnd {
  return isTerminal(event.event.type);
}

/** The starts of a run and of its chain, in ms since 1970. */
function startsOf({ startTime, runStartTime }: WorkflowInfo) {
  return { startedAt: startTime.getTime(), runStartedAt: runStartTime.getTime() };
}
