// The connection through which the log sends commands, whatever the topology: one Redis, the master that Sentinels
// name, or a cluster.
import type { Redis } from 'ioredis';
import { messageOf } from '../event/error-message.ts';
import { ExecstreamError, requireObject } from '../event/errors.ts';
import { connectCluster } from './cluster/cluster.ts';
import { createShardedSubscriber } from './cluster/sharded-subscriber.ts';
import { healthKeys } from './keys.ts';
import { openLink, type Script } from './link.ts';
import { createSubscriber, type Subscriber, type SubscriberEvents } from './subscriber.ts';
import { isCluster, parseRedisUrl, type RedisTarget } from './url.ts';
import { checkWrite } from './write-check.ts';

export interface ConnectOptions {
  /**
   * A URL of one of the three forms (docs/redis.md), ioredis' options (Sentinel included), or `RedisClusterOptions`.
   * A `keyPrefix` is not used.
   */
  readonly redis: RedisTarget;
  /**
   * Timeout of every call in ms, waiting for the connection included.
   * @default 5000
   */
  readonly commandTimeoutMs?: number;
}

export interface Connection {
  /** Whether announcements are sharded: SPUBLISH instead of PUBLISH. */
  readonly isSharded: boolean;
  /** Defines a script as a method of the clients that commands receive. */
  defineCommand(name: string, script: Script): void;
  /**
   * Waits until the Redis that has a key can be reached, sends a command, and waits for its reply. In a cluster, a
   * command that a node rejected because another node, or for now no node, has the key is retried within the timeout.
   * @param key any key of the command; all of them are in one slot
   * @throws ExecstreamError `SOURCE_UNAVAILABLE`; if the command was sent, Redis may still have run it
   */
  run<T>(key: string, command: (redis: Redis) => Promise<T>): Promise<T>;
  /** Subscribes on separate connections, which the caller closes. */
  newSubscriber(events: SubscriberEvents): Subscriber;
  /** Rejects with `SOURCE_UNAVAILABLE` if no Redis responds. */
  ping(): Promise<void>;
  /**
   * Does what an append does: runs a script that writes and announces. Rejects with `SOURCE_UNAVAILABLE` and the reason
   * if no Redis accepts it.
   */
  checkWrites(prefix: string): Promise<void>;
  /** Resolves when the connection is closed. Calls that wait are rejected. */
  close(): Promise<void>;
}

const DEFAULT_COMMAND_TIMEOUT_MS = 5_000;

/** Also checks what callers without types may pass, such as a variable of the environment that is not set. */
function targetOf(redis: RedisTarget): RedisTarget {
  if (typeof redis === 'object' && redis !== null) return redis;
  try {
    return parseRedisUrl(typeof redis === 'string' ? redis : '');
  } catch (error) {
    // The URL may contain a password.
    const got = typeof redis === 'string' ? '' : `, got ${redis === null ? redis : typeof redis}`;
    throw new ExecstreamError('CONFIG', `redis: ${messageOf(error)}${got}`);
  }
}

/** The timeout of a call, in ms. */
export function timeoutOf({ commandTimeoutMs = DEFAULT_COMMAND_TIMEOUT_MS }: ConnectOptions): number {
  return commandTimeoutMs;
}

/**
 * Starts to connect, and returns immediately.
 * @param name what CLIENT LIST shows
 * @throws ExecstreamError `CONFIG` without a URL, or if it has none of the three forms
 */
export function connect(options: ConnectOptions, name: string): Connection {
  requireObject('options', options, '{ redis }');
  const redis = targetOf(options.redis);
  const timeoutMs = timeoutOf(options);
  if (isCluster(redis)) {
    const { cluster, ...connection } = connectCluster(redis, name, timeoutMs);
    return {
      ...connection,
      isSharded: true,
      newSubscriber: (events) => createShardedSubscriber(cluster, events),
    };
  }
  const link = openLink({ redis, name, timeoutMs });
  return {
    isSharded: false,
    defineCommand: (method, script) => link.redis.defineCommand(method, script),
    run: (_, command) => link.run(command),
    newSubscriber: (events) => createSubscriber(redis, timeoutMs, events),
    ping: async () => void (await link.run((client) => client.ping())),
    checkWrites: (prefix) => link.run((client) => checkWrite(client, healthKeys(prefix), false)),
    close: () => link.close(),
  };
}
