// The reservations of this process: how many each caller has, which of them wait for a connection, and what each
// connection carries.
//
// Invariants
// 1. A reservation counts for its caller from `reserve` until it expires or its connection is closed, once.
// 2. graphql-sse buffers every result until it is read, so a connection has at most `WINDOW` results that wait to be
//    written, and `MAX_OPERATIONS` operations.
import { Counts } from '../async/counts.ts';
import { Semaphore } from '../async/semaphore.ts';
import { ExecstreamError } from '../event/errors.ts';
import { ANONYMOUS, type Caller, callerKey } from '../execution/permission.ts';

/** Time after which a reservation without a connection expires. */
const CONNECT_MS = 30_000;
/** Reservations without a connection. */
const MAX_WAITING = 10_000;
/** Results of a connection that may wait to be written. */
const WINDOW = 4;
/** Concurrent operations of one reservation. */
const MAX_OPERATIONS = 100;

interface Connection {
  readonly window: Semaphore;
  operations: number;
}

export class ReservationTable {
  readonly #perCaller: number;
  /** Reservations, with or without a connection, by caller. */
  readonly #counts = new Counts();
  /** The timers of reservations without a connection, by token. */
  readonly #waiting = new Map<string, NodeJS.Timeout>();
  /** Connections, open or reserved, by token. */
  readonly #connections = new Map<string, Connection>();

  /** @param perCaller reservations of one caller, with or without a connection */
  constructor(perCaller: number) {
    this.#perCaller = perCaller;
  }

  /**
   * Counts a reservation before it is created.
   * @throws ExecstreamError `CAPACITY`; `TOO_MANY_REQUESTS` if the caller has too many
   */
  reserve(caller: Caller): void {
    if (this.#waiting.size >= MAX_WAITING) {
      throw new ExecstreamError('CAPACITY', 'too many reservations without a connection');
    }
    if (caller !== ANONYMOUS && this.#counts.of(callerKey(caller)) >= this.#perCaller) {
      const detail = `too many open reservations: the limit is ${this.#perCaller} for one caller`;
      throw new ExecstreamError('TOO_MANY_REQUESTS', detail);
    }
    this.#counts.increment(callerKey(caller));
  }

  /** The reservation of a caller was not created, has expired, or its connection is closed. */
  release(caller: Caller): void {
    this.#counts.decrement(callerKey(caller));
  }

  /** Lets a new reservation wait for its connection; calls `onExpired` if none arrives in time. */
  awaitConnection(token: string, onExpired: () => void): void {
    this.#connectionOf(token);
    const expire = () => {
      this.#waiting.delete(token);
      onExpired();
    };
    this.#waiting.set(token, setTimeout(expire, CONNECT_MS).unref());
  }

  /**
   * A response is the connection of this token, or of one without a reservation.
   * @returns whether a reservation waited for it
   */
  connect(token: string): boolean {
    this.#connectionOf(token);
    clearTimeout(this.#waiting.get(token));
    return this.#waiting.delete(token);
  }

  disconnect(token: string): void {
    this.#connections.get(token)?.window.close();
    this.#connections.delete(token);
  }

  /**
   * Counts an operation before it is created, if the token has a connection.
   * @returns whether it was counted
   * @throws ExecstreamError `TOO_MANY_REQUESTS` if the reservation has too many
   */
  beginOperation(token: string): boolean {
    const connection = this.#connections.get(token);
    if (!connection) return false;
    if (connection.operations >= MAX_OPERATIONS) {
      const detail = `too many operations: the limit is ${MAX_OPERATIONS} for one reservation`;
      throw new ExecstreamError('TOO_MANY_REQUESTS', detail);
    }
    connection.operations += 1;
    return true;
  }

  endOperation(token: string): void {
    const connection = this.#connections.get(token);
    if (connection) connection.operations -= 1;
  }

  /** Resolves when a connection takes another result. */
  async room(token: string): Promise<void> {
    await this.#connections.get(token)?.window.acquire();
  }

  /** A result was written to its connection. */
  resultWritten(token: string): void {
    this.#connections.get(token)?.window.release();
  }

  #connectionOf(token: string): Connection {
    const connection = this.#connections.get(token) ?? { window: new Semaphore(WINDOW), operations: 0 };
    this.#connections.set(token, connection);
    return connection;
  }
}
