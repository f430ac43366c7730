// The viewers of one turn: raw sockets, an HTTP/1.1 request each, and for each viewer what it should get next.
import { connect, type Socket } from 'node:net';
import type { Latencies } from './latencies.ts';
import { type WireListener, WireReader } from './wire.ts';

/** One execution that is watched. */
export interface Watched {
  /** Number of the last event published. */
  published: number;
  /** Its viewers that read. */
  readers: number;
}

export interface CrowdOptions {
  readonly port: number;
  readonly latencies: Latencies;
  /** A viewer that reads has got an event, for the first time. */
  onReceived(execution: Watched, n: number): void;
}

/** Frames of all viewers so far. */
export interface Tally {
  frames: number;
  /** Of viewers that are not slow. */
  framesOfReaders: number;
  bytes: number;
  /** Numbers that were skipped. */
  lost: number;
  /** Numbers that came again, or after a later one. */
  repeated: number;
  /** Connections that broke or ended. */
  broken: number;
}

/** How many connections are opened at a time. */
const AT_A_TIME = 100;
const OPEN_WITHIN_MS = 60_000;

/** All reads go through here: what is read is done with before the next one. */
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
   * Opens one viewer for each request; resolves when all heads have arrived.
   * @throws Error where one is refused or does not come.
   */
  async open(viewers: readonly { execution: Watched; request: string; next: number }[]): Promise<void> {
    const left = [...viewers].reverse();
    const openOnes = async () => {
      for (let one = left.pop(); one; one = left.pop()) {
        const viewer = new Viewer(one.execution, one.next, this.tally, this.#options);
        this.#viewers.push(viewer);
        await viewer.open(one.request);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, openOnes));
  }

  /** Lets a share of the viewers, spread evenly, read no more. */
  stopReading(share: number): number {
    const every = Math.round(1 / share);
    const slow = this.#viewers.filter((_, index) => index % every === 0);
    for (const viewer of slow) viewer.stopReading();
    return slow.length;
  }

  /** Counts what readers have not got by now as lost. */
  countMissing(): void {
    for (const viewer of this.#viewers) viewer.countMissing();
  }

  close(): void {
    for (const viewer of this.#viewers) viewer.close();
    this.#viewers.length = 0;
  }
}

class Viewer implements WireListener {
  /** The number that it should get next. */
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
      const timer = setTimeout(() => this.#opened?.(new Error('the server does not answer')), OPEN_WITHIN_MS);
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

  /** By a reset: a connection that is closed in good order keeps its port for a minute. */
  close(): void {
    this.#isClosed = true;
    this.#socket?.resetAndDestroy();
  }

  onHead(status: number): void {
    this.#opened?.(status === 200 ? undefined : new Error(`the server answers ${status}`));
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
