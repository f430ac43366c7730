// A link to one Redis, or to the master that Sentinels name: it reconnects automatically, and every command on it has a
// timeout.
//
// Invariants
// 1. A command that could not be sent within its timeout is never sent: nothing queues inside ioredis.
// 2. A command that was sent ends with its reply, the end of its connection, or its timeout, whichever is first. If it
//    has had half the link's timeout or longer for its reply, a timeout drops the connection: the commands after it
//    would wait without result too.
// 3. The link is `usable` only after `prepare` has succeeded on the current connection (a subscriber resubscribes).
// 4. It reconnects forever, through the Sentinels each time (redis-client.ts has the delays).
// 5. Replies belong to their commands: a connection on which they got out of step is dropped.
import type { Redis, RedisOptions } from 'ioredis';
import {
  createRedisClient,
  DISCONNECT_TIMEOUT_MS,
  type ReconnectDelay,
  reconnectDelay,
} from './redis-client.ts';
import { toRedisError, unavailable } from './redis-errors.ts';

export interface LinkOptions {
  /** A URL, or ioredis' options (Sentinel included). Its `keyPrefix` is not used. */
  readonly redis: string | RedisOptions;
  /** What CLIENT LIST shows. */
  readonly name: string;
  /** Timeout of every call in ms, waiting for the connection included. */
  readonly timeoutMs: number;
  /**
   * Runs on each new connection before any command. A connection on which it fails is dropped after `timeoutMs`, and
   * the link reconnects.
   */
  readonly prepare?: (redis: Redis) => Promise<void>;
  /** Called when the link becomes usable or unusable. */
  readonly onChange?: () => void;
}

/** A script that ioredis defines as a method of its clients. All its keys are in one slot. */
export interface Script {
  readonly numberOfKeys: number;
  readonly lua: string;
}

export interface Link {
  readonly redis: Redis;
  readonly usable: boolean;
  /**
   * Waits until the link is usable, sends the command, and waits for its reply.
   * @param timeoutMs default: the link's
   * @throws ExecstreamError `SOURCE_UNAVAILABLE`; if the command was sent, Redis may still have run it
   */
  run<T>(command: (redis: Redis) => Promise<T>, timeoutMs?: number): Promise<T>;
  /** Resolves when the connection is closed. Calls that wait are rejected. */
  close(): Promise<void>;
}

/** Starts to connect, and returns immediately. */
export function openLink(options: LinkOptions): Link {
  return new RedisLink(options);
}

type LinkState =
  /** There is no connection, or `prepare` has not succeeded on it. */
  'connecting' | 'usable' | 'closed';

/** An error reply, to which ioredis adds its command. */
interface RejectedCommand extends Error {
  readonly command?: { readonly name: string };
}

/** A call that waits for the link to become usable. */
interface WaitingCall {
  send(): void;
  fail(error: Error): void;
}

class RedisLink implements Link {
  readonly redis: Redis;
  readonly #timeoutMs: number;
  readonly #prepare: (redis: Redis) => Promise<void>;
  readonly #onChange: () => void;
  readonly #reconnectDelay: ReconnectDelay;
  readonly #waiting = new Set<WaitingCall>();
  #state: LinkState = 'connecting';
  /** The number of the current connection, so that a timeout on an earlier one does not drop this one. */
  #generation = 0;
  #lastError: Error | undefined;
  /** The server rejected a setting of the current connection. */
  #isRejected = false;
  /** Drops a connection that does not become usable. */
  #handshakeTimer: NodeJS.Timeout | undefined;
  /** How often ioredis has given up since the link was last usable. */
  #stops = 0;

  constructor({ redis, name, timeoutMs, prepare = async () => {}, onChange = () => {} }: LinkOptions) {
    this.redis = createRedisClient(redis, name, timeoutMs);
    this.#timeoutMs = timeoutMs;
    this.#prepare = prepare;
    this.#onChange = onChange;
    this.#reconnectDelay = reconnectDelay(timeoutMs);
    this.#observe();
  }

  /** Writing to a half-closed socket would lose the command: its `close` event fires later. */
  get usable(): boolean {
    return this.#state === 'usable' && this.redis.stream.writable;
  }

  run<T>(command: (redis: Redis) => Promise<T>, timeoutMs = this.#timeoutMs): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#state === 'closed') return reject(connectionClosed());
      let sent: { readonly generation: number; readonly at: number } | undefined;
      const timer = setTimeout(() => {
        if (sent === undefined) {
          const cause = this.#lastError ?? new Error(`no ${this.#handshake} yet`);
          return call.fail(unavailable(`Redis could not be reached within ${timeoutMs} ms`, cause));
        }
        call.fail(unavailable(`Redis did not respond within ${timeoutMs} ms`));
        const isStuck = performance.now() - sent.at >= this.#timeoutMs / 2;
        if (isStuck && sent.generation === this.#generation) this.#dropConnection();
      }, timeoutMs);
      const call: WaitingCall = {
        send: () => {
          this.#waiting.delete(call);
          sent = { generation: this.#generation, at: performance.now() };
          (async () => command(this.redis))().then(
            (reply) => {
              clearTimeout(timer);
              resolve(reply);
            },
            (error) => call.fail(toRedisError(error)),
          );
        },
        fail: (error) => {
          clearTimeout(timer);
          this.#waiting.delete(call);
          reject(error);
        },
      };
      if (this.usable) call.send();
      else this.#waiting.add(call);
    });
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#handshakeTimer);
    for (const call of this.#waiting) call.fail(connectionClosed());
    const isOpen = ['connect', 'ready', 'connecting'].includes(this.redis.status);
    const ended = new Promise<void>((resolve) => {
      if (!isOpen) return resolve();
      this.redis.once('end', resolve);
      setTimeout(resolve, 2 * DISCONNECT_TIMEOUT_MS).unref();
    });
    this.redis.disconnect();
    await ended;
  }

  #observe(): void {
    const { redis } = this;
    // Without a listener ioredis would print the error.
    redis.on('error', (error: Error) => {
      // A closed connection: the error before it, or the end of the connection, is the cause.
      if (error.message.startsWith("Stream isn't writeable")) return;
      this.#lastError = error;
      // ioredis would use database 0 instead.
      if ((error as RejectedCommand).command?.name === 'select') this.#isRejected = true;
      // ioredis' message for a reply without a command. When a slot leaves a cluster node, the node unsubscribes its
      // channels unasked; ioredis takes that for the reply to the command in flight, and each reply after it belongs
      // to the command before.
      if (error.message.startsWith('Command queue state error')) this.#dropConnection();
    });
    redis.on('connect', () => {
      this.#isRejected = false;
      this.#handshakeTimer = setTimeout(() => this.#dropConnection(), this.#timeoutMs);
    });
    redis.on('ready', () => void this.#onReady());
    redis.on('close', () => {
      clearTimeout(this.#handshakeTimer);
      // Servers that do not understand the client, such as one that expects TLS, close the connection without an error.
      this.#lastError ??= new Error('the server closed the connection');
      if (this.#state === 'usable') this.#state = 'connecting';
      this.#generation += 1;
      this.#onChange();
    });
    redis.on('end', () => this.#onEnd());
  }

  /** What a connection waits for that reports no error. */
  get #handshake(): string {
    if (this.redis.status !== 'connecting') return 'reply of the server to the handshake';
    return this.redis.options.tls ? 'TLS connection' : 'connection';
  }

  async #onReady(): Promise<void> {
    const generation = this.#generation;
    if (this.#isRejected) return; // The handshake timer drops this connection.
    try {
      await this.#prepare(this.redis);
    } catch (error) {
      this.#lastError = error as Error;
      return; // As above.
    }
    if (this.#state === 'closed' || generation !== this.#generation) return;
    clearTimeout(this.#handshakeTimer);
    this.#stops = 0;
    this.#lastError = undefined;
    this.#state = 'usable';
    for (const call of this.#waiting) call.send();
    this.#onChange();
  }

  /**
   * ioredis stops reconnecting if a connection attempt could not start. That includes a Sentinel that reports a
   * failover while another Sentinel is queried for the master, and failovers are when this happens most.
   */
  #onEnd(): void {
    this.#stops += 1;
    if (this.#state === 'closed') return;
    const reconnect = () => {
      if (this.#state !== 'closed') this.redis.connect().catch(() => {});
    };
    setTimeout(reconnect, this.#reconnectDelay(this.#stops)).unref();
  }

  #dropConnection(): void {
    if (this.#state === 'usable') this.#state = 'connecting';
    if (this.redis.status === 'connect' || this.redis.status === 'ready') this.redis.disconnect(true);
  }
}

function connectionClosed(): Error {
  return unavailable('The connection to Redis is closed');
}
