// A worker on the shared server, over a log and a store, and functions that read the streams of its workflows.
import type { WorkflowHandle } from '@temporalio/client';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import type { EventLog } from '../../src/log/log.ts';
import { STREAM_QUERY, type StreamPage, type WorkflowEvent } from '../../src/temporal/shared/stream-query.ts';
import { createTemporalPlugin } from '../../src/temporal/worker/index.ts';
import type { MemoryStore } from '../support/memory-store.ts';
import type { TemporalConnections } from '../support/temporal.ts';
import { bundleWorkflows } from './workflow-bundles.ts';

const workflowsPath = new URL('./workflows.ts', import.meta.url).pathname;

export interface RunningWorker {
  readonly taskQueue: string;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a worker. With parts, its sink appends the events of its workflows to the log. */
export async function startWorker(
  temporal: TemporalConnections,
  options: Partial<WorkerOptions> & {
    parts?: { readonly log: EventLog; readonly store: MemoryStore };
  } = {},
): Promise<RunningWorker> {
  const { parts, ...rest } = options;
  const taskQueue = options.taskQueue ?? `test-${crypto.randomUUID()}`;
  const sinks = parts
    ? { plugins: [createTemporalPlugin(parts)] }
    : // The bundle contains the interceptors, so workflows call the sink.
      { sinks: { execstream: { append: { fn: () => {} } } } };
  const worker = await Worker.create({
    connection: temporal.native,
    workflowBundle: rest.workflowBundle ?? (await bundleWorkflows(workflowsPath, { withPlugin: true })),
    ...sinks,
    ...rest,
    taskQueue,
  });
  const running = worker.run();
  const stop = async (): Promise<void> => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
  };
  return { taskQueue, stop, [Symbol.asyncDispose]: stop };
}

export function uniqueId(name: string): string {
  return `${name}-${crypto.randomUUID().slice(0, 8)}`;
}

export function queryStream(handle: WorkflowHandle, since = 0): Promise<StreamPage> {
  return handle.query<StreamPage, [number]>(STREAM_QUERY, since);
}

/** All events, page by page. */
export async function readAll(handle: WorkflowHandle, since = 0): Promise<WorkflowEvent[]> {
  const events: WorkflowEvent[] = [];
  for (;;) {
    const page = await queryStream(handle, events.at(-1)?.seq ?? since);
    events.push(...page.events);
    if (page.events.length === 0 || page.events.at(-1)!.seq === page.next - 1) return events;
  }
}

/** An event in short: its seq, its type, and the field that distinguishes it. */
export function summaryOf(event: WorkflowEvent): string {
  const { seq, type } = event;
  const data = event.data as { step?: string; status?: string; code?: string };
  return [seq, type, data.step ?? data.code ?? data.status].filter((word) => word !== undefined).join(' ');
}
