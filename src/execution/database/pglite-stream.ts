// Connects `pg`, the Postgres driver, to PGlite in its thread, in place of a socket.
import { Duplex } from 'node:stream';

type Callback = (error?: Error | null) => void;

/** The protocol message that ends a session; only a server process handles it. */
const TERMINATE = 0x58;

export class PGliteStream extends Duplex {
  readonly #send: (bytes: Uint8Array) => void;

  /** @param send receives a copy of the bytes, which it may keep */
  constructor(send: (bytes: Uint8Array) => void) {
    super();
    this.#send = send;
  }

  /** Emits `connect` asynchronously, unless the stream is destroyed first. */
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

  // Methods of a socket that the driver calls.
  setNoDelay = (): this => this;
  setKeepAlive = (): this => this;
  ref = (): this => this;
  unref = (): this => this;
}
