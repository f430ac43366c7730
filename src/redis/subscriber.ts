// Subscribing to channels on one connection, for one Redis or Sentinel. cluster/sharded-subscriber.ts does it in a
// cluster.
//
// Invariant: whenever messages may have been missed, `onInterruption` is called with the channels concerned, after
// they are subscribed to again.
import type { Redis } from 'ioredis';
import { openLink } from './link.ts';
import type { RedisTarget } from './url.ts';
import { toSubscribeError } from './write-check.ts';

/** Keeps subscriptions to channels across reconnections. */
export interface Subscriber {
  /** Resolves when Redis has acknowledged the subscription. Rejects with `SOURCE_UNAVAILABLE`, and is then undone. */
  subscribe(channel: string): Promise<void>;
  unsubscribe(channel: string): void;
  /**
   * Resolves when a channel that was subscribed to is subscribed to on a live connection. Rejects with
   * `SOURCE_UNAVAILABLE` after the timeout.
   */
  ready(channel: string): Promise<void>;
  /** Drops connections that have died silently. To be called every few seconds. */
  checkConnections(): void;
  /**
   * Rejects with `SOURCE_UNAVAILABLE` if no connection responds, or if its user may not subscribe.
   * @param channel one that is not subscribed to
   */
  check(channel: string): Promise<void>;
  close(): Promise<void>;
}

export interface SubscriberEvents {
  onMessage(channel: string, payload: string): void;
  /** Messages on these channels may have been missed; they are subscribed to again. */
  onInterruption(channels: readonly string[]): void;
}

/** What CLIENT LIST shows of subscribing connections. */
export const SUBSCRIBER_NAME = 'execstream-listen';

/** Subscribes on a separate connection, as a connection that subscribes can do nothing else. */
export function createSubscriber(
  redis: Exclude<RedisTarget, { nodes: unknown }>,
  timeoutMs: number,
  events: SubscriberEvents,
): Subscriber {
  /** Channels whose subscription was acknowledged. */
  const channels = new Set<string>();
  const link = openLink({ redis, name: SUBSCRIBER_NAME, timeoutMs, prepare: resubscribe });
  link.redis.on('message', events.onMessage);

  async function resubscribe(client: Redis): Promise<void> {
    const names = [...channels];
    if (names.length === 0) return;
    await client.subscribe(...names);
    events.onInterruption(names);
  }

  const ping = async (withinMs = timeoutMs) => void (await link.run((client) => client.ping(), withinMs));

  async function ready(): Promise<void> {
    const startedAt = performance.now();
    // A PING, because a closed connection is noticed late. If it fails, the next one waits for the new connection.
    await ping().catch(() => ping(Math.max(timeoutMs - (performance.now() - startedAt), 0)));
  }

  return {
    subscribe: async (channel) => {
      await link.run((client) => client.subscribe(channel));
      channels.add(channel);
    },
    unsubscribe: (channel) => {
      channels.delete(channel);
      link.redis.unsubscribe(channel).catch(() => {});
    },
    ready,
    // A PING that times out drops the connection.
    checkConnections: () => void ping().catch(() => {}),
    check: async (channel) => {
      try {
        await link.run(async (client) => {
          await client.subscribe(channel);
          await client.unsubscribe(channel);
        });
      } catch (error) {
        throw toSubscribeError('SUBSCRIBE', error);
      }
    },
    close: () => link.close(),
  };
}
