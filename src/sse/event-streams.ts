// The open event streams of this process: each is the body of a response; they are counted, rotated and drained together.
import { EventStream, type EventStreamHooks, type FrameSource } from './event-stream.ts';
import { EventStreamBody } from './response-body.ts';
import { DEFAULT_STREAM_SETTINGS, type EventStreamSettings } from './stream-settings.ts';
import { WriteScheduler } from './write-scheduler.ts';

/** Streams that a draining server rotates per second, unless its deadline requires a higher rate. */
const ROTATIONS_PER_SECOND = 500;

export class EventStreams {
  readonly #settings: EventStreamSettings;
  readonly #open = new Set<EventStream>();
  readonly #scheduler = new WriteScheduler<EventStream>((stream) => stream.advance());
  readonly #hooks: EventStreamHooks;
  /** Waiting until no stream is open. */
  readonly #waiting: (() => void)[] = [];
  #draining = false;
  /** Streams opened since the process started. */
  opened = 0;
  /** Bytes of frames written since the process started. */
  bytes = 0;

  /** @param onError receives what a source throws: that ends its stream, and no other */
  constructor(settings: Partial<EventStreamSettings> = {}, onError: (error: unknown) => void = () => {}) {
    this.#settings = { ...DEFAULT_STREAM_SETTINGS, ...settings };
    this.#hooks = {
      schedule: (stream) => this.#scheduler.add(stream),
      onClosed: (stream) => {
        this.#open.delete(stream);
        if (this.#open.size === 0) for (const resolve of this.#waiting.splice(0)) resolve();
      },
      onWritten: (bytes) => {
        this.bytes += bytes;
      },
      onError,
    };
  }

  /** Number of open streams. */
  get size(): number {
    return this.#open.size;
  }

  /** Whether the server is shutting down. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Resolves when no stream is open. */
  async idle(): Promise<void> {
    if (this.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Rotates every stream immediately. */
  rotateAll(): void {
    for (const stream of this.#open) stream.rotate();
  }

  /**
   * Rotates every stream, including those that are being opened. The rotations are spread over time, so that the clients
   * do not all reconnect to the next server at the same moment.
   * @param withinMs time until all have ended
   * @default withinMs 0
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
   * Opens a stream as the body of a response.
   * @param signal aborted when the client has disconnected
   */
  open(source: FrameSource, signal: AbortSignal): EventStreamBody {
    const stream = new EventStream(source, this.#settings, this.#hooks);
    this.#open.add(stream);
    this.opened += 1;
    if (this.#draining) stream.rotate();
    return new EventStreamBody(stream, signal, this.#settings.directWrites);
  }
}
