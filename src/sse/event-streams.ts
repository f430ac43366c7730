// The open event streams of this process: each is written from its source as fast as its client reads, kept
// alive while nothing happens, and ended for good or to be taken up again.
//
// Back-pressure: a stream asks its source for bytes when the client has taken the ones before, so a client that
// does not read costs one write, however far it lags.

import { cursorOnly, HEARTBEAT, opening } from './frame.ts';

/** Bytes that are asked of a source at a time. */
const WRITE_BYTES = 64 * 1024;

/** Where a stream's frames come from. */
export interface FrameSource {
  /** Frames that are there now, joined, of about this many bytes; undefined while there are none. */
  take(bytes: number): Uint8Array | undefined;
  /** Called, once for each time that `take` found nothing, when it is worth asking again. */
  onReady: (() => void) | undefined;
  /** Whether nothing will follow. */
  readonly ended: boolean;
  /** The cursor, where what was filtered out has moved it on past the one told last; it counts as told then. */
  moved(): string | undefined;
  /** What tells the client that the execution has ended; undefined where the last frame has told it. */
  lastWords(): Uint8Array | undefined;
  close(): void;
}

export interface EventStreamSettings {
  /** What a client is told to wait before it comes back. */
  readonly retryMs: number;
  /** A comment is sent when nothing was for so long. */
  readonly heartbeatMs: number;
  /** A connection is rotated after 80 to 100 % of this time. */
  readonly lifetimeMs: number;
}

export const DEFAULT_STREAM_SETTINGS: EventStreamSettings = {
  retryMs: 1_000,
  heartbeatMs: 15_000,
  lifetimeMs: 10 * 60_000,
};

export class EventStreams {
  readonly #settings: EventStreamSettings;
  readonly #open = new Set<{ rotate: () => void }>();
  #draining = false;

  constructor(settings: EventStreamSettings = DEFAULT_STREAM_SETTINGS) {
    this.#settings = settings;
  }

  /** How many streams are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Ends every stream in a way that its client takes up again: a rotation is not the end of an execution. */
  rotateAll(): void {
    for (const stream of this.#open) stream.rotate();
  }

  /** Ends every stream so, those too that are still on their way to being opened. */
  drain(): void {
    this.#draining = true;
    this.rotateAll();
  }

  /**
   * Writes a source as the body of a response.
   * @param signal aborted when the client has gone
   */
  open(source: FrameSource, signal: AbortSignal): ReadableStream<Uint8Array> {
    const { retryMs, heartbeatMs, lifetimeMs } = this.#settings;
    let rotated = this.#draining;
    /** Something to do has come up while the stream waited. */
    let resume: () => void = () => {};
    let beat = false;

    const stream = {
      rotate: () => {
        rotated = true;
        resume();
      },
    };
    const lifetime = setTimeout(stream.rotate, lifetimeMs * (0.8 + Math.random() / 5));
    const heartbeat = setInterval(() => {
      beat = true;
      resume();
    }, heartbeatMs);
    lifetime.unref();
    heartbeat.unref();
    const release = () => {
      clearTimeout(lifetime);
      clearInterval(heartbeat);
      signal.removeEventListener('abort', release);
      this.#open.delete(stream);
      source.close();
      resume();
    };
    this.#open.add(stream);
    signal.addEventListener('abort', release);
    if (signal.aborted) release();

    const movedOn = () => {
      const cursor = source.moved();
      return cursor === undefined ? undefined : cursorOnly(cursor);
    };

    return new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(opening(retryMs)),
      pull: async (controller) => {
        while (!signal.aborted) {
          const bytes = rotated ? undefined : source.take(WRITE_BYTES);
          if (bytes) {
            heartbeat.refresh();
            beat = false;
            return controller.enqueue(bytes);
          }
          if (source.ended || rotated) {
            for (const last of [movedOn(), source.ended ? source.lastWords() : undefined]) {
              if (last) controller.enqueue(last);
            }
            release();
            return controller.close();
          }
          if (beat) {
            beat = false;
            return controller.enqueue(movedOn() ?? HEARTBEAT);
          }
          await new Promise<void>((resolve) => {
            resume = resolve;
            source.onReady = resolve;
          });
        }
      },
      cancel: release,
    });
  }
}
