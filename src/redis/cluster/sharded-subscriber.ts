// Subscribing to channels in a cluster: sharded Pub/Sub, a connection to each master that has channels listened to.
//
// Invariants
// 1. A channel is `at` the node that acknowledged SSUBSCRIBE for it on a connection that still stands; where that is
//    not so, or another node has its slot by now, it is subscribed to again, for as long as it takes.
// 2. Whenever that was done, its listeners are told: what was announced meanwhile was not heard.
// 3. A connection on which a node took back a subscription unasked (its slot has left) is given up (link.ts,
//    invariant 5), and all of its channels with it: which answer was whose is not known any more.
import type { Redis } from 'ioredis';
import { type BackoffPolicy, backoff } from '../../async/backoff.ts';
import type { Link } from '../link.ts';
import { unavailable } from '../redis-errors.ts';
import { LISTEN, type Subscriber, type SubscriberEvents } from '../subscriber.ts';
import { type Cluster, redirectOf, SLOT_REFRESH_MS } from './cluster.ts';
import type { Address } from './slots.ts';

interface Channel {
  at: Address | undefined;
  /** Whether it was acknowledged once, and so is to be kept. */
  held: boolean;
  /** Whether it is being subscribed to again. */
  settling: boolean;
}

interface ShardLink {
  readonly link: Link;
  /** Resolves when the node has acknowledged the subscription. */
  ssubscribe(channel: string, withinMs?: number): Promise<void>;
}

/** Between two tries to subscribe again; each channel by itself, so that not all of them come at once. */
const RETRY_MS: BackoffPolicy = { firstMs: SLOT_REFRESH_MS, maxMs: 1_000 };

export function createShardedSubscriber(cluster: Cluster, heard: SubscriberEvents): Subscriber {
  const channels = new Map<string, Channel>();
  const links = new Map<Address, ShardLink>();
  const { boundMs } = cluster;
  let closed = false;
  cluster.onChange(settle);

  function linkTo(address: Address): ShardLink {
    let shard = links.get(address);
    if (!shard) {
      shard = newShardLink(cluster, address, heard, () => {
        // Gone or back again: in both cases nothing is subscribed to there now.
        for (const channel of channels.values()) if (channel.at === address) channel.at = undefined;
        settle();
      });
      links.set(address, shard);
    }
    return shard;
  }

  /** Tries once, for what is left of a bound; answers whether the channel is subscribed to. */
  async function place(name: string, channel: Channel, withinMs: number): Promise<boolean> {
    const owner = closed ? undefined : cluster.ownerOf(name);
    const shard = owner === undefined ? undefined : linkTo(owner);
    if (!shard?.link.usable) return false;
    await shard.ssubscribe(name, withinMs);
    if (channels.get(name) !== channel) {
      // Nobody wants it any more.
      if (!channels.has(name)) leave(name, owner);
      return true;
    }
    const before = channel.at;
    channel.at = owner;
    if (before !== owner) leave(name, before);
    return true;
  }

  function leave(name: string, address: Address | undefined): void {
    const shard = address === undefined ? undefined : links.get(address);
    shard?.link.redis.sunsubscribe(name).catch(() => {});
  }

  async function subscribe(name: string): Promise<void> {
    const channel: Channel = { at: undefined, held: false, settling: false };
    channels.set(name, channel);
    const deadline = performance.now() + boundMs;
    let failure: unknown;
    for (;;) {
      const leftMs = deadline - performance.now();
      if (closed || leftMs <= 0) {
        channels.delete(name);
        throw unavailable(`The cluster did not take a subscription within ${boundMs} ms`, failure);
      }
      try {
        if (await place(name, channel, leftMs)) break;
      } catch (error) {
        failure = error;
        if (isRefused(error)) {
          channels.delete(name);
          throw error;
        }
      }
      void cluster.refresh();
      await cluster.changed(Math.min(leftMs, SLOT_REFRESH_MS));
    }
    channel.held = true;
    // The connection may have been lost since, and `settle` not have known that this one is to be kept.
    settle();
  }

  function isSettled(name: string, { at, held }: Channel): boolean {
    const owner = cluster.ownerOf(name);
    // A slot without a node has nobody to be asked; its old one may still be right.
    return !held || (at !== undefined && (owner === undefined || at === owner));
  }

  /** Subscribes again to what is not where it belongs. */
  function settle(): void {
    for (const [name, channel] of channels) {
      if (!channel.settling && !isSettled(name, channel)) void settleOne(name, channel);
    }
  }

  /** Each channel by itself, so that none waits for a node that hangs and is not its own. Never rejects. */
  async function settleOne(name: string, channel: Channel): Promise<void> {
    channel.settling = true;
    let failures = 0;
    while (!closed && channels.get(name) === channel && !isSettled(name, channel)) {
      if (await place(name, channel, boundMs).catch(() => false)) {
        if (channels.get(name) === channel) heard.onInterruption([name]);
        continue;
      }
      void cluster.refresh();
      failures += 1;
      await cluster.changed(backoff(RETRY_MS, failures));
    }
    channel.settling = false;
  }

  async function ready(name: string): Promise<void> {
    const deadline = performance.now() + boundMs;
    let failure: unknown;
    for (;;) {
      const channel = channels.get(name);
      const leftMs = deadline - performance.now();
      if (closed || leftMs <= 0) {
        throw unavailable(`Redis could not be reached within ${boundMs} ms`, failure);
      }
      if (!channel) return;
      const { at } = channel;
      const shard = at !== undefined && isSettled(name, channel) ? links.get(at) : undefined;
      if (shard) {
        // Asked, and not only looked up: the end of a connection is heard of later than it comes.
        const answer = await shard.link
          .run((redis) => redis.ping(), leftMs)
          .catch((error) => {
            failure = error;
          });
        if (answer !== undefined && channel.at === at) return;
      } else await cluster.changed(Math.min(leftMs, SLOT_REFRESH_MS));
    }
  }

  function look(): void {
    void cluster.refresh();
    const needed = new Set([...channels].flatMap(([name, { at }]) => [at, cluster.ownerOf(name)]));
    for (const [address, { link }] of links) {
      if (needed.has(address)) {
        link.run((redis) => redis.ping()).catch(() => {});
      } else {
        links.delete(address);
        void link.close();
      }
    }
  }

  return {
    subscribe,
    unsubscribe: (name) => {
      const at = channels.get(name)?.at;
      channels.delete(name);
      leave(name, at);
    },
    ready,
    look,
    // Where nobody listens there is no link, and the cluster's own ones are asked besides.
    ping: async () => {
      const pings = [...links.values()].map(({ link }) => link.run((redis) => redis.ping()));
      if (pings.length === 0) return;
      await Promise.any(pings).catch((error) => {
        throw error.errors[0];
      });
    },
    close: async () => {
      closed = true;
      channels.clear();
      await Promise.all([...links.values()].map(({ link }) => link.close()));
    },
  };
}

/** Whether Redis will say the same again: it was asked, and it was not about where the slot is. */
function isRefused(error: unknown): boolean {
  const cause = (error as { cause?: unknown }).cause;
  return cause instanceof Error && cause.name === 'ReplyError' && redirectOf(error)[1] === undefined;
}

function newShardLink(
  cluster: Cluster,
  address: Address,
  heard: SubscriberEvents,
  onChange: () => void,
): ShardLink {
  const link = cluster.openLink(address, LISTEN, onChange);
  // ioredis leaves a SSUBSCRIBE that was answered MOVED without an end, and only tells that there was one.
  const asked = new Set<(error: Error) => void>();
  link.redis.on('moved', () => {
    for (const reject of asked) reject(unavailable('A slot has moved'));
  });
  link.redis.on('smessage', heard.onMessage);
  const ssubscribe = (redis: Redis, channel: string) =>
    new Promise<unknown>((resolve, reject) => {
      asked.add(reject);
      redis
        .ssubscribe(channel)
        .then(resolve, reject)
        .finally(() => asked.delete(reject));
    });
  return {
    link,
    ssubscribe: async (channel, withinMs) =>
      void (await link.run((redis) => ssubscribe(redis, channel), withinMs)),
  };
}
