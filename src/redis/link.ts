// One link to one Redis, or to the master that Sentinels name: it comes back by itself, and every command on it is
// bounded in time.
//
// Invariants
// 1. A command that could not be sent within its bound is never sent: nothing queues inside ioredis.
// 2. A command that was sent ends with its answer, the end of its connection, or its bound, whichever is first. A
//    connection on which a command waited in vain for half the bound or longer is given up: what comes behind it
//    would wait in vain too.
// 3. The link is `usable` only once `prepare` went through on it (the subscriber's resubscription).
// 4. It tries again for ever, and asks the Sentinels each time: 2 s apart at most, and half the bound, so that a call
//    that begins when Redis is back is answered.
// 5. Answers belong to their commands: a connection on which they got out of step is given up.
import { Redis, type RedisOptions } from 'ioredis';
import { backoff } from '../async/backoff.ts';
import { toExecstreamError, unavailable } from './redis-errors.ts';

export interface LinkOptions {
  /** A URL, or ioredis' options (Sentinel included). Its `keyPrefix` is not used. */
  readonly redis: string | RedisOptions;
  /** What CLIENT LIST shows. */
  readonly name: string;
  /** The bound of every call, waiting for the connection included. */
  readonly timeoutMs: number;
  /**
   * Runs on each new connection before any command; where it fails, the connection is given up within the bound and
   * made anew.
   */
  readonly prepare?: (redis: Redis) => Promise<void>;
  /** Called when the link has become usable, and when it is so no more. */
  readonly onChange?: () => void;
}

/** A script that ioredis makes a method of its clients. All its keys are of one slot. */
export interface Script {
  readonly numberOfKeys: number;
  readonly lua: string;
}

export interface Link {
  readonly redis: Redis;
  readonly usable: boolean;
  /**
   * Waits until the link is usable, sends, and waits for the answer.
   * @param withinMs the bound, where it is not the link's.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE`; the command may have run all the same if it was sent.
   */
  run<T>(command: (redis: Redis) => Promise<T>, withinMs?: number): Promise<T>;
  /** Resolves when the connection is gone. What waits for an answer is rejected. */
  close(): Promise<void>;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
/** How long a connection that is given up may take to say goodbye. */
const GOODBYE_MS = 200;
/** How long one Sentinel may take to name the master, before the next one is asked. */
const SENTINEL_MS = 1_000;

/** Begins to connect, and returns at once. */
export function openLink({ name, timeoutMs: boundMs, ...options }: LinkOptions): Link {
  const { prepare = async () => {}, onChange = () => {} } = options;
  const redis = newClient(options.redis, name, boundMs);
  const pauseMs = pausesWithin(boundMs);
  const waiting = new Set<{ send(): void; fail(error: Error): void }>();
  let usable = false;
  let closed = false;
  /** Counts connections, so that a late time-out does not break a newer one. */
  let generation = 0;
  let lastError: Error | undefined;
  let handshake: NodeJS.Timeout | undefined;
  /** How often ioredis has stopped since the link was usable. */
  let stops = 0;

  // Without a listener ioredis would print, and Node would throw.
  redis.on('error', (error: Error) => {
    lastError = error;
    // ioredis' words for an answer that nobody waits for. A cluster's node takes a subscription back unasked when
    // its slot leaves; a command in flight then gets that for an answer, and the next one its answer.
    if (error.message.startsWith('Command queue state error')) giveUp();
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
    stops = 0;
    usable = true;
    for (const { send } of waiting) send();
    onChange();
  });
  redis.on('close', () => {
    clearTimeout(handshake);
    usable = false;
    generation += 1;
    onChange();
  });
  // ioredis stops for good where a connection could not even be begun: also where a Sentinel tells of a failover
  // while another one is asked for the master, which is when many are.
  redis.on('end', () => {
    stops += 1;
    if (!closed) setTimeout(() => closed || redis.connect().catch(() => {}), pauseMs(stops)).unref();
  });

  /** A connection whose end has come is not written to, though that is told only a moment later. */
  function isUsable(): boolean {
    return usable && redis.stream.writable;
  }

  function giveUp(): void {
    usable = false;
    if (redis.status === 'connect' || redis.status === 'ready') redis.disconnect(true);
  }

  function ask<T>(command: (redis: Redis) => Promise<T>, withinMs = boundMs): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (closed) return reject(unavailable('The connection to Redis is closed'));
      let sentOn: number | undefined;
      let sentAt = 0;
      const fail = (error: Error) => {
        clearTimeout(timer);
        waiting.delete(entry);
        reject(error);
      };
      const timer = setTimeout(() => {
        fail(
          sentOn === undefined
            ? unavailable(`Redis could not be reached within ${withinMs} ms`, lastError)
            : unavailable(`Redis did not answer within ${withinMs} ms`),
        );
        if (sentOn === generation && performance.now() - sentAt >= boundMs / 2) giveUp();
      }, withinMs);
      const send = () => {
        waiting.delete(entry);
        sentOn = generation;
        sentAt = performance.now();
        (async () => command(redis))().then(
          (answer) => {
            clearTimeout(timer);
            resolve(answer);
          },
          (error) => fail(toExecstreamError(error)),
        );
      };
      const entry = { send, fail };
      if (isUsable()) send();
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

  return {
    redis,
    get usable() {
      return isUsable();
    },
    run: ask,
    close,
  };
}

function newClient(redis: string | RedisOptions, name: string, boundMs: number): Redis {
  const given = typeof redis === 'string' ? {} : redis;
  const pauseMs = pausesWithin(boundMs);
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
    retryStrategy: pauseMs,
    // After a failover this is a replica; a new connection finds the new master.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    sentinelRetryStrategy: pauseMs,
    sentinelCommandTimeout: SENTINEL_MS,
    // A master that hangs, or that the Sentinels alone cannot reach, is left as soon as they have made another one.
    failoverDetector: true,
    sentinelReconnectStrategy: pauseMs,
  };
  return typeof redis === 'string' ? new Redis(redis, options) : new Redis(options);
}

/** Makes what tells how many ms to wait before the n-th try to connect again. */
function pausesWithin(boundMs: number): (times: number) => number {
  const pauses = { firstMs: FIRST_PAUSE_MS, maxMs: Math.min(LONGEST_PAUSE_MS, boundMs / 2) };
  return (times) => backoff(pauses, times);
}
