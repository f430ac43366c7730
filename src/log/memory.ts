// The log of one process, in memory: the embedded default, under the same contract as the log in Redis.
import { MAX_TIMER_MS } from '../async/timeout.ts';
import { createMemoryLeases } from '../coordination/lease.ts';
import { createMemoryLiveness } from '../coordination/liveness.ts';
import { formatCursor } from '../event/cursor.ts';
import { type NewEvent, timestamp } from '../event/events.ts';
import { checkBatch } from './append-batch.ts';
import {
  type AppendRequest,
  type AppendResult,
  DEFAULT_BOUNDS,
  type EventLog,
  type LogBounds,
  type LogListener,
  type OpenRequest,
  type OpenResult,
} from './log.ts';
import { MemoryLog } from './memory-log.ts';

/** Creates an empty log. Its contents end with the process. */
export function createMemoryLog(bounds: LogBounds = DEFAULT_BOUNDS): EventLog {
  const logs = new MemoryLogs(bounds);
  return {
    ...createMemoryLiveness(),
    ...createMemoryLeases((executionId) => logs.get(executionId)?.fence ?? 0),
    open: async (executionId, request) => logs.open(executionId, request),
    append: async (executionId, request) => logs.append(executionId, request),
    read: async (executionId, after, limit) => logs.get(executionId)?.readPage(after, limit),
    head: async (executionId) => logs.get(executionId)?.toHead(),
    findBatch: async (executionId, batch) => logs.get(executionId)?.findBatch(batch),
    listen: async (executionId, listener) => {
      logs.addListener(executionId, listener);
      return async () => logs.removeListener(executionId, listener);
    },
    ping: async () => {},
    close: async () => logs.close(),
    [Symbol.asyncDispose]: async () => logs.close(),
  };
}

class MemoryLogs {
  readonly #limits: LogBounds;
  readonly #logs = new Map<string, MemoryLog>();
  readonly #listeners = new Map<string, Set<LogListener>>();
  readonly #expiryTimers = new Set<NodeJS.Timeout>();

  constructor(limits: LogBounds) {
    this.#limits = limits;
  }

  get(executionId: string): MemoryLog | undefined {
    return this.#logs.get(executionId);
  }

  addListener(executionId: string, listener: LogListener): void {
    const listeners = this.#listeners.get(executionId) ?? new Set();
    this.#listeners.set(executionId, listeners.add(listener));
  }

  removeListener(executionId: string, listener: LogListener): void {
    const listeners = this.#listeners.get(executionId);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#listeners.delete(executionId);
  }

  close(): void {
    for (const timer of this.#expiryTimers) clearTimeout(timer);
    this.#listeners.clear();
  }

  open(executionId: string, request: OpenRequest): OpenResult {
    const log = this.#logs.get(executionId);
    const { lost, takeoverCursor } = request;
    if (!log) {
      if (takeoverCursor !== undefined) return { outcome: 'superseded', attempt: request.attempt };
      return this.#begin(executionId, request);
    }
    if (log.numbering !== request.numbering) return { outcome: 'wrong-numbering', numbering: log.numbering };
    if (request.fence !== undefined && request.fence < log.fence) return { outcome: 'fenced' };
    log.fence = Math.max(log.fence, request.fence ?? 0);
    if (isOfOtherRow(log, request)) {
      const isStale = lost !== undefined || takeoverCursor !== undefined;
      return isStale
        ? { outcome: 'superseded', attempt: log.attempt }
        : this.#begin(executionId, request, log);
    }
    log.incarnation ??= request.incarnation;
    if (log.end > 0) return { outcome: 'ended', head: log.toHead() };
    if (request.attempt < log.attempt || (isRelay(request) && log.isHeldByPublisher)) {
      return { outcome: 'superseded', attempt: log.attempt };
    }
    if (lost && log.epoch === lost.epoch && log.head < lost.acknowledged) {
      return this.#begin(executionId, request, log);
    }
    const isNewEpoch = lost !== undefined && log.epoch !== lost.epoch;
    if (!isReport(request) && !this.#take(log, request)) {
      return { outcome: 'superseded', attempt: log.attempt };
    }
    return { outcome: 'opened', head: log.toHead(), isNewEpoch };
  }

  append(executionId: string, request: AppendRequest): AppendResult {
    const first = checkBatch(request.events);
    const log = this.#logs.get(executionId);
    if (!log || log.epoch !== request.epoch) return { outcome: 'lost' };
    const rejection = rejectWriter(log, request);
    if (rejection) return rejection;
    const { batch, batchDigest, note } = request;
    const known = batch === undefined ? undefined : log.findBatch(batch);
    if (known) {
      const isReused =
        known.digest !== undefined && batchDigest !== undefined && known.digest !== batchDigest;
      return isReused ? { outcome: 'batch-reused' } : { outcome: 'appended', head: known.head };
    }
    if ((first !== undefined) !== (log.numbering === 'fixed')) {
      return { outcome: 'wrong-numbering', numbering: log.numbering };
    }
    if (first === undefined && log.head < request.acknowledged) return { outcome: 'lost' };
    if (first !== undefined && first > log.head + 1) return { outcome: 'gap', head: log.head };
    const conflict = first === undefined ? undefined : log.findConflict(request.events);
    if (conflict) return { outcome: 'conflict', seq: conflict.seq! };
    const added = first === undefined ? request.events : request.events.slice(log.head + 1 - first);
    if (log.end > 0 && added.length > 0) return { outcome: 'ended', end: log.end };
    log.fence = Math.max(log.fence, request.fence ?? 0);
    log.attempt = Math.max(log.attempt, request.attempt ?? 0);
    if (added.length > 0) this.#add(log, added);
    if (batch !== undefined) log.rememberBatch(batch, batchDigest);
    log.note = note || log.note;
    return { outcome: 'appended', head: log.head };
  }

  /** Starts an epoch. The first event of an auto log in place of a former one is its `reset`. */
  #begin(executionId: string, request: OpenRequest, former?: MemoryLog): OpenResult {
    const { lost } = request;
    // Nobody has received anything of an empty log.
    const replaced = former && former.head > 0 ? 'run' : undefined;
    const reason = lost ? (lost.reason ?? 'log_lost') : replaced;
    const log = new MemoryLog(executionId, request, reason);
    if (former) log.fence = former.fence;
    if (former && lost && isReport(request)) log.publisher = former.publisher;
    this.#logs.set(executionId, log);
    if (reason && log.numbering === 'auto') {
      this.#add(log, [{ type: 'reset', ts: timestamp(), data: { reason } }]);
      log.takenAt = log.head;
    }
    return { outcome: 'opened', head: log.toHead(), isNewEpoch: true };
  }

  /** Makes the requesting publisher or relay the holder. @returns whether the request may have the log */
  #take(log: MemoryLog, request: OpenRequest): boolean {
    const isHolder = log.publisher === request.publisher;
    const isNewer = request.attempt > log.attempt;
    if (!isHolder && !isNewer && !isFree(log, request)) return false;
    log.publisher = request.publisher;
    log.attempt = request.attempt;
    if (isNewer && log.numbering === 'auto' && log.head > 0) {
      this.#add(log, [{ type: 'reset', ts: timestamp(), data: { reason: 'attempt' } }]);
    }
    if (!isHolder || isNewer) log.takenAt = log.head;
    return true;
  }

  #add(log: MemoryLog, added: readonly NewEvent[]): void {
    const { executionId, epoch } = log;
    const announcement = { epoch, events: log.add(added, this.#limits) };
    if (log.end > 0) this.#expire(log);
    queueMicrotask(() => {
      for (const listener of this.#listeners.get(executionId) ?? []) listener.onAnnouncement(announcement);
    });
  }

  #expire(log: MemoryLog): void {
    const expire = () => {
      this.#expiryTimers.delete(timer);
      if (this.#logs.get(log.executionId) === log) this.#logs.delete(log.executionId);
    };
    const timer = setTimeout(expire, Math.min(this.#limits.keepEndedMs, MAX_TIMER_MS));
    timer.unref();
    this.#expiryTimers.add(timer);
  }
}

/** Rejects an append by an older relay or attempt, by another publisher, and by a relay in a publisher's log. */
function rejectWriter(log: MemoryLog, request: AppendRequest): AppendResult | undefined {
  const { fence, publisher, attempt } = request;
  if (fence !== undefined && fence < log.fence) return { outcome: 'fenced' };
  const isSuperseded =
    (publisher !== undefined && publisher !== log.publisher) ||
    (attempt !== undefined && attempt < log.attempt) ||
    (isRelay(request) && log.isHeldByPublisher);
  return isSuperseded ? { outcome: 'superseded', attempt: log.attempt } : undefined;
}

/**
 * A server that has read more of the log than is left of it, or another row than that of the log. It does not publish:
 * the log stays with its holder.
 */
function isReport({ numbering, fence, publisher, lost, incarnation, takeoverCursor }: OpenRequest): boolean {
  const isWriter = fence !== undefined || publisher !== undefined || takeoverCursor !== undefined;
  return numbering === 'auto' && !isWriter && (lost !== undefined || incarnation !== undefined);
}

/** Whether a log belongs to a row that was deleted, and the request to the one that replaced it. */
function isOfOtherRow(log: MemoryLog, { incarnation }: OpenRequest): boolean {
  return incarnation !== undefined && (log.incarnation ?? incarnation) !== incarnation;
}

/** Whether a log may be taken from its holder within an attempt. */
function isFree({ publisher, head, epoch, takenAt }: MemoryLog, { takeoverCursor }: OpenRequest): boolean {
  if (takeoverCursor !== undefined) return takeoverCursor === formatCursor(head, epoch);
  return publisher === undefined || head <= takenAt;
}

/** A relay names its fencing token and no publisher. It never writes to an auto log that a publisher holds. */
function isRelay({ fence, publisher }: Pick<OpenRequest, 'fence' | 'publisher'>): boolean {
  return fence !== undefined && publisher === undefined;
}
