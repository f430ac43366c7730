// The open event streams of this process: opened as the body of a response, counted, rotated and drained together.

import {
  EventStream,
  type EventStreamHooks,
  type EventStreamSettings,
  type FrameSource,
} from './event-stream.ts';
import { EventStreamBody } from './response-body.ts';
import { WriteScheduler } from './write-scheduler.ts';

export const DEFAULT_STREAM_SETTINGS: EventStreamSettings = {
  retryMs: 1_000,
  heartbeatMs: 15_000,
  lifetimeMs: 10 * 60_000,
  stalledMs: 60_000,
  bytesPerSecond: 16 * 1024 * 1024,
  directWrites: true,
};

/** How many streams a draining server rotates a second, where its deadline leaves it the time. */
const ROTATIONS_PER_SECOND = 500;

export class EventStreams {
  readonly #settings: EventStreamSettings;
  readonly #open = new Set<EventStream>();
  readonly #ticks = new WriteScheduler<EventStream>((stream) => stream.advance());
  readonly #hooks: EventStreamHooks;
  #draining = false;
  /** Streams that were opened, and bytes of frames that were written, since the process began. */
  opened = 0;
  bytes = 0;

  /** @param onError is told of a source that fails: that ends its stream, and no other. */
  constructor(settings: Partial<EventStreamSettings> = {}, onError: (error: unknown) => void = () => {}) {
    this.#settings = { ...DEFAULT_STREAM_SETTINGS, ...settings };
    this.#hooks = {
      schedule: (stream) => this.#ticks.add(stream),
      onClosed: (stream) => this.#open.delete(stream),
      onWritten: (bytes) => {
        this.bytes += bytes;
      },
      onError,
    };
  }

  /** How many streams are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Whether the server is on its way down. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Ends every stream in a way that its client takes up again, at once. */
  rotateAll(): void {
    for (const stream of this.#open) stream.rotate();
  }

  /**
   * Ends every stream so, those too that are still on their way to being opened: spread, so that their clients do not
   * all come to the next server at once.
   * @param withinMs all have ended after so long
   */
  drain(withinMs = 0): void {
    this.#draining = true;
    const spreadMs = Math.min(withinMs, (this.#open.size / ROTATIONS_PER_SECOND) * 1_000);
    for (const stream of this.#open) {
      if (spreadMs < 1) stream.rotate();
      else setTimeout(() => stream.rotate(), Math.random() * spreadMs);
    }
  }

  /**
   * Writes a source as the body of a response.
   * @param signal aborted when the client has gone
   */
  open(source: FrameSource, signal: AbortSignal): EventStreamBody {
    const stream = new EventStream(source, this.#settings, this.#hooks);
    this.#open.add(stream);
    this.opened += 1;
    if (this.#draining) stream.rotate();
    return new EventStreamBody(stream, signal, this.#settings.directWrites);
  }
}
