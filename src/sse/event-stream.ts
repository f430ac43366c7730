// One open event stream: writes its source's frames as fast as the client reads, sends heartbeats when idle, and ends
// cleanly with its source, or unfinished so that the client reconnects.
//
// Invariants (test/sse)
// 1. Frames are taken from the source only while the sink is ready: a client that does not read costs one write, however
//    far it falls behind, and what it has not read remains in the source.
// 2. A rotation writes no frames and no final frame, and breaks the connection: the response never looks complete, and
//    the client reconnects with the cursor of what it has received.
// 3. However it ends, the source is closed and no timer remains.
// 4. An error of a source breaks its own stream, so that the client reconnects, and no other stream.
// 5. A stream with much to write yields to the event loop, and so to other streams, after 256 KiB.
import type { Frame } from './frame.ts';
import type { Sink } from './sink.ts';
import type { StreamFormat } from './stream-format.ts';
import type { EventStreamSettings } from './stream-settings.ts';

/** Bytes requested from a source at a time. */
const WRITE_BYTES = 64 * 1024;
/** Bytes written before other streams take their turn, because executing and encoding them takes time. */
const TURN_BYTES = 256 * 1024;

/** Where a stream's frames come from. */
export interface FrameSource {
  readonly format: StreamFormat;
  /** The available frames as one, of about this many bytes; undefined if there are none. */
  take(bytes: number): Frame | undefined;
  /** Woken when it is worth calling `take` again; once for each time that it is set. */
  waiter: { wake(): void } | undefined;
  /** Whether no frame will follow. */
  readonly ended: boolean;
  /** The cursor after events that the filter skipped, if it has advanced since the last frame; marks it as sent. */
  takeSkippedCursor(): string | undefined;
  /** The frame that ends the protocol, as GraphQL's `complete`; undefined if the last frame has done so. */
  finalFrame(): Frame | undefined;
  close(): void;
}

/** What an owner of streams does for each of them. */
export interface EventStreamHooks {
  /** Calls `advance` soon, together with the other streams of this tick. */
  schedule(stream: EventStream): void;
  onClosed(stream: EventStream): void;
  onWritten(bytes: number): void;
  /** Receives what a source has thrown. */
  onError(error: unknown): void;
}

export class EventStream {
  readonly #source: FrameSource;
  readonly #settings: EventStreamSettings;
  readonly #hooks: EventStreamHooks;
  readonly #lifetime: NodeJS.Timeout;
  #heartbeat: NodeJS.Timeout;
  /** When the last frame or comment was written. */
  #quietSince = nowInMs();
  #sink: Sink | undefined;
  #rotated = false;
  #closed = false;
  #isHeartbeatDue = false;
  /** When the sink stopped accepting frames, in ms of `performance.now()`. */
  #fullSince: number | undefined;
  /** Bytes since `#countedFrom`. */
  #sentBytes = 0;
  #countedFrom = performance.now();
  /** Set while the rate limit holds the stream back. */
  #throttle: NodeJS.Timeout | undefined;

  constructor(source: FrameSource, settings: EventStreamSettings, hooks: EventStreamHooks) {
    this.#source = source;
    this.#settings = settings;
    this.#hooks = hooks;
    const { lifetimeMs, heartbeatMs } = settings;
    this.#lifetime = setTimeout(() => this.rotate(), lifetimeMs * (0.8 + Math.random() / 5)).unref();
    this.#heartbeat = setTimeout(this.#onHeartbeat, heartbeatMs).unref();
  }

  /** Starts to write. */
  attach(sink: Sink): void {
    if (this.#closed) {
      sink.abort();
      return;
    }
    this.#sink = sink;
    sink.write(this.#source.format.opening(this.#settings.retryMs));
    this.advance();
  }

  /** Schedules `advance`: a frame may be available, or the sink ready. */
  wake(): void {
    this.#hooks.schedule(this);
  }

  /** Writes the available frames, for as long as the sink is ready. */
  advance(): void {
    const sink = this.#sink;
    if (this.#closed || !sink || this.#throttle) return;
    try {
      if (this.#rotated) this.#interrupt(sink);
      else this.#advance(sink);
    } catch (error) {
      this.#interrupt(sink);
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
        if (this.#throttle) return;
        written += frame.length;
      } else if (this.#source.ended) {
        this.#finish(sink);
        return;
      } else if (this.#isHeartbeatDue) {
        this.#isHeartbeatDue = false;
        sink.write(this.#source.format.heartbeat(this.#source.takeSkippedCursor()));
      } else {
        this.#source.waiter = this;
        return;
      }
    }
    this.#fullSince ??= performance.now();
  }

  /** Breaks the connection so that the client reconnects. The execution has not ended. */
  rotate(): void {
    this.#rotated = true;
    clearTimeout(this.#throttle);
    this.#throttle = undefined;
    this.advance();
  }

  /** Releases everything. Called when the connection has gone. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#lifetime);
    clearTimeout(this.#heartbeat);
    clearTimeout(this.#throttle);
    this.#source.waiter = undefined;
    this.#source.close();
    this.#hooks.onClosed(this);
  }

  #write(sink: Sink, frame: Frame): void {
    sink.write(frame);
    // The heartbeat's timer checks this when it fires: restarting it with each frame would cost more.
    this.#quietSince = nowInMs();
    this.#isHeartbeatDue = false;
    this.#hooks.onWritten(frame.length);
    this.#sentBytes += frame.length;
    if (this.#sentBytes > this.#settings.bytesPerSecond) this.#pauseUntilNextSecond();
  }

  /** The limit was reached in less than a second: the remainder of that second belongs to the other streams. */
  #pauseUntilNextSecond(): void {
    const now = performance.now();
    const pauseMs = this.#countedFrom + 1_000 - now;
    this.#sentBytes = 0;
    this.#countedFrom = Math.max(now, this.#countedFrom + 1_000);
    if (pauseMs <= 0) return;
    this.#throttle = setTimeout(() => {
      this.#throttle = undefined;
      this.advance();
    }, pauseMs).unref();
  }

  readonly #onHeartbeat = (): void => {
    const { heartbeatMs, stalledMs } = this.#settings;
    const remainingMs = this.#quietSince + heartbeatMs - nowInMs();
    const isDue = remainingMs <= 0;
    if (isDue) this.#quietSince = nowInMs();
    this.#heartbeat = setTimeout(this.#onHeartbeat, isDue ? heartbeatMs : remainingMs).unref();
    if (!isDue) return;
    this.#isHeartbeatDue = true;
    if (this.#fullSince !== undefined && performance.now() - this.#fullSince >= stalledMs) {
      this.close();
      this.#sink!.abort();
    } else {
      this.advance();
    }
  };

  #finish(sink: Sink): void {
    // A sink may close the stream while it writes.
    if (this.#closed) return;
    this.#writeSkippedCursor(sink);
    const final = this.#source.finalFrame();
    if (final) sink.write(final);
    this.close();
    sink.end();
  }

  /** A client that is not reading receives nothing more, and resumes with the cursor of what it has read. */
  #interrupt(sink: Sink): void {
    if (this.#closed) return;
    const isReading = sink.ready;
    if (isReading) this.#writeSkippedCursor(sink);
    this.close();
    if (isReading) sink.interrupt();
    else sink.abort();
  }

  #writeSkippedCursor(sink: Sink): void {
    const cursor = this.#source.takeSkippedCursor();
    const frame = cursor === undefined ? undefined : this.#source.format.cursor(cursor);
    if (frame) sink.write(frame);
  }
}

/** `performance.now()` in integers, rounded up: each fraction would be a heap object per stream. */
function nowInMs(): number {
  return Math.ceil(performance.now());
}
