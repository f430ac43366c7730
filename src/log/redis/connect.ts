// One connection to Redis that comes back by itself, and on which every command is bounded in time.
//
// Invariants
// 1. A command that could not be sent within its bound is never sent: nothing queues inside ioredis.
// 2. A command that was sent ends with its answer, the end of its connection, or its bound, whichever is first. A
//    connection on which a command ran into its bound is given up: what comes behind it would wait in vain too.
// 3. The connection is `usable` only once `prepare` went through on it (the subscriber's resubscription).
// 4. It tries again for ever, 2 s apart at most.
import { Redis, type RedisOptions } from 'ioredis';
import { ExecstreamError } from '../../event/error.ts';

export interface ConnectOptions {
  /** A URL, or ioredis' options (Sentinel included). Its `keyPrefix` is not used. */
  readonly redis: string | RedisOptions;
  /** The bound of every call, waiting for the connection included; default 5 s. */
  readonly commandTimeoutMs?: number;
}

export interface Connection {
  readonly redis: Redis;
  /**
   * Waits until the connection is usable, sends, and waits for the answer.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE`; the command may have run all the same if it was sent.
   */
  ask<T>(command: (redis: Redis) => Promise<T>): Promise<T>;
  /** Resolves when the connection is gone. What waits for an answer is rejected. */
  close(): Promise<void>;
}

const DEFAULT_COMMAND_TIMEOUT_MS = 5_000;
const LONGEST_PAUSE_MS = 2_000;
/** How long a connection that is given up may take to say goodbye. */
const GOODBYE_MS = 200;

/**
 * Begins to connect, and returns at once.
 * @param name what CLIENT LIST shows.
 * @param prepare runs on each new connection before any command; where it fails, the connection is given up within
 *   the bound and made anew.
 */
export function connect(
  options: ConnectOptions,
  name: string,
  prepare: (redis: Redis) => Promise<void> = async () => {},
): Connection {
  const boundMs = options.commandTimeoutMs ?? DEFAULT_COMMAND_TIMEOUT_MS;
  const redis = newClient(options.redis, name, boundMs);
  const waiting = new Set<{ send(): void; fail(error: Error): void }>();
  let usable = false;
  let closed = false;
  /** Counts connections, so that a late time-out does not break a newer one. */
  let generation = 0;
  let lastError: Error | undefined;
  let handshake: NodeJS.Timeout | undefined;

  // Without a listener ioredis would print, and Node would throw.
  redis.on('error', (error: Error) => {
    lastError = error;
  });
  redis.on('connect', () => {
    handshake = setTimeout(giveUp, boundMs);
  });
  redis.on('ready', async () => {
    const mine = generation;
    try {
      await prepare(redis);
    } catch {
      return; // The handshake's bound gives this connection up.
    }
    if (closed || mine !== generation) return;
    clearTimeout(handshake);
    usable = true;
    for (const { send } of waiting) send();
  });
  redis.on('close', () => {
    clearTimeout(handshake);
    usable = false;
    generation += 1;
  });
  // ioredis stops for good where a connection could not even be begun.
  redis.on('end', () => {
    if (!closed) setTimeout(() => closed || redis.connect().catch(() => {}), LONGEST_PAUSE_MS).unref();
  });

  function giveUp(): void {
    usable = false;
    if (redis.status === 'connect' || redis.status === 'ready') redis.disconnect(true);
  }

  function ask<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (closed) return reject(unavailable('The connection to Redis is closed'));
      let sentOn: number | undefined;
      const fail = (error: Error) => {
        clearTimeout(timer);
        waiting.delete(entry);
        reject(error);
      };
      const timer = setTimeout(() => {
        fail(
          sentOn === undefined
            ? unavailable(`Redis could not be reached within ${boundMs} ms`, lastError)
            : unavailable(`Redis did not answer within ${boundMs} ms`),
        );
        if (sentOn === generation) giveUp();
      }, boundMs);
      const send = () => {
        waiting.delete(entry);
        sentOn = generation;
        (async () => command(redis))().then(
          (answer) => {
            clearTimeout(timer);
            resolve(answer);
          },
          (error) => fail(translate(error)),
        );
      };
      const entry = { send, fail };
      if (usable) send();
      else waiting.add(entry);
    });
  }

  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    usable = false;
    clearTimeout(handshake);
    for (const { fail } of waiting) fail(unavailable('The connection to Redis is closed'));
    const open = redis.status === 'connect' || redis.status === 'ready' || redis.status === 'connecting';
    const gone = open
      ? new Promise<void>((resolve) => {
          redis.once('end', resolve);
          setTimeout(resolve, 2 * GOODBYE_MS).unref();
        })
      : undefined;
    redis.disconnect();
    await gone;
  }

  return { redis, ask, close };
}

function newClient(redis: string | RedisOptions, name: string, boundMs: number): Redis {
  const given = typeof redis === 'string' ? {} : redis;
  const options: RedisOptions = {
    ...given,
    connectionName: given.connectionName ?? name,
    keyPrefix: '', // It would reach keys, and not channels.
    connectTimeout: boundMs,
    disconnectTimeout: GOODBYE_MS,
    keepAlive: 10_000,
    enableAutoPipelining: false, // Measured slower.
    enableOfflineQueue: false,
    // Together: what was sent on a connection that broke fails at once, and is never sent again by itself.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // ioredis forgets subscriptions where a connection breaks while it resubscribes; `prepare` does it instead.
    autoResubscribe: false,
    maxLoadingRetryTime: 500,
    disableClientInfo: true,
    retryStrategy: (times) =>
      Math.min(50 * 2 ** Math.min(times, 10), LONGEST_PAUSE_MS) * (0.75 + Math.random() / 4),
    // After a failover this is a replica; a new connection finds the new master.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
  return typeof redis === 'string' ? new Redis(redis, options) : new Redis(options);
}

/** Replies that say that the command or the data is wrong, not that Redis is away. */
const OWN_FAULT = /^(ERR|WRONGTYPE|NOSCRIPT|CROSSSLOT) /;

function translate(error: Error): ExecstreamError {
  if (error instanceof ExecstreamError) return error;
  if (error.name === 'ReplyError' && OWN_FAULT.test(error.message)) {
    return new ExecstreamError('INTERNAL', 'Redis refused a command', { cause: error });
  }
  return unavailable('Redis is not available', error);
}

function unavailable(message: string, cause?: Error): ExecstreamError {
  return new ExecstreamError('SOURCE_UNAVAILABLE', message, { cause });
}
