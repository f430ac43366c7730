// Subscribing to channels in a cluster: sharded Pub/Sub, with one link to each master that has subscribed channels.
//
// Invariants
// 1. A channel is `at` the node that acknowledged its SSUBSCRIBE on the current connection. A kept channel that is at no
//    node, or whose slot belongs to another node, is subscribed to again, however long that takes.
// 2. After each resubscription `onInterruption` is called: announcements in the meantime were missed.
// 3. A connection on which a node removed a subscription unasked (its slot has left) is dropped (link.ts, invariant 5),
//    and with it the subscriptions of all of its channels: replies no longer match their commands.
import { type BackoffPolicy, backoff } from '../../async/backoff.ts';
import { unavailable } from '../redis-errors.ts';
import type { Subscriber, SubscriberEvents } from '../subscriber.ts';
import { redirectOf } from './redirect.ts';
import { openShardLink, type ShardLink } from './shard-link.ts';
import type { Address } from './slots.ts';
import { type Cluster, SLOT_REFRESH_MS } from './topology.ts';

type ChannelState =
  /** The first subscription was not acknowledged yet; `subscribe` retries until its timeout. */
  | 'subscribing'
  /** Subscribed to, or about to be resubscribed. */
  | 'kept'
  | 'resubscribing';

interface Channel {
  state: ChannelState;
  at: Address | undefined;
}

/** Between attempts to resubscribe. Each channel has its own, so that they do not all retry together. */
const RETRY: BackoffPolicy = { firstMs: SLOT_REFRESH_MS, maxMs: 1_000 };

export function createShardedSubscriber(cluster: Cluster, events: SubscriberEvents): Subscriber {
  return new ShardedSubscriber(cluster, events);
}

class ShardedSubscriber implements Subscriber {
  readonly #cluster: Cluster;
  readonly #events: SubscriberEvents;
  readonly #channels = new Map<string, Channel>();
  readonly #shards = new Map<Address, ShardLink>();
  #isClosed = false;

  constructor(cluster: Cluster, events: SubscriberEvents) {
    this.#cluster = cluster;
    this.#events = events;
    cluster.onChange(() => this.#resubscribeMisplaced());
  }

  async subscribe(name: string): Promise<void> {
    const channel: Channel = { state: 'subscribing', at: undefined };
    this.#channels.set(name, channel);
    try {
      await this.#subscribeWithin(this.#cluster.timeoutMs, name, channel);
    } catch (error) {
      this.#channels.delete(name);
      throw error;
    }
    channel.state = 'kept';
    // The connection may have been lost since the acknowledgement, while the channel was not kept yet.
    this.#resubscribeMisplaced();
  }

  unsubscribe(name: string): void {
    const at = this.#channels.get(name)?.at;
    this.#channels.delete(name);
    this.#unsubscribeAt(at, name);
  }

  async ready(name: string): Promise<void> {
    const { timeoutMs } = this.#cluster;
    const deadline = performance.now() + timeoutMs;
    let failure: unknown;
    for (;;) {
      const channel = this.#channels.get(name);
      const leftMs = deadline - performance.now();
      if (this.#isClosed || leftMs <= 0) {
        throw unavailable(`Redis could not be reached within ${timeoutMs} ms`, failure);
      }
      if (!channel) return;
      const { at } = channel;
      const shard = at !== undefined && this.#isPlaced(name, channel) ? this.#shards.get(at) : undefined;
      if (shard) {
        // A PING, because a closed connection is noticed late.
        const pong = await shard.link
          .run((redis) => redis.ping(), leftMs)
          .catch((error) => {
            failure = error;
          });
        if (pong !== undefined && channel.at === at) return;
      } else await this.#cluster.changed(Math.min(leftMs, SLOT_REFRESH_MS));
    }
  }

  /** Also closes links to nodes that no longer have subscribed channels. */
  checkConnections(): void {
    void this.#cluster.refresh();
    const needed = new Set(
      [...this.#channels].flatMap(([name, { at }]) => [at, this.#cluster.ownerOf(name)]),
    );
    for (const [address, { link }] of this.#shards) {
      if (needed.has(address)) {
        // A PING that times out drops the connection.
        link.run((redis) => redis.ping()).catch(() => {});
      } else {
        this.#shards.delete(address);
        void link.close();
      }
    }
  }

  /** Without channels there are no links; the connection for commands has its own check. */
  async check(): Promise<void> {
    const pings = [...this.#shards.values()].map(({ link }) => link.run((redis) => redis.ping()));
    if (pings.length === 0) return;
    await Promise.any(pings).catch((error: AggregateError) => {
      throw error.errors[0];
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#channels.clear();
    await Promise.all([...this.#shards.values()].map(({ link }) => link.close()));
  }

  async #subscribeWithin(timeoutMs: number, name: string, channel: Channel): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    let failure: unknown;
    for (;;) {
      const leftMs = deadline - performance.now();
      if (this.#isClosed || leftMs <= 0) {
        throw unavailable(`The cluster did not accept a subscription within ${timeoutMs} ms`, failure);
      }
      try {
        if (await this.#tryToSubscribe(name, channel, leftMs)) return;
      } catch (error) {
        if (isPermanent(error)) throw error;
        failure = error;
      }
      void this.#cluster.refresh();
      await this.#cluster.changed(Math.min(leftMs, SLOT_REFRESH_MS));
    }
  }

  /** Tries once, at the node that has the slot. @returns whether nothing is left to be done for the channel */
  async #tryToSubscribe(name: string, channel: Channel, timeoutMs: number): Promise<boolean> {
    const owner = this.#isClosed ? undefined : this.#cluster.ownerOf(name);
    if (owner === undefined) return false;
    const shard = this.#shardAt(owner);
    if (!shard.link.usable) return false;
    await shard.subscribe(name, timeoutMs);
    if (this.#channels.get(name) !== channel) {
      // It was unsubscribed in the meantime.
      if (!this.#channels.has(name)) this.#unsubscribeAt(owner, name);
      return true;
    }
    const former = channel.at;
    channel.at = owner;
    if (former !== owner) this.#unsubscribeAt(former, name);
    return true;
  }

  /** Whether a kept channel is at the node that has its slot. While no node has it, the former one may be right. */
  #isPlaced(name: string, { state, at }: Channel): boolean {
    if (state === 'subscribing') return true;
    const owner = this.#cluster.ownerOf(name);
    return at !== undefined && (owner === undefined || at === owner);
  }

  #resubscribeMisplaced(): void {
    for (const [name, channel] of this.#channels) {
      if (channel.state === 'kept' && !this.#isPlaced(name, channel)) void this.#resubscribe(name, channel);
    }
  }

  /** Independent of other channels, so that none waits for a node that hangs and is not its own. Never rejects. */
  async #resubscribe(name: string, channel: Channel): Promise<void> {
    channel.state = 'resubscribing';
    const isWanted = () => !this.#isClosed && this.#channels.get(name) === channel;
    let failures = 0;
    while (isWanted() && !this.#isPlaced(name, channel)) {
      if (await this.#tryToSubscribe(name, channel, this.#cluster.timeoutMs).catch(() => false)) {
        if (this.#channels.get(name) === channel) this.#events.onInterruption([name]);
        continue;
      }
      void this.#cluster.refresh();
      failures += 1;
      await this.#cluster.changed(backoff(RETRY, failures));
    }
    channel.state = 'kept';
  }

  #shardAt(address: Address): ShardLink {
    let shard = this.#shards.get(address);
    if (!shard) {
      shard = openShardLink(this.#cluster, address, this.#events.onMessage, () =>
        this.#onLinkChange(address),
      );
      this.#shards.set(address, shard);
    }
    return shard;
  }

  /** The link was lost, or is back on a new connection: either way it has no subscriptions. */
  #onLinkChange(address: Address): void {
    for (const channel of this.#channels.values()) if (channel.at === address) channel.at = undefined;
    this.#resubscribeMisplaced();
  }

  #unsubscribeAt(address: Address | undefined, name: string): void {
    if (address !== undefined) this.#shards.get(address)?.unsubscribe(name);
  }
}

/** Whether Redis would reject the command again: it responded with an error that is not a redirect. */
function isPermanent(error: unknown): boolean {
  const cause = (error as { cause?: unknown }).cause;
  return cause instanceof Error && cause.name === 'ReplyError' && redirectOf(error) === undefined;
}
