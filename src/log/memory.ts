// The log of one process, in memory: the embedded default, and the same contract as the one on Redis.

import { createMemoryLeases } from '../coordination/lease.ts';
import { createMemoryLiveness } from '../coordination/liveness.ts';
import { formatCursor, newEpoch } from '../event/cursor.ts';
import { type ExecutionEvent, isTerminal, type NewEvent, timestamp } from '../event/events.ts';
import { checkBatch } from './append-batch.ts';
import {
  type AppendRequest,
  type AppendResult,
  BATCHES_REMEMBERED,
  DEFAULT_BOUNDS,
  type EventLog,
  type KnownBatch,
  type LogBounds,
  type LogHead,
  type LogListener,
  type LogPage,
  type Numbering,
  type OpenRequest,
  type OpenResult,
} from './log.ts';

/** A longer timer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface MemoryLog {
  readonly executionId: string;
  readonly epoch: string;
  readonly numbering: Numbering;
  attempt: number;
  publisher: string | undefined;
  /** Head when the present publisher took the log: while it is the head, the publisher has appended nothing. */
  takenAt: number;
  fence: number;
  head: number;
  end: number;
  /** The last batches by name, oldest first. */
  readonly batches: Map<string, KnownBatch>;
  note: string;
  /** A suffix of the log; the first one's seq is above 1 once the log has been trimmed. */
  events: ExecutionEvent[];
  sizes: number[];
  bytes: number;
}

/** Makes an empty log. Everything is gone with the process. */
export function createMemoryLog(bounds: LogBounds = DEFAULT_BOUNDS): EventLog {
  const logs = new Map<string, MemoryLog>();
  const listeners = new Map<string, Set<LogListener>>();
  const expiries = new Set<NodeJS.Timeout>();

  function begin(executionId: string, request: OpenRequest): MemoryLog {
    const log: MemoryLog = {
      executionId,
      epoch: newEpoch(),
      numbering: request.numbering,
      attempt: request.attempt,
      publisher: request.publisher,
      takenAt: 0,
      fence: request.fence ?? 0,
      head: 0,
      end: 0,
      batches: new Map(),
      note: '',
      events: [],
      sizes: [],
      bytes: 0,
    };
    logs.set(executionId, log);
    return log;
  }

  function add(log: MemoryLog, added: readonly NewEvent[]): void {
    const events = added.map((event, i) => {
      const seq = log.head + 1 + i;
      const envelope = { id: formatCursor(seq, log.epoch), seq, type: event.type, ts: event.ts };
      const json = JSON.stringify({ ...envelope, attempt: log.attempt, data: event.data });
      log.sizes.push(Buffer.byteLength(json));
      log.bytes += log.sizes.at(-1)!;
      // Through JSON, as on Redis: a later change of the caller's object cannot reach the log.
      const stored = { ...JSON.parse(json), executionId: log.executionId } as ExecutionEvent;
      if (isTerminal(stored.type)) log.end = seq;
      return stored;
    });
    log.events.push(...events);
    log.head += events.length;
    trim(log, bounds);
    if (log.end > 0) expire(log);
    const announcement = { epoch: log.epoch, events };
    queueMicrotask(() => {
      for (const listener of listeners.get(log.executionId) ?? []) listener.onAnnouncement(announcement);
    });
  }

  function expire(log: MemoryLog): void {
    const timer = setTimeout(
      () => {
        expiries.delete(timer);
        if (logs.get(log.executionId) === log) logs.delete(log.executionId);
      },
      Math.min(bounds.keepEndedMs, LONGEST_TIMER_MS),
    );
    timer.unref();
    expiries.add(timer);
  }

  function open(executionId: string, request: OpenRequest): OpenResult {
    const log = logs.get(executionId);
    const { lost } = request;
    if (!log && request.takeoverCursor !== undefined)
      return { outcome: 'superseded', attempt: request.attempt };
    if (!log) return opened(begin(executionId, request), true, lost !== undefined);
    if (log.numbering !== request.numbering) return { outcome: 'wrong-numbering', numbering: log.numbering };
    if (request.fence !== undefined && request.fence < log.fence) return { outcome: 'fenced' };
    log.fence = Math.max(log.fence, request.fence ?? 0);
    if (log.end > 0) return { outcome: 'ended', head: headOf(log) };
    if (request.attempt < log.attempt || (isRelay(request) && publishes(log))) {
      return { outcome: 'superseded', attempt: log.attempt };
    }
    if (lost && log.epoch === lost.epoch && log.head < lost.acknowledged) {
      const next = begin(executionId, request);
      next.fence = log.fence;
      if (isWitness(request)) next.publisher = log.publisher;
      return opened(next, true, true);
    }
    if (isWitness(request)) return opened(log, log.epoch !== lost?.epoch, false);
    const holds = log.publisher === request.publisher;
    const newer = request.attempt > log.attempt;
    if (!holds && !newer && !isFree(log, request)) return { outcome: 'superseded', attempt: log.attempt };
    log.publisher = request.publisher;
    log.attempt = request.attempt;
    if (newer && log.numbering === 'auto' && log.head > 0) {
      add(log, [{ type: 'reset', ts: timestamp(), data: { reason: 'attempt' } }]);
    }
    if (!holds || newer) log.takenAt = log.head;
    return opened(log, lost !== undefined && log.epoch !== lost.epoch, false);
  }

  /** Answers an open; the first event of an auto log that begins again is its `reset`. */
  function opened(log: MemoryLog, isNewEpoch: boolean, again: boolean): OpenResult {
    if (again && log.numbering === 'auto') {
      add(log, [{ type: 'reset', ts: timestamp(), data: { reason: 'log_lost' } }]);
      log.takenAt = log.head;
    }
    return { outcome: 'opened', head: headOf(log), isNewEpoch };
  }

  function append(executionId: string, request: AppendRequest): AppendResult {
    const first = checkBatch(request.events);
    const fixed = first !== undefined;
    const log = logs.get(executionId);
    if (!log || log.epoch !== request.epoch) return { outcome: 'lost' };
    if (request.fence !== undefined && request.fence < log.fence) return { outcome: 'fenced' };
    if (request.publisher !== undefined && request.publisher !== log.publisher) {
      return { outcome: 'superseded', attempt: log.attempt };
    }
    if (request.attempt !== undefined && request.attempt < log.attempt) {
      return { outcome: 'superseded', attempt: log.attempt };
    }
    if (isRelay(request) && publishes(log)) return { outcome: 'superseded', attempt: log.attempt };
    const known = request.batch === undefined ? undefined : log.batches.get(request.batch);
    if (known) return isSameBatch(known, request) ? { outcome: 'appended', head: known.head } : REUSED;
    if (fixed !== (log.numbering === 'fixed'))
      return { outcome: 'wrong-numbering', numbering: log.numbering };
    let added = request.events;
    if (fixed) {
      if (first > log.head + 1) return { outcome: 'gap', head: log.head };
      const conflict = added.find((event) => event.seq! <= log.head && !stands(log, event));
      if (conflict) return { outcome: 'conflict', seq: conflict.seq! };
      added = added.filter((event) => event.seq! > log.head);
    } else if (log.head < request.acknowledged) {
      return { outcome: 'lost' };
    }
    if (log.end > 0 && added.length > 0) return { outcome: 'ended', end: log.end };
    log.fence = Math.max(log.fence, request.fence ?? 0);
    log.attempt = Math.max(log.attempt, request.attempt ?? 0);
    if (added.length > 0) add(log, added);
    if (request.batch !== undefined) {
      const { batch, batchDigest: digest } = request;
      log.batches.set(batch, { head: log.head, ...(digest !== undefined && { digest }) });
      if (log.batches.size > BATCHES_REMEMBERED) log.batches.delete(log.batches.keys().next().value!);
    }
    log.note = request.note || log.note;
    return { outcome: 'appended', head: log.head };
  }

  function read(executionId: string, after: number, limit: number): LogPage | undefined {
    const log = logs.get(executionId);
    if (!log) return undefined;
    const first = log.events[0]?.seq ?? 1;
    const from = Math.max(0, after + 1 - first);
    return { ...headOf(log), events: log.events.slice(from, from + limit) };
  }

  return {
    ...createMemoryLiveness(),
    ...createMemoryLeases((executionId) => logs.get(executionId)?.fence ?? 0),
    open: async (executionId, request) => open(executionId, request),
    append: async (executionId, request) => append(executionId, request),
    read: async (executionId, after, limit) => read(executionId, after, limit),
    head: async (executionId) => {
      const log = logs.get(executionId);
      return log && headOf(log);
    },
    findBatch: async (executionId, batch) => logs.get(executionId)?.batches.get(batch),
    listen: async (executionId, listener) => {
      const known = listeners.get(executionId) ?? new Set();
      listeners.set(executionId, known.add(listener));
      return async () => {
        known.delete(listener);
        if (known.size === 0 && listeners.get(executionId) === known) listeners.delete(executionId);
      };
    },
    ping: async () => {},
    close: async () => {
      for (const timer of expiries) clearTimeout(timer);
      listeners.clear();
    },
  };
}

function headOf({ epoch, head, numbering, attempt, end, publisher, note }: MemoryLog): LogHead {
  const published = publisher !== undefined;
  return { epoch, head, numbering, attempt, end, hasPublisher: published, ...(note !== '' && { note }) };
}

/** A server that has seen more of the log than is left of it publishes nothing, and leaves it to whoever does. */
function isWitness({ numbering, fence, publisher, lost }: OpenRequest): boolean {
  return numbering === 'auto' && fence === undefined && publisher === undefined && lost !== undefined;
}

/** Whether a log may be taken from its holder within an attempt. */
function isFree(
  { publisher, head, epoch, takenAt }: MemoryLog,
  { takeoverCursor: takesAt }: OpenRequest,
): boolean {
  if (takesAt !== undefined) return takesAt === formatCursor(head, epoch);
  return publisher === undefined || head <= takenAt;
}

/** A relay names its token and no publisher. It never gets in the way of a publisher. */
function isRelay({ fence, publisher }: Pick<OpenRequest, 'fence' | 'publisher'>): boolean {
  return fence !== undefined && publisher === undefined;
}

function publishes({ numbering, publisher }: MemoryLog): boolean {
  return numbering === 'auto' && publisher !== undefined;
}

/** Whether an event of a fixed log stands there already; one that was trimmed passes for the same. */
function stands(log: MemoryLog, event: NewEvent & { readonly seq?: number }): boolean {
  const stored = log.events[event.seq! - (log.events[0]?.seq ?? 1)];
  if (!stored || stored.seq !== event.seq) return true;
  return stored.type === event.type && JSON.stringify(stored.data) === JSON.stringify(event.data);
}

const REUSED: AppendResult = { outcome: 'batch-reused' };

function isSameBatch({ digest }: KnownBatch, { batchDigest = digest }: AppendRequest): boolean {
  return digest === undefined || digest === batchDigest;
}

/** Lets go of the oldest events above the bounds. The last event always stays. */
function trim(log: MemoryLog, bounds: LogBounds): void {
  let drop = 0;
  while (
    drop < log.events.length - 1 &&
    (log.events.length - drop > bounds.maxEvents || log.bytes > bounds.maxBytes)
  ) {
    log.bytes -= log.sizes[drop]!;
    drop += 1;
  }
  log.events.splice(0, drop);
  log.sizes.splice(0, drop);
}
