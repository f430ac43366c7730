// The connection of `pg`, the Postgres driver, to PGlite in its thread: what a socket is to a server.
import { Duplex } from 'node:stream';

type Callback = (error?: Error | null) => void;

/** A protocol message that ends a session, and that only a server process has a use for. */
const TERMINATE = 0x58;

export class PGliteStream extends Duplex {
  readonly #send: (bytes: Uint8Array) => void;

  /** @param send Is passed a copy of the bytes that it may keep. */
  constructor(send: (bytes: Uint8Array) => void) {
    super();
    this.#send = send;
  }

  /** Emits `connect`, unless the stream has been destroyed by then. */
  connect(): this {
    setImmediate(() => this.destroyed || this.emit('connect'));
    return this;
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: string, done: Callback): void {
    if (bytes[0] !== TERMINATE) this.#send(new Uint8Array(bytes));
    done();
  }

  /** The driver corks the messages of one query, so that they arrive here together and are sent as one. */
  override _writev(writes: { chunk: Buffer }[], done: Callback): void {
    this._write(Buffer.concat(writes.map(({ chunk }) => chunk)), '', done);
  }

  override _final(done: Callback): void {
    this.push(null);
    done();
  }

  // What the driver calls on a socket.
  setNoDelay = (): this => this;
  setKeepAlive = (): this => this;
  ref = (): this => this;
  unref = (): this => this;
}
