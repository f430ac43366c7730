// A link to a cluster node for sharded subscriptions.
import type { Redis } from 'ioredis';
import type { Link } from '../link.ts';
import { unavailable } from '../redis-errors.ts';
import { SUBSCRIBER_NAME, type SubscriberEvents } from '../subscriber.ts';
import type { Address } from './slots.ts';
import type { Cluster } from './topology.ts';

export interface ShardLink {
  readonly link: Link;
  /** Resolves when the node has acknowledged the subscription. */
  subscribe(channel: string, timeoutMs: number): Promise<void>;
  unsubscribe(channel: string): void;
}

/** @param onChange called when the link becomes usable or unusable: it has no subscriptions then */
export function openShardLink(
  cluster: Cluster,
  address: Address,
  onMessage: SubscriberEvents['onMessage'],
  onChange: () => void,
): ShardLink {
  const link = cluster.openLink(address, SUBSCRIBER_NAME, onChange);
  // ioredis never settles an SSUBSCRIBE that was answered with MOVED; it only emits `moved`.
  const pending = new Set<(error: Error) => void>();
  link.redis.on('moved', () => {
    for (const reject of pending) reject(unavailable('A slot has moved'));
  });
  link.redis.on('smessage', onMessage);
  const ssubscribe = (redis: Redis, channel: string) =>
    new Promise<unknown>((resolve, reject) => {
      pending.add(reject);
      redis
        .ssubscribe(channel)
        .then(resolve, reject)
        .finally(() => pending.delete(reject));
    });
  return {
    link,
    subscribe: async (channel, timeoutMs) =>
      void (await link.run((redis) => ssubscribe(redis, channel), timeoutMs)),
    unsubscribe: (channel) => void link.redis.sunsubscribe(channel).catch(() => {}),
  };
}
