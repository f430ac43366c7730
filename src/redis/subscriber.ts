// Subscribing to channels: on one connection, where there is one Redis or Sentinel. shards.ts does so in a cluster.
import type { Redis } from 'ioredis';
import { type Link, openLink } from './link.ts';
import type { RedisTarget } from './url.ts';

/** Keeps channels subscribed to, over every loss of a connection. */
export interface Subscriber {
  /** Resolves when Redis has acknowledged it. Rejects with `SOURCE_UNAVAILABLE`; then nothing is left of it. */
  subscribe(channel: string): Promise<void>;
  unsubscribe(channel: string): void;
  /** Resolves when a channel that was subscribed to is so now; rejects with `SOURCE_UNAVAILABLE` within the bound. */
  ready(channel: string): Promise<void>;
  /** Looks after connections that may have died silently. To be called every few seconds. */
  look(): void;
  /** Rejects with `SOURCE_UNAVAILABLE` where nothing answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** What a subscriber hears. */
export interface SubscriberEvents {
  onMessage(channel: string, payload: string): void;
  /** What was said on these channels may have been missed; from now on it is heard again. */
  onInterruption(channels: readonly string[]): void;
}

/** What CLIENT LIST shows of connections that subscribe. */
export const LISTEN = 'execstream-listen';

/** Subscribes on a connection of its own: one that subscribes can do nothing else. */
export function createSubscriber(
  redis: Exclude<RedisTarget, { nodes: unknown }>,
  boundMs: number,
  heard: SubscriberEvents,
): Subscriber {
  /** Those that were acknowledged. */
  const channels = new Set<string>();
  const link: Link = openLink({ redis, name: LISTEN, timeoutMs: boundMs, prepare: resubscribe });
  link.redis.on('message', heard.onMessage);

  async function resubscribe(client: Redis): Promise<void> {
    const held = [...channels];
    if (held.length === 0) return;
    await client.subscribe(...held);
    heard.onInterruption(held);
  }

  const ping = async (withinMs = boundMs) => void (await link.run((client) => client.ping(), withinMs));

  async function ready(): Promise<void> {
    const from = performance.now();
    // Asked, and not only looked up: the end of a connection is heard of later than it comes. Then the next one is.
    await ping().catch(() => ping(Math.max(boundMs - (performance.now() - from), 0)));
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
    // An answer that does not come within the bound makes the connection anew.
    look: () => void ping().catch(() => {}),
    ping: () => ping(),
    close: () => link.close(),
  };
}
