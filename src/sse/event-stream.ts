// One open event stream: what its source has goes out as fast as its client reads, a comment while there is nothing,
// and an end for good or to be taken up again.
//
// Invariants (each with a test in test/sse)
// 1. Frames are taken of the source only while the sink takes more: a client that does not read costs one write,
//    however far it lags, and what it has not read stays the source's.
// 2. A rotation writes no frames and no last words: the client comes back with the cursor of what it was told.
// 3. However it ends, the source is closed and no timer is left.
// 4. What a source throws ends its own stream, to be taken up again, and no other.
// 5. A stream with much to write yields to the event loop, and so to the other streams, after 256 KiB.
import { cursorOnly, type Frame, HEARTBEAT, opening } from './frame.ts';

/** Bytes that are asked of a source at a time. */
const WRITE_BYTES = 64 * 1024;
/** Bytes that are written before other streams have their turn: executing and encoding them takes time. */
const TURN_BYTES = 256 * 1024;

/** Where a stream's frames come from. */
export interface FrameSource {
  /** Frames that are there now, as one, of about this many bytes; undefined while there are none. */
  take(bytes: number): Frame | undefined;
  /** Woken, once for each time that `take` found nothing, when it is worth asking again. */
  waiter: { wake(): void } | undefined;
  /** Whether nothing will follow. */
  readonly ended: boolean;
  /** The cursor, where what was filtered out has moved it on past the one told last; it counts as told then. */
  takeSkippedCursor(): string | undefined;
  /** What tells the client that the execution has ended; undefined where the last frame has told it. */
  finalFrame(): Frame | undefined;
  close(): void;
}

/** Where a stream's frames go. */
export interface Sink {
  /** Whether it takes more. Where it does not, it calls the stream's `wake` or `advance` when it does again. */
  readonly ready: boolean;
  write(frame: Frame): void;
  /** Ends cleanly, behind what was written. */
  end(): void;
  /** Breaks the connection. */
  abort(): void;
}

export interface EventStreamSettings {
  /** What a client is told to wait before it comes back. */
  readonly retryMs: number;
  /** A comment is sent when nothing was for so long. */
  readonly heartbeatMs: number;
  /** A connection is rotated after 80 to 100 % of this time. */
  readonly lifetimeMs: number;
  /** A client that reads nothing for so long is cut off; it may come back. Looked at with each heartbeat. */
  readonly stalledMs: number;
  /** What one stream is sent at most: one that reads an old log back leaves the others their share. */
  readonly bytesPerSecond: number;
  /** Whether connections of Node's HTTP/1.1 are written to past its streams. The bytes are the same. */
  readonly directWrites: boolean;
}

/** What whoever has opened a stream does for it. */
export interface EventStreamHooks {
  /** Calls `advance` soon, together with what else the tick brings. */
  schedule(stream: EventStream): void;
  onClosed(stream: EventStream): void;
  onWritten(bytes: number): void;
  /** Is told what a source has thrown. */
  onError(error: unknown): void;
}

export class EventStream {
  readonly #source: FrameSource;
  readonly #settings: EventStreamSettings;
  readonly #hooks: EventStreamHooks;
  readonly #lifetime: NodeJS.Timeout;
  #heartbeat: NodeJS.Timeout;
  /** When the last frame or comment was written. */
  #quietSince = wholeMs();
  #sink: Sink | undefined;
  #rotated = false;
  #closed = false;
  #beat = false;
  /** When the sink was last found to take no more, in ms of `performance.now()`. */
  #fullSince: number | undefined;
  /** Bytes since `#countedFrom`. */
  #sent = 0;
  #countedFrom = performance.now();
  #resting: NodeJS.Timeout | undefined;

  constructor(source: FrameSource, settings: EventStreamSettings, hooks: EventStreamHooks) {
    this.#source = source;
    this.#settings = settings;
    this.#hooks = hooks;
    const { lifetimeMs, heartbeatMs } = settings;
    this.#lifetime = setTimeout(() => this.rotate(), lifetimeMs * (0.8 + Math.random() / 5)).unref();
    this.#heartbeat = setTimeout(this.#onHeartbeat, heartbeatMs).unref();
  }

  /** Begins to write. */
  attach(sink: Sink): void {
    if (this.#closed) {
      sink.end();
      return;
    }
    this.#sink = sink;
    sink.write(opening(this.#settings.retryMs));
    this.advance();
  }

  /** There may be something to write, soon: with what other streams have. */
  wake(): void {
    this.#hooks.schedule(this);
  }

  /** Writes what is there, for as long as the sink takes it. */
  advance(): void {
    const sink = this.#sink;
    if (this.#closed || !sink || this.#resting) return;
    try {
      if (this.#rotated) this.#finish(sink);
      else this.#advance(sink);
    } catch (error) {
      this.close();
      sink.end();
      this.#hooks.onError(error);
    }
  }

  #advance(sink: Sink): void {
    let written = 0;
    while (sink.ready) {
      this.#fullSince = undefined;
      if (written >= TURN_BYTES) {
        this.wake();
        return;
      }
      const frame = this.#source.take(WRITE_BYTES);
      if (frame) {
        this.#write(sink, frame);
        if (this.#resting) return;
        written += frame.length;
      } else if (this.#source.ended) {
        this.#finish(sink);
        return;
      } else if (this.#beat) {
        this.#beat = false;
        sink.write(this.#movedOn() ?? HEARTBEAT);
      } else {
        this.#source.waiter = this;
        return;
      }
    }
    this.#fullSince ??= performance.now();
  }

  /** Ends so that the client takes it up again: a rotation is not the end of an execution. */
  rotate(): void {
    this.#rotated = true;
    clearTimeout(this.#resting);
    this.#resting = undefined;
    this.advance();
  }

  /** Lets go of everything; the connection has gone. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#lifetime);
    clearTimeout(this.#heartbeat);
    clearTimeout(this.#resting);
    this.#source.waiter = undefined;
    this.#source.close();
    this.#hooks.onClosed(this);
  }

  #write(sink: Sink, frame: Frame): void {
    sink.write(frame);
    // The timer finds out for itself: to put it off with each frame costs more.
    this.#quietSince = wholeMs();
    this.#beat = false;
    this.#hooks.onWritten(frame.length);
    this.#sent += frame.length;
    if (this.#sent > this.#settings.bytesPerSecond) this.#rest();
  }

  /** So much in less than a second: the rest of that second is the other streams'. */
  #rest(): void {
    const now = performance.now();
    const restMs = this.#countedFrom + 1_000 - now;
    this.#sent = 0;
    this.#countedFrom = Math.max(now, this.#countedFrom + 1_000);
    if (restMs <= 0) return;
    this.#resting = setTimeout(() => {
      this.#resting = undefined;
      this.advance();
    }, restMs).unref();
  }

  readonly #onHeartbeat = (): void => {
    const { heartbeatMs, stalledMs } = this.#settings;
    const leftMs = this.#quietSince + heartbeatMs - wholeMs();
    const isDue = leftMs <= 0;
    if (isDue) this.#quietSince = wholeMs();
    this.#heartbeat = setTimeout(this.#onHeartbeat, isDue ? heartbeatMs : leftMs).unref();
    if (!isDue) return;
    this.#beat = true;
    if (this.#fullSince !== undefined && performance.now() - this.#fullSince >= stalledMs) {
      this.close();
      this.#sink!.abort();
    } else {
      this.advance();
    }
  };

  #finish(sink: Sink): void {
    if (this.#closed) return;
    const moved = this.#movedOn();
    if (moved) sink.write(moved);
    const words = this.#source.ended && !this.#rotated ? this.#source.finalFrame() : undefined;
    if (words) sink.write(words);
    this.close();
    sink.end();
  }

  #movedOn(): Frame | undefined {
    const cursor = this.#source.takeSkippedCursor();
    return cursor === undefined ? undefined : cursorOnly(cursor);
  }
}

/**
 * `performance.now()` in whole ms: a fraction would be an object of its own in each stream. Rounded up, so that nothing
 * is taken for older than it is.
 */
function wholeMs(): number {
  return Math.ceil(performance.now());
}
