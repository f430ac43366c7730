// A server that watches Temporal, in the process of the test, and viewers of its streams.
import { Client } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import type { ExecutionStore } from '../../../src/execution/store.ts';
import type { EventLog } from '../../../src/log/log.ts';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { createExecstream, type ExecstreamOptions } from '../../../src/server/create-execstream.ts';
import { listen } from '../../../src/server/node-server.ts';
import { createTemporalClient } from '../../../src/temporal/source/grpc-client.ts';
import type { RequestLimits } from '../../../src/temporal/source/request-limiter.ts';
import type { RequestKind } from '../../../src/temporal/source/request-metrics.ts';
import type { TemporalClient } from '../../../src/temporal/source/temporal-client.ts';
import { graphqlPath } from '../../support/app.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { openSse, type SseStream } from '../../support/sse.ts';
import type { TemporalConnections } from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { startWorker, uniqueId } from '../rig.ts';
import { bundleWorkflows } from '../workflow-bundles.ts';

export interface Watching {
  readonly url: string;
  readonly log: EventLog;
  readonly store: MemoryStore;
  /** The number of queries that this server sent. */
  queries: number;
  /** The number of queries that failed. */
  failures(): number;
  /** The number of requests of a kind that were completed. */
  requests(kind: RequestKind): number;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface WatchingOptions {
  /** Shared with another server. */
  readonly parts?: { readonly log: EventLog; readonly store: MemoryStore };
  readonly workflows?: ExecstreamOptions['workflows'];
  /** @default 'default' */
  readonly namespace?: string;
  /** A codec server. */
  readonly codecUrl?: string;
  readonly requestLimits?: Partial<RequestLimits>;
  /** The timeout of a query, by default 2000. */
  readonly queryMs?: number;
  /** The limit of a message. */
  readonly messageBytes?: number;
  readonly temporal?: (client: TemporalClient) => TemporalClient;
}

/** Short intervals, so that tests do not wait. Seqs depend on the history alone: activities in flight are not shown. */
const WORKFLOWS = {
  leaseMs: 1_500,
  standbyMs: 200,
  slowPollMs: 3_000,
  taskStallMs: 1_000,
  activitiesMs: 0,
  queryGraceMs: 10_000,
};

export async function startWatching(address: string, options: WatchingOptions = {}): Promise<Watching> {
  const { log, store } = options.parts ?? { log: createMemoryLog(), store: createMemoryStore() };
  const { codecUrl: endpoint, requestLimits, messageBytes, queryMs = 2_000 } = options;
  const client = createTemporalClient(
    {
      ...{ address, namespace: options.namespace ?? 'default' },
      ...(endpoint && { codec: { endpoint, headers: {} } }),
      ...(requestLimits && { requestLimits }),
    },
    { queryMs, callMs: 2_000 },
    { error: () => {} },
  );
  const wrapped = options.temporal?.(client) ?? client;
  const temporal: TemporalClient = {
    ...wrapped,
    query(...args) {
      watching.queries += 1;
      return wrapped.query(...args);
    },
  };
  const services = createExecstream({
    ...{ log, store: store as ExecutionStore, sources: { temporal } },
    settings: { retryMs: 1_000, heartbeatMs: 15_000, lifetimeMs: 600_000 },
    logger: { error: () => {} },
    workflows: { ...WORKFLOWS, ...options.workflows },
    ...(messageBytes && { limits: { messageBytes } }),
  });
  const server = await listen(services, { host: '127.0.0.1', port: 0 });
  const close = async (): Promise<void> => {
    await server.close();
    if (!options.parts) await log.close();
  };
  const requests = (kind: RequestKind) =>
    client.metrics!.counts().reduce((sum, entry) => sum + (entry.kind === kind ? entry.count : 0), 0);
  const failures = () =>
    client
      .metrics!.counts()
      .reduce((sum, { kind, outcome, count }) => sum + (kind === 'query' && outcome !== 'ok' ? count : 0), 0);
  const { url } = server;
  const watching: Watching = {
    ...{ url, log, store, queries: 0, failures, requests, close },
    [Symbol.asyncDispose]: close,
  };
  return watching;
}

/** Starts workflows, also under the ids of others: an open run is terminated then. */
export function launcherOf(temporal: TemporalConnections) {
  return (taskQueue: string, name: string, workflowId: string, args: unknown[] = [], options: object = {}) =>
    temporal.client.workflow.start(name, {
      ...{ taskQueue, workflowId, args, workflowIdConflictPolicy: 'TERMINATE_EXISTING' as const },
      ...options,
    });
}

/** The state of a workflow over REST. */
export async function fetchState<State>({ url }: Watching, id: string, query = ''): Promise<State> {
  const response = await fetch(`${url}/api/v0/executions/workflows/${encodeURIComponent(id)}${query}`);
  return (await response.json()) as State;
}

/** Watches a workflow over REST. */
export function watchRest(url: string, id: string, query = '', lastEventId?: string): Promise<SseStream> {
  const path = `${url}/api/v0/executions/workflows/${encodeURIComponent(id)}/stream${query}`;
  return openSse(path, lastEventId === undefined ? {} : { lastEventId });
}

/** Watches a workflow over GraphQL. */
export function watchGraphql(url: string, id: string): Promise<SseStream> {
  const query = 'subscription($id: ID!) { workflowStream(id: $id) { seq type data } }';
  return openSse(url + graphqlPath(query, { id }));
}

/** The events of a stream as lines: seq, type, and the fields that distinguish them. */
export function linesOf({ frames }: SseStream): string[] {
  return frames.flatMap(({ id, event, data }) => {
    if (event === 'complete' && data === '') return [];
    const graphql = event === 'next' ? JSON.parse(data).data.workflowStream : undefined;
    const fields = graphql ? graphql.data : JSON.parse(data);
    const type = graphql ? graphql.type.toLowerCase() : event;
    const words = [fields.taskId, fields.status, fields.step, fields.code, fields.reason];
    const seq = graphql ? graphql.seq : Number(id?.split('-')[0]);
    return [[seq, type, ...words].filter((word) => word !== undefined).join(' ')];
  });
}

/** Waits for an event whose line contains this text. */
export function waitForLine(stream: SseStream, text: string | RegExp, timeoutMs = 10_000): Promise<void> {
  const match = (line: string) => (typeof text === 'string' ? line.includes(text) : text.test(line));
  return stream.until(
    () => linesOf(stream).some(match),
    `${text} among\n${linesOf(stream).join('\n')}`,
    timeoutMs,
  );
}

/** The cursor of the last event. */
export function lastCursor(stream: SseStream): string {
  return stream.frames.filter(({ id }) => id !== undefined).at(-1)!.id!;
}

/** A client of a new namespace, once Temporal accepts workflows in it. */
export async function createNamespace({ client }: TemporalConnections): Promise<Client> {
  const namespace = uniqueId('namespace');
  const { connection, workflowService } = client;
  await workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const created = new Client({ connection, namespace });
  const isReady = () =>
    created.workflow.count().then(
      () => true,
      () => false,
    );
  await until(isReady, { timeoutMs: 30_000 });
  return created;
}

/** A worker for the workflows of foreign.ts, with their activities. */
export async function startForeignWorker(
  temporal: TemporalConnections,
  taskQueue?: string,
  options: Pick<WorkerOptions, 'dataConverter' | 'namespace'> = {},
) {
  const workflowsPath = new URL('./foreign.ts', import.meta.url).pathname;
  let tries = 0;
  return startWorker(temporal, {
    ...options,
    ...(taskQueue !== undefined && { taskQueue }),
    workflowBundle: await bundleWorkflows(workflowsPath),
    sinks: {},
    activities: {
      fetchPage: async (url: string) => {
        if (url === 'bad') throw new Error('page not found');
        return 'page';
      },
      flaky: async () => {
        tries += 1;
        if (tries < 3) throw new Error(`flaked ${tries}`);
        return 'ok';
      },
      stubborn: async () => {
        tries += 1;
        if (tries < 3) throw new Error(`failed ${tries}`);
        return 'at last';
      },
    },
  });
}
