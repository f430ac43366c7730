// The viewers of one server: raw sockets with one HTTP/1.1 request each, and the next expected event of every
// viewer.
import { connect, type Socket } from 'node:net';
import type { Latencies } from './latencies.ts';
import { type WireListener, WireReader } from './wire.ts';

/** One execution that is watched. */
export interface Watched {
  /** The number of the last published event. */
  published: number;
  /** The number of its viewers that read. */
  readers: number;
}

export interface CrowdOptions {
  readonly port: number;
  readonly latencies: Latencies;
  /** Called when a viewer that reads has received an event for the first time. */
  onReceived(execution: Watched, n: number): void;
}

/** Totals of all viewers. */
export interface Tally {
  frames: number;
  /** Frames of viewers that are not slow. */
  framesOfReaders: number;
  bytes: number;
  /** Events that were skipped. */
  lost: number;
  /** Events that arrived again, or after a later one. */
  repeated: number;
  /** Connections that broke or were closed by the server. */
  broken: number;
}

/** The maximum number of connections that are being opened. */
const MAX_OPENING = 100;
const OPEN_TIMEOUT_MS = 60_000;

/** Shared by all reads: data are processed before the next read. */
const BUFFER = Buffer.allocUnsafeSlow(256 * 1024);

export class Crowd {
  readonly tally: Tally = { frames: 0, framesOfReaders: 0, bytes: 0, lost: 0, repeated: 0, broken: 0 };
  readonly #options: CrowdOptions;
  readonly #viewers: Viewer[] = [];

  constructor(options: CrowdOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#viewers.length;
  }

  /**
   * Opens one viewer per request; resolves once all response heads have arrived.
   * @throws Error if a request is rejected or times out.
   */
  async open(viewers: readonly { execution: Watched; request: string; next: number }[]): Promise<void> {
    const remaining = [...viewers].reverse();
    const openNext = async () => {
      for (let each = remaining.pop(); each; each = remaining.pop()) {
        const viewer = new Viewer(each.execution, each.next, this.tally, this.#options);
        this.#viewers.push(viewer);
        await viewer.open(each.request);
      }
    };
    await Promise.all(Array.from({ length: MAX_OPENING }, openNext));
  }

  /** Stops reading in a share of the viewers, spread evenly. */
  stopReading(share: number): number {
    const every = Math.round(1 / share);
    const slow = this.#viewers.filter((_, index) => index % every === 0);
    for (const viewer of slow) viewer.stopReading();
    return slow.length;
  }

  /** Counts events that readers have not received by now as lost. */
  countMissing(): void {
    for (const viewer of this.#viewers) viewer.countMissing();
  }

  close(): void {
    for (const viewer of this.#viewers) viewer.close();
    this.#viewers.length = 0;
  }
}

class Viewer implements WireListener {
  /** The number of the event that it expects next. */
  next: number;
  isSlow = false;
  readonly #execution: Watched;
  readonly #tally: Tally;
  readonly #options: CrowdOptions;
  readonly #reader = new WireReader(this);
  #socket: Socket | undefined;
  #isClosed = false;
  #opened: ((error?: Error) => void) | undefined;
  #nowUs = 0;

  constructor(execution: Watched, next: number, tally: Tally, options: CrowdOptions) {
    this.#execution = execution;
    this.next = next;
    this.#tally = tally;
    this.#options = options;
  }

  async open(request: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => this.#opened?.(new Error('the server does not respond')),
        OPEN_TIMEOUT_MS,
      );
      this.#opened = (error) => {
        clearTimeout(timer);
        this.#opened = undefined;
        if (error) reject(error);
        else resolve();
      };
      const onread = { buffer: BUFFER, callback: (length: number) => this.#read(length) };
      this.#socket = connect({ host: '127.0.0.1', port: this.#options.port, noDelay: true, onread });
      this.#socket.on('error', (error) => this.#opened?.(error)).on('close', () => this.#onClose());
      this.#socket.write(request);
    });
    this.#execution.readers += 1;
  }

  stopReading(): void {
    this.isSlow = true;
    this.#execution.readers -= 1;
    this.#socket?.pause();
  }

  countMissing(): void {
    if (this.isSlow) return;
    const { published } = this.#execution;
    this.#tally.lost += published + 1 - this.next;
    this.next = published + 1;
  }

  /** Resets the connection: one that is closed gracefully keeps its port for a minute. */
  close(): void {
    this.#isClosed = true;
    this.#socket?.resetAndDestroy();
  }

  onHead(status: number): void {
    this.#opened?.(status === 200 ? undefined : new Error(`the server responded with ${status}`));
  }

  onFrame(n: number, sentUs: number): void {
    const tally = this.#tally;
    tally.frames += 1;
    if (n < this.next) {
      tally.repeated += 1;
      return;
    }
    tally.lost += n - this.next;
    this.next = n + 1;
    if (this.isSlow) return;
    tally.framesOfReaders += 1;
    this.#options.latencies.add(this.#nowUs - sentUs);
    this.#options.onReceived(this.#execution, n);
  }

  #read(length: number): boolean {
    this.#nowUs = Math.round(performance.now() * 1_000);
    this.#tally.bytes += length;
    this.#reader.read(BUFFER, length);
    return !this.isSlow;
  }

  #onClose(): void {
    this.#opened?.(new Error('the server has closed the connection'));
    if (!this.#isClosed) this.#tally.broken += 1;
  }
}
