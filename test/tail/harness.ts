// The tails of a process over the real memory log, in a wrapper that makes it fail, hang, lose events and lag.

import { vi } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import { type ExecutionEvent, type NewEvent, timestamp } from '../../src/event/events.ts';
import { ANONYMOUS, type Authorize, allowTenant } from '../../src/execution/permission.ts';
import type { BeginExecution, Execution } from '../../src/execution/store.ts';
import type {
  Announcement,
  EventLog,
  LogBounds,
  LogHead,
  LogListener,
  LogPage,
  OpenRequest,
} from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { type OpenViewer, Tails } from '../../src/tail/tails.ts';
import type { Viewer } from '../../src/tail/viewer.ts';
import { createMemoryStore } from '../support/memory-store.ts';

export const ID = 'agent-1';

/** Resolves when all pending microtasks have run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A log that can be made to misbehave. Appends always reach the inner memory log. */
export class TestLog implements EventLog {
  inner: EventLog;
  /** The seqs that `read` was called with. */
  readonly reads: number[] = [];
  listens = 0;
  /** The calls, in order. */
  readonly calls: string[] = [];
  readonly listeners = new Set<LogListener>();
  /** Receives each announcement instead of the listeners; `deliver` passes it to them. */
  onAnnouncement: (announcement: Announcement, deliver: (a?: Announcement) => void) => void = (_, deliver) =>
    deliver();
  /** Awaited before a read, which fails if it throws. */
  beforeRead: (after: number) => void | Promise<void> = () => {};
  /** Awaited between a read and its result. */
  afterRead: (after: number) => void | Promise<void> = () => {};
  beforeListen: () => void | Promise<void> = () => {};
  /** Rewrites the page of a read, as an older snapshot or another epoch. */
  view: (page: LogPage | undefined) => LogPage | undefined = (page) => page;
  readonly #bounds: LogBounds | undefined;

  constructor(bounds?: LogBounds) {
    this.#bounds = bounds;
    this.inner = createMemoryLog(bounds);
  }

  /** Replaces the log by an empty one. Listeners stay subscribed, as they do on Redis. */
  lose(): void {
    this.inner = createMemoryLog(this.#bounds);
    for (const listener of this.listeners) void this.#forwardTo(listener);
  }

  /** Makes reads return the log as it was at this head. */
  rewind(head: number): void {
    this.view = (page) =>
      page && { ...page, head, end: 0, events: page.events.filter((event) => event.seq <= head) };
  }

  interrupt(): void {
    for (const listener of this.listeners) listener.onInterruption();
  }

  open(executionId: string, request: OpenRequest) {
    return this.inner.open(executionId, request);
  }

  append(...args: Parameters<EventLog['append']>) {
    return this.inner.append(...args);
  }

  async read(executionId: string, after: number, limit: number): Promise<LogPage | undefined> {
    this.calls.push('read');
    this.reads.push(after);
    await this.beforeRead(after);
    const page = this.view(await this.inner.read(executionId, after, limit));
    await this.afterRead(after);
    return page;
  }

  head(executionId: string): Promise<LogHead | undefined> {
    return this.inner.head(executionId);
  }

  async listen(_executionId: string, listener: LogListener) {
    this.calls.push('listen');
    this.listens += 1;
    await this.beforeListen();
    this.listeners.add(listener);
    await this.#forwardTo(listener);
    this.calls.push('listening');
    return async () => {
      this.listeners.delete(listener);
    };
  }

  findBatch = (executionId: string, batch: string) => this.inner.findBatch(executionId, batch);
  recordHeartbeat = (executionId: string) => this.inner.recordHeartbeat(executionId);
  removeHeartbeat = (executionId: string) => this.inner.removeHeartbeat(executionId);
  silenceMs = (executionId: string) => this.inner.silenceMs(executionId);
  silencesMs = (executionIds: readonly string[]) => this.inner.silencesMs(executionIds);
  findSilent = (ms: number, limit: number) => this.inner.findSilent(ms, limit);
  recordMissingHeartbeats = (ids: readonly string[]) => this.inner.recordMissingHeartbeats(ids);
  takeLease = (...args: Parameters<EventLog['takeLease']>) => this.inner.takeLease(...args);
  renewLease = (...args: Parameters<EventLog['renewLease']>) => this.inner.renewLease(...args);
  readLeaseNote = (...args: Parameters<EventLog['readLeaseNote']>) => this.inner.readLeaseNote(...args);
  dropLease = (...args: Parameters<EventLog['dropLease']>) => this.inner.dropLease(...args);

  async ping() {}

  [Symbol.asyncDispose]() {
    return this.close();
  }

  close() {
    return this.inner.close();
  }

  #forwardTo(listener: LogListener) {
    const { inner } = this;
    return inner.listen(ID, {
      onAnnouncement: (announcement) => {
        if (!this.listeners.has(listener) || this.inner !== inner) return;
        this.onAnnouncement(announcement, (other = announcement) => {
          if (this.listeners.has(listener)) listener.onAnnouncement(other);
        });
      },
      onInterruption: () => listener.onInterruption(),
    });
  }
}

export function unavailable(message = 'the log is unavailable'): ExecstreamError {
  return new ExecstreamError('SOURCE_UNAVAILABLE', message);
}

export interface Setup {
  readonly bounds?: LogBounds;
  readonly authorize?: Authorize;
  readonly execution?: Partial<BeginExecution>;
}

/** One running execution, `agent-1`, with an empty log, and the tails of one process. */
export async function setUp({ bounds, authorize = allowTenant, execution }: Setup = {}) {
  const log = new TestLog(bounds);
  const store = createMemoryStore();
  const reconciled: Execution[] = [];
  const followed = { now: 0, ever: 0 };
  const reconcile = { end: async (_row: Execution): Promise<void> => {} };
  const logger = { error: vi.fn(), info: vi.fn() };
  const tails = new Tails({
    log,
    store,
    authorize,
    logger,
    reconcileEnd: async (row) => {
      reconciled.push(row);
      await reconcile.end(row);
    },
    follow: () => {
      followed.now += 1;
      followed.ever += 1;
      return () => {
        followed.now -= 1;
      };
    },
  });
  await store.begin({ id: ID, kind: 'agent', mode: 'TEXT', ...execution });
  const publisher = await publish(log);
  const open = (request: Partial<OpenViewer> = {}): Promise<Viewer> =>
    tails.open({ kind: 'agent', executionId: ID, caller: ANONYMOUS, ...request });
  return { log, store, tails, publisher, open, reconciled, reconcile, followed, logger };
}

export type World = Awaited<ReturnType<typeof setUp>>;

/** Opens the log for a publisher. */
export async function publish(log: TestLog, request: Partial<OpenRequest> = {}) {
  const publisher = request.publisher ?? 'publisher-1';
  const opened = await log.open(ID, { numbering: 'auto', attempt: 1, ...request, publisher });
  if (opened.outcome !== 'opened') throw new Error(`the log returned ${opened.outcome}`);
  const { epoch } = opened.head;
  const append = async (...events: NewEvent[]): Promise<number> => {
    const appended = await log.append(ID, { epoch, acknowledged: 0, publisher, events });
    if (appended.outcome !== 'appended') throw new Error(`the log returned ${appended.outcome}`);
    return appended.head;
  };
  return {
    epoch,
    append,
    /** Appends chunks in batches of `batch`; each contains its number. */
    chunks: async (count: number, batch = 50): Promise<void> => {
      for (let sent = 0; sent < count; sent += batch) {
        const size = Math.min(batch, count - sent);
        await append(...Array.from({ length: size }, (_, i) => chunk(`${sent + i} `)));
      }
    },
    /** Appends the terminal event. */
    complete: (result = 'all of it') => append(complete(result)),
  };
}

export function chunk(content = 'x'): NewEvent {
  return { type: 'llm_chunk', data: { content }, ts: timestamp() };
}

export function warning(code = 'X'): NewEvent {
  return { type: 'warning', data: { code, message: 'm' }, ts: timestamp() };
}

/** A patch; of the complete value if the path is ''. */
export function patch(path: string): NewEvent {
  return { type: 'structured_delta', data: { patch: [{ op: 'add', path, value: 1 }] }, ts: timestamp() };
}

export function complete(result: string | number = 'all of it'): NewEvent {
  return { type: 'complete', data: { status: 'SUCCESS', result, durationMs: 1 }, ts: timestamp() };
}

/** Ends the row, and records the cursor of its terminal event, if there is one. */
export async function endRow(
  { store }: World,
  end?: { seq: number; epoch: string },
  result: string | number = 'R',
) {
  await store.finish(ID, 1, { status: 'SUCCESS', result });
  if (end) await store.markEnd(ID, end);
}

/** Takes the available events as streams do: by spans, and one by one if there is no span. */
function takeAvailable(viewer: Viewer): ExecutionEvent[] {
  const taken: ExecutionEvent[] = [];
  for (;;) {
    const span = viewer.takeSpan();
    const events = span ? span.events.slice(span.from) : [viewer.take()];
    if (!events[0]) return taken;
    taken.push(...(events as ExecutionEvent[]));
  }
}

/** Takes the available events and those that the log returns, until there are no more. */
export async function takeAll(viewer: Viewer): Promise<ExecutionEvent[]> {
  const taken: ExecutionEvent[] = [];
  for (let idle = 0; idle < 3; idle += 1) {
    const events = takeAvailable(viewer);
    taken.push(...events);
    if (events.length > 0) idle = -1;
    await settled();
  }
  return taken;
}

/** Takes events whenever the viewer is woken, and only then: a missing wake-up shows as missing events. */
export function keepTaking(viewer: Viewer): ExecutionEvent[] {
  const taken: ExecutionEvent[] = [];
  const takeMore = () => {
    taken.push(...takeAvailable(viewer));
    viewer.waiter = { wake: takeMore };
  };
  takeMore();
  return taken;
}

export function seqs(events: readonly ExecutionEvent[]): number[] {
  return events.map(({ seq }) => seq);
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}

/** Type and cursor of each event. */
export function shown(events: readonly ExecutionEvent[]): string[] {
  return events.map(({ type, id }) => `${type} ${id}`);
}
