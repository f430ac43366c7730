// The worker's end of the sink: events of workflow tasks as they run, appended to their logs at once.
//
// Temporal waits for a sink before it completes the workflow task, so nothing is awaited here: an event is put into
// a queue and the call returns. Events are provisional, for the task may yet fail and run again another way. That
// harms no log, for it refuses what contradicts it and the relay then begins a new epoch from the query. But an end
// cannot be taken back: it waits until Temporal says that the run has closed so.
import type { InjectedSinks } from '@temporalio/worker';
import type { WorkflowInfo } from '@temporalio/workflow';
import { isTerminal } from '../../event/events.ts';
import type { ExecutionStore } from '../../execution/store.ts';
import type { LogWriter } from '../../log/log.ts';
import { type Logger, SILENT } from '../../telemetry/logger.ts';
import type { SinkEvent, StreamSinks } from '../shared/stream-query.ts';
import { createPendingEnds } from './pending-ends.ts';
import type { RunSinkEvent } from './sink-target.ts';
import type { HistoryService } from './wait-for-close.ts';
import { createWorkflowFeed, type WorkflowFeed } from './workflow-feed.ts';

export interface SinkOptions {
  readonly log: LogWriter;
  readonly store: ExecutionStore;
  /** Silent by default; pino's loggers fit. */
  readonly logger?: Logger;
  /** Whose a workflow is; by default nobody's. */
  readonly tenantOf?: (info: WorkflowInfo) => string | undefined;
  /** Bytes of events that wait for the log, of all workflows; above, what waits is dropped. Default 8 MiB. */
  readonly queueBytes?: number;
  /** What `close()` grants what still waits; default 5 s. */
  readonly closeMs?: number;
  /** Where to ask how a run closed. Without one, ends are left to the relay. */
  readonly service?: () => HistoryService | undefined;
}

/** The sinks of a worker, for its option `sinks`. */
export interface WorkerSinks {
  readonly sinks: InjectedSinks<StreamSinks>;
  /** Sends what waits, within `closeMs`. It does not close `log` or `store`. */
  close(): Promise<void>;
}

const QUEUE_BYTES = 8 * 1024 * 1024;
const CLOSE_MS = 5_000;
/** Workflows whose place in their log is remembered. */
const MAX_FEEDS = 2_000;

/** Makes the sinks over a log and a store, which stay the caller's. */
export function createWorkerSinks(options: SinkOptions): WorkerSinks {
  const { log, store, logger = SILENT, queueBytes = QUEUE_BYTES, closeMs = CLOSE_MS } = options;
  const feeds = new Map<string, WorkflowFeed>();
  const closing = new AbortController();
  let waitingBytes = 0;
  let dropped = 0;

  const endings = createPendingEnds({
    store,
    logger,
    signal: closing.signal,
    service: options.service ?? (() => undefined),
    send: async (sunk) => {
      const feed = push(sunk);
      await feed.idle;
      const { last } = feed;
      return last?.epoch === sunk.epoch && last.head >= sunk.event.seq ? last.logEpoch : undefined;
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
      onLeft(bytes, isDropped) {
        waitingBytes -= bytes;
        if (isDropped) dropped += 1;
      },
    });
    // Behind the others: those that were silent the longest stand first.
    feeds.set(executionId, feed);
    return feed;
  }

  function forgetIdle(): void {
    for (const [executionId, feed] of feeds) {
      if (feeds.size <= MAX_FEEDS) return;
      if (feed.isIdle) feeds.delete(executionId);
    }
  }

  function push(sunk: RunSinkEvent): WorkflowFeed {
    const feed = feedOf(sunk.executionId);
    waitingBytes += sunk.bytes;
    feed.push(sunk);
    if (waitingBytes > queueBytes) {
      logger.warn(
        { bytes: waitingBytes },
        'the log does not keep up with the workflows: dropped for the relay',
      );
      for (const each of feeds.values()) each.drop();
    }
    forgetIdle();
    return feed;
  }

  function onEvent(info: WorkflowInfo, sunkEvent: SinkEvent): void {
    if (closing.signal.aborted) return;
    const { namespace, workflowId, runId, workflowType, firstExecutionRunId, attempt, runStartTime } = info;
    const tenant = options.tenantOf?.(info);
    const run = { namespace, workflowId, runId, workflowType, attempt, firstRunId: firstExecutionRunId };
    const sunk: RunSinkEvent = {
      ...sunkEvent,
      run: { ...run, runStartedAt: runStartTime.getTime(), ...(tenant !== undefined && { tenant }) },
      bytes: Buffer.byteLength(JSON.stringify(sunkEvent.event)),
    };
    endings.cancel(sunk);
    if (isTerminal(sunk.event.type)) endings.add(sunk);
    else push(sunk);
  }

  return {
    sinks: { execstream: { append: { fn: onEvent, callDuringReplay: false } } },
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, closeMs);
      });
      const idle = Promise.all([...feeds.values()].map((feed) => feed.idle)).then(() => endings.idle());
      await Promise.race([idle, late]);
      clearTimeout(timer);
      closing.abort();
      if (waitingBytes > 0 || dropped > 0) {
        logger.info({ bytes: waitingBytes, dropped }, 'events of workflows were left to the relay');
      }
    },
  };
}
