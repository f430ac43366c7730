// The log of one execution in memory: what redis/scripts/*.lua keep in Redis.
//
// Invariants
// 1. The log holds the seqs of `events` without a gap, up to `head`; `bytes` is the sum of their envelopes.
// 2. The last event always stays, however large it is.
import type { EventContent } from '../event/content-state.ts';
import { formatCursor, newEpoch } from '../event/cursor.ts';
import { type ExecutionEvent, isTerminal, type NewEvent, type ResetReason } from '../event/events.ts';
import { completesEnd, openEndOf } from '../event/text.ts';
import {
  type AppendRequest,
  BATCHES_REMEMBERED,
  type KnownBatch,
  type LogBounds,
  type LogHead,
  type LogPage,
  type Numbering,
  type OpenRequest,
} from './log.ts';

type NumberedEvent = AppendRequest['events'][number];

export class MemoryLog {
  readonly executionId: string;
  readonly epoch = newEpoch();
  readonly numbering: Numbering;
  readonly resetReason: ResetReason | undefined;
  attempt: number;
  publisher: string | undefined;
  incarnation: string | undefined;
  /** The head when the current publisher took the log: while it is the head, the publisher has appended nothing. */
  takenAt = 0;
  fence: number;
  head = 0;
  end = 0;
  note = '';
  /** The last batches by name, oldest first. */
  readonly #batches = new Map<string, KnownBatch>();
  /** A suffix of the log: the first one's seq is above 1 once the log was trimmed. */
  readonly #events: ExecutionEvent[] = [];
  readonly #sizes: number[] = [];
  #bytes = 0;
  /** What the next chunk may complete at the end of the text. */
  #openEnd = '';

  /** @param resetReason why the log takes the place of another one */
  constructor(executionId: string, request: OpenRequest, resetReason?: ResetReason) {
    const { numbering, attempt, publisher, incarnation, fence = 0 } = request;
    this.executionId = executionId;
    this.numbering = numbering;
    this.resetReason = resetReason;
    this.attempt = attempt;
    this.publisher = publisher;
    this.incarnation = incarnation;
    this.fence = fence;
  }

  /** Only auto logs are held by a publisher; relays never write to those. */
  get isHeldByPublisher(): boolean {
    return this.numbering === 'auto' && this.publisher !== undefined;
  }

  toHead(): LogHead {
    const { epoch, head, numbering, attempt, end, publisher, resetReason, incarnation, note } = this;
    return {
      epoch,
      head,
      numbering,
      attempt,
      end,
      hasPublisher: publisher !== undefined,
      ...(resetReason && { resetReason }),
      ...(incarnation !== undefined && { incarnation }),
      ...(note !== '' && { note }),
    };
  }

  readPage(after: number, limit: number): LogPage {
    const from = Math.max(0, after + 1 - this.#first);
    return { ...this.toHead(), events: this.#events.slice(from, from + limit) };
  }

  /** Appends events with the next seqs, and removes the oldest ones above the limits. */
  add(added: readonly NewEvent[], limits: LogBounds): readonly ExecutionEvent[] {
    const events = added.map((event, i) => this.#store(event, this.head + 1 + i));
    this.#events.push(...events);
    this.head += events.length;
    this.#trim(limits);
    return events;
  }

  /** The first event of a fixed batch that differs from the stored one, not counting `ts`. Trimmed events count as equal. */
  findConflict(events: readonly NumberedEvent[]): NumberedEvent | undefined {
    return events.find((event) => {
      const stored = this.#events[event.seq! - this.#first];
      if (!stored) return false;
      return stored.type !== event.type || JSON.stringify(stored.data) !== JSON.stringify(event.data);
    });
  }

  findBatch(name: string): KnownBatch | undefined {
    return this.#batches.get(name);
  }

  /** Remembers a batch under the current head; the oldest one is forgotten above the limit. */
  rememberBatch(name: string, digest: string | undefined): void {
    this.#batches.set(name, { head: this.head, ...(digest !== undefined && { digest }) });
    if (this.#batches.size > BATCHES_REMEMBERED) this.#batches.delete(this.#batches.keys().next().value!);
  }

  get #first(): number {
    return this.#events[0]?.seq ?? 1;
  }

  #store({ type, ts, data }: NewEvent, seq: number): ExecutionEvent {
    const completes = this.#joinText({ type, data } as EventContent);
    const position = { id: formatCursor(seq, this.epoch), seq, type, ts, attempt: this.attempt };
    const json = JSON.stringify({ ...position, completes, data });
    const size = Buffer.byteLength(json);
    this.#sizes.push(size);
    this.#bytes += size;
    if (isTerminal(type)) this.end = seq;
    // Through JSON, as in Redis: a later change of the caller's object cannot reach the log.
    return { ...JSON.parse(json), executionId: this.executionId } as ExecutionEvent;
  }

  /** Notes where the text ends. @returns the end of the chunk before, if this one completes it */
  #joinText({ type, data }: EventContent): string | undefined {
    const before = this.#openEnd;
    if (type === 'reset') this.#openEnd = '';
    if (type !== 'llm_chunk') return undefined;
    if (data.content !== '') this.#openEnd = openEndOf(data.content);
    return completesEnd(before, data.content) ? before : undefined;
  }

  #trim({ maxEvents, maxBytes }: LogBounds): void {
    let removed = 0;
    while (
      removed < this.#events.length - 1 &&
      (this.#events.length - removed > maxEvents || this.#bytes > maxBytes)
    ) {
      this.#bytes -= this.#sizes[removed]!;
      removed += 1;
    }
    this.#events.splice(0, removed);
    this.#sizes.splice(0, removed);
  }
}
