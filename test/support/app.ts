// The complete server in the test's process, over a memory log and a memory store or over other parts.
//
//   await using app = await startApp();                        // listens on a free port
//   const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
//   await run.text('hello');
//   using stream = await openSse(`${app.url}/api/v0/executions/agents/a1/stream`);
//
//   await using app = createApp({ settings: { heartbeatMs: 15_000 } });   // no socket: for fake time
//   const body = collect(await app.request('/graphql?query=…'));
//
// `directLog` begins an execution and appends exact events to its log, for tests that assert bytes.
import { ExecstreamError } from '../../src/event/errors.ts';
import type { ExecutionKind, ExecutionMode, NewEvent } from '../../src/event/events.ts';
import { ANONYMOUS, type Authorize, type Caller } from '../../src/execution/permission.ts';
import type { BeginExecution, ExecutionStore } from '../../src/execution/store.ts';
import type { AppendResult, EventLog } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import type { AuthenticationOptions } from '../../src/server/auth/authenticate.ts';
import {
  createExecstream,
  type Execstream,
  type ExecstreamOptions,
} from '../../src/server/create-execstream.ts';
import type { LimitOptions } from '../../src/server/limits.ts';
import { listen } from '../../src/server/node-server.ts';
import type { LivenessTimes } from '../../src/source/liveness-monitor.ts';
import type { RowSourceTimes } from '../../src/source/row-source.ts';
import type { EventStreamSettings } from '../../src/sse/stream-settings.ts';
import type { TemporalClient } from '../../src/temporal/source/temporal-client.ts';
import { createPublisher, type Publisher, type PublisherLimits } from '../../src/worker.ts';
import { createMemoryStore } from './memory-store.ts';
import { until } from './wait.ts';

export interface AppOptions<Store extends ExecutionStore = ExecutionStore> {
  /** In memory by default. The test closes a log or store that it passes. */
  readonly log?: EventLog;
  readonly store?: Store;
  readonly settings?: Partial<EventStreamSettings>;
  /** Limits of the server. */
  readonly serverLimits?: LimitOptions;
  /** By default, all streams are rotated immediately. @default 0 */
  readonly drainMs?: number;
  readonly auth?: AuthenticationOptions;
  readonly corsOrigins?: readonly string[];
  /** @default '/' */
  readonly basePath?: string;
  readonly authorize?: Authorize;
  /** @default 'off' */
  readonly persistedQueries?: 'off' | 'automatic';
  readonly limits?: Partial<PublisherLimits>;
  readonly liveness?: Partial<LivenessTimes>;
  readonly rowSource?: Partial<RowSourceTimes>;
  /** The Temporal whose workflows are watched, and how. @default none */
  readonly temporal?: TemporalClient | undefined;
  readonly workflows?: ExecstreamOptions['workflows'];
  /** 0: a free port. @default 0 */
  readonly port?: number;
}

/** The server without a socket. */
export interface App extends AsyncDisposable {
  readonly services: Execstream;
  readonly log: EventLog;
  readonly store: ExecutionStore;
  /** The real publisher, over the same parts. */
  readonly publisher: Publisher;
  /** Errors that the server logged. */
  readonly errors: { readonly details: object; readonly message: string }[];
  /** Passes a request to GraphQL or REST as the server does, without a socket. */
  request(path: string, init?: RequestInit, caller?: Caller): Promise<Response>;
  close(): Promise<void>;
}

export interface ListeningApp extends App {
  readonly url: string;
}

const SETTINGS: Partial<EventStreamSettings> = { retryMs: 1_000, heartbeatMs: 15_000, lifetimeMs: 600_000 };

/** Assembles the server without listening. */
export function createApp(options: AppOptions = {}): App {
  const log = options.log ?? createMemoryLog();
  const store = options.store ?? createMemoryStore();
  const errors: App['errors'] = [];
  const services = createExecstream({
    log,
    store,
    settings: { ...SETTINGS, ...options.settings },
    limits: options.serverLimits,
    logger: { error: (details, message) => void errors.push({ details, message }) },
    auth: options.auth,
    corsOrigins: options.corsOrigins,
    basePath: options.basePath,
    authorize: options.authorize,
    persistedQueries: options.persistedQueries,
    ...(options.liveness && { liveness: options.liveness }),
    ...(options.rowSource && { rowSource: options.rowSource }),
    ...(options.workflows && { workflows: options.workflows }),
    sources: { temporal: options.temporal },
  });
  const publisher = createPublisher({
    log,
    store,
    ...(options.limits && { limits: options.limits }),
  });
  const close = async () => {
    await publisher.close();
    services.streams.rotateAll();
    await services.close();
    if (!options.log) await log.close();
    if (!options.store) await store.close();
  };
  return {
    services,
    log,
    store,
    publisher,
    errors,
    request: async (path, init = {}, caller = ANONYMOUS) => {
      const request = new Request(new URL(path, 'http://127.0.0.1'), init);
      return services.rest(request, caller);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Starts the server on 127.0.0.1. */
export async function startApp(options: AppOptions = {}): Promise<ListeningApp> {
  const app = createApp(options);
  const { port = 0, drainMs = 0, serverLimits: limits } = options;
  const streams = { stalledMs: 60_000, ...options.settings };
  const server = await listen(app.services, { host: '127.0.0.1', port, drainMs, limits, streams });
  const close = async () => {
    await app.publisher.close();
    await server.close();
    await app.close();
  };
  return { ...app, url: server.url, close, [Symbol.asyncDispose]: close };
}

/** An execution whose log the test writes directly. */
export interface DirectLog {
  readonly id: string;
  readonly epoch: string;
  /** Appends one batch. Returns the new head. */
  append(...events: NewEvent[]): Promise<number>;
  /** Ends the row with a result, appends the terminal event and records it on the row. Returns its seq. */
  complete(result?: string): Promise<number>;
  /** Replaces this log's epoch in a text with `EPOCH`. */
  masked(text: string): string;
}

/** The time of all events that tests append. */
export const TS = '2026-01-02T03:04:05.678Z';

/** Begins an execution and opens its log. */
export async function directLog(
  { log, store }: Pick<App, 'log' | 'store'>,
  options: Partial<BeginExecution> & { kind?: ExecutionKind; mode?: ExecutionMode } = {},
): Promise<DirectLog> {
  const { id = 'a1', kind = 'agent', mode = 'TEXT' } = options;
  await store.begin({ ...options, id, kind, mode });
  const opened = await log.open(id, { numbering: 'auto', publisher: 'direct', attempt: 1 });
  if (opened.outcome !== 'opened') throw new Error(`open: ${opened.outcome}`);
  const { epoch } = opened.head;
  const append = async (...events: NewEvent[]) =>
    headOf(await log.append(id, { epoch, acknowledged: 0, publisher: 'direct', events }));
  return {
    id,
    epoch,
    append,
    complete: async (result = 'done') => {
      await store.finish(id, 1, { status: 'SUCCESS', result });
      const seq = await append({
        type: 'complete',
        ts: TS,
        data: { status: 'SUCCESS', result, durationMs: 7 },
      });
      await store.markEnd(id, { seq, epoch });
      return seq;
    },
    masked: (text) => text.replaceAll(epoch, 'EPOCH'),
  };
}

function headOf(result: AppendResult): number {
  if (result.outcome !== 'appended') throw new ExecstreamError('INTERNAL', `append: ${result.outcome}`);
  return result.head;
}

/** A chunk of text. */
export function chunk(content: string): NewEvent {
  return { type: 'llm_chunk', ts: TS, data: { content } };
}

/** `count` chunks that contain their position: `1 `, `2 `, … */
export function chunks(count: number, from = 1): NewEvent[] {
  return Array.from({ length: count }, (_, i) => chunk(`${from + i} `));
}

export function toolCall(toolCallId = 't1'): NewEvent {
  return { type: 'tool_call', ts: TS, data: { toolCallId, toolName: 'search', status: 'started' } };
}

/** The integers from `from` to `to`, for the seqs that a viewer must have received. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** A body that is being read. */
export interface Collected {
  readonly response: Response;
  readonly text: string;
  /** The body has ended cleanly. */
  readonly done: boolean;
  /** The body has failed: the response is unfinished. */
  readonly broken: boolean;
  /** Stops reading, like a client that disconnects. */
  cancel(): Promise<void>;
}

/** Reads a body in the background. */
export function collect(response: Response): Collected {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  const collected = {
    response,
    text: '',
    done: reader === undefined,
    broken: false,
    cancel: async () => {
      await reader?.cancel();
    },
  };
  const read = async () => {
    for (;;) {
      const { done, value } = await reader!.read();
      if (done) break;
      collected.text += decoder.decode(value, { stream: true });
    }
    collected.done = true;
  };
  if (reader) {
    read().catch(() => {
      collected.broken = true;
    });
  }
  return collected;
}

/** The text of an unfinished response; rejects if the response ends cleanly. */
export async function unfinishedText(response: Response): Promise<string> {
  const body = collect(response);
  await until(() => body.done || body.broken);
  if (body.done) throw new Error(`the response ended cleanly: ${body.text}`);
  return body.text;
}

const { setImmediate: realSetImmediate } = globalThis;

/** Runs everything that needs neither a timer nor a socket. */
export async function settled(rounds = 10): Promise<void> {
  for (let i = 0; i < rounds; i += 1) await new Promise((resolve) => realSetImmediate(resolve));
}

/** The path of a GraphQL request by GET. */
export function graphqlPath(query: string, variables?: object): string {
  const parameters = new URLSearchParams({ query });
  if (variables) parameters.set('variables', JSON.stringify(variables));
  return `/graphql?${parameters}`;
}

/** The headers of every request for an event stream. */
export const EVENT_STREAM = { accept: 'text/event-stream' };
