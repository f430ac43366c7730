// The memory log with faults that a test switches on and off, and a publisher with short timeouts on top of it.
import type { LivenessWriter } from '../../src/coordination/liveness.ts';
import { ExecstreamError } from '../../src/event/errors.ts';
import { type AppendRequest, type EventLog, type LogWriter, MAX_BATCH_BYTES } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import type { PublisherLimits } from '../../src/publish/limits.ts';
import { createPublisher } from '../../src/publish/publisher.ts';
import { createHttpPublisher } from '../../src/worker-http.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';
import { createHttpServer } from './http-server.ts';

export interface Faults {
  /** Every call fails immediately. */
  isAway: boolean;
  /** No call returns. */
  hangs: boolean;
  /** The faults of the next appends, one each; later appends succeed. */
  appends: ('fail' | 'append and fail' | 'append and hang')[];
}

/** A log that can be unavailable, lose its responses, and lose its data. Reading it is not affected. */
export function createFaultyLog() {
  let real: EventLog = createMemoryLog();
  const faults: Faults = { isAway: false, hangs: false, appends: [] };
  const requests: AppendRequest[] = [];
  const unavailable = (): ExecstreamError =>
    new ExecstreamError('SOURCE_UNAVAILABLE', 'the log is unavailable');
  const never = <T>(): Promise<T> => new Promise<T>(() => {});

  const writer: LogWriter & LivenessWriter = {
    async open(id, request) {
      if (faults.isAway) throw unavailable();
      if (faults.hangs) return never();
      return real.open(id, request);
    },
    async append(id, request) {
      if (faults.isAway) throw unavailable();
      if (faults.hangs) return never();
      const bytes = request.events.reduce((sum, event) => sum + Buffer.byteLength(JSON.stringify(event)), 0);
      if (bytes > MAX_BATCH_BYTES) throw new Error(`a batch of ${bytes} bytes`);
      requests.push(structuredClone(request));
      const fault = faults.appends.shift();
      if (fault === 'fail') throw unavailable();
      const result = await real.append(id, request);
      if (fault === 'append and fail') throw unavailable();
      if (fault === 'append and hang') return never();
      return result;
    },
    head: (id) => real.head(id),
    async recordHeartbeat(id) {
      if (faults.isAway) throw unavailable();
      if (faults.hangs) return never();
      await real.recordHeartbeat(id);
    },
    async removeHeartbeat(id) {
      if (faults.isAway) throw unavailable();
      await real.removeHeartbeat(id);
    },
  };
  return {
    writer,
    faults,
    requests,
    get real() {
      return real;
    },
    /** Loses all logs, like a crash of Redis without persistence. */
    lose() {
      real = createMemoryLog();
    },
  };
}

export type FaultyLog = ReturnType<typeof createFaultyLog>;

/** A logger that records its lines. */
export function createRecorder() {
  const lines: { level: string; message: string; fields: object }[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, fields });
  };
  return { lines, info: at('info'), warn: at('warn'), error: at('error') };
}

/** How a publisher reaches the log and the store. */
export type TransportName = 'direct' | 'http';

export interface RigOptions {
  /** @default 'direct' */
  readonly transport?: TransportName;
  /** @default false */
  readonly strict?: boolean;
}

export function createRig(limits: Partial<PublisherLimits> = {}, options: RigOptions = {}) {
  const log = createFaultyLog();
  const store: MemoryStore = createMemoryStore();
  const logger = createRecorder();
  const short = { beginMs: 100, endMs: 3_000, closeMs: 500, callMs: 100, blockMs: 50, ...limits };
  const { transport = 'direct', strict = false } = options;
  const settings = { logger, limits: short, strict };
  const server = createHttpServer(log, store, short.callMs);
  const publisher =
    transport === 'direct'
      ? createPublisher({ ...settings, log: log.writer, store })
      : createHttpPublisher({ ...settings, url: 'http://server', fetch: server.fetch });
  return { log, store, logger, publisher, server };
}
