// What the log asks Redis with, whatever its shape: one Redis, the master that Sentinels name, or a cluster.
import type { Redis } from 'ioredis';
import { connectCluster } from './cluster/cluster.ts';
import { createShardedSubscriber } from './cluster/sharded-subscriber.ts';
import { openLink, type Script } from './link.ts';
import { createSubscriber, type Subscriber, type SubscriberEvents } from './subscriber.ts';
import { isCluster, parseRedisUrl, type RedisTarget } from './url.ts';
import { checkWrite } from './write-check.ts';

export interface ConnectOptions {
  /**
   * A URL of one of the three shapes (docs/redis.md), ioredis' options (Sentinel included), or these for the nodes of
   * a cluster. A `keyPrefix` is not used.
   */
  readonly redis: RedisTarget;
  /** The bound of every call, waiting for the connection included; default 5 s. */
  readonly commandTimeoutMs?: number;
}

export interface Connection {
  /** Whether what is announced stays in its shard: SPUBLISH and not PUBLISH. */
  readonly isSharded: boolean;
  /** Makes a script a method of the clients that commands get. */
  defineCommand(name: string, script: Script): void;
  /**
   * Waits until the Redis that has a key can be reached, sends, and waits for the answer. In a cluster, a command that
   * a node refused because the key is elsewhere, or for now nowhere, is tried again within the bound.
   * @param key any of those that the command names; all are of its slot.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE`; the command may have run all the same if it was sent.
   */
  run<T>(key: string, command: (redis: Redis) => Promise<T>): Promise<T>;
  /** Subscribes to channels, with connections of its own, which its caller closes. */
  newSubscriber(heard: SubscriberEvents): Subscriber;
  /** Rejects with `SOURCE_UNAVAILABLE` where no Redis answers. */
  ping(): Promise<void>;
  /**
   * Writes a key that expires: rejects with `SOURCE_UNAVAILABLE`, saying why, where no Redis accepts writes.
   * @param key without braces
   */
  checkWrites(key: string): Promise<void>;
  /** Resolves when the connection is gone. What waits for an answer is rejected. */
  close(): Promise<void>;
}

const DEFAULT_COMMAND_TIMEOUT_MS = 5_000;

/** The bound of a call, in ms. */
export function timeoutOf({ commandTimeoutMs = DEFAULT_COMMAND_TIMEOUT_MS }: ConnectOptions): number {
  return commandTimeoutMs;
}

/**
 * Begins to connect, and returns at once.
 * @param name what CLIENT LIST shows.
 * @throws ExecstreamError `BAD_USER_INPUT` where the URL is of none of the shapes.
 */
export function connect(options: ConnectOptions, name: string): Connection {
  const redis = typeof options.redis === 'string' ? parseRedisUrl(options.redis) : options.redis;
  const boundMs = timeoutOf(options);
  if (isCluster(redis)) {
    const { cluster, ...connection } = connectCluster(redis, name, boundMs);
    return {
      ...connection,
      isSharded: true,
      newSubscriber: (heard) => createShardedSubscriber(cluster, heard),
    };
  }
  const link = openLink({ redis, name, timeoutMs: boundMs });
  return {
    isSharded: false,
    defineCommand: (method, script) => link.redis.defineCommand(method, script),
    run: (_, command) => link.run(command),
    newSubscriber: (heard) => createSubscriber(redis, boundMs, heard),
    ping: async () => void (await link.run((client) => client.ping())),
    checkWrites: (key) => link.run((client) => checkWrite(client, key)),
    close: () => link.close(),
  };
}
