// The invariants of sharded subscriptions (src/redis/cluster/sharded-subscriber.ts), on links that reply as a test
// wants. test/log/topologies/cluster.test.ts has a real cluster.
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createShardedSubscriber } from '../../src/redis/cluster/sharded-subscriber.ts';
import type { Cluster } from '../../src/redis/cluster/topology.ts';
import type { Link } from '../../src/redis/link.ts';
import { unavailable } from '../../src/redis/redis-errors.ts';

/** A node: what it is subscribed to, and how it replies to SSUBSCRIBE. */
class FakeNode extends EventEmitter {
  readonly subscribed = new Set<string>();
  readonly link: Link;
  isClosed = false;
  onSubscribe: (channel: string) => Promise<void> = async () => {};
  #isUsable = true;
  #onChange = () => {};

  constructor() {
    super();
    const isUsable = () => this.#isUsable;
    this.link = {
      redis: this as never,
      get usable() {
        return isUsable();
      },
      run: async (command) => {
        if (!isUsable()) throw unavailable('not usable');
        return command(this as never);
      },
      close: async () => {
        this.isClosed = true;
      },
    };
  }

  observe(onChange: () => void): void {
    this.#onChange = onChange;
  }

  async ssubscribe(channel: string): Promise<void> {
    await this.onSubscribe(channel);
    this.subscribed.add(channel);
  }

  async sunsubscribe(channel: string): Promise<void> {
    this.subscribed.delete(channel);
  }

  async ping(): Promise<string> {
    return 'PONG';
  }

  setUsable(isUsable: boolean): void {
    this.#isUsable = isUsable;
    this.subscribed.clear();
    this.#onChange();
  }
}

class FakeCluster implements Cluster {
  readonly timeoutMs = 1_000;
  readonly nodes = { a: new FakeNode(), b: new FakeNode() };
  refreshes = 0;
  #owner: string | undefined = 'a';
  readonly #listeners = new Set<() => void>();

  ownerOf(): string | undefined {
    return this.#owner;
  }

  setOwner(owner: 'a' | 'b' | undefined): void {
    this.#owner = owner;
    this.notify();
  }

  async refresh(): Promise<void> {
    this.refreshes += 1;
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  openLink(address: string, _name: string, onChange = () => {}): Link {
    const node = this.nodes[address as 'a' | 'b'];
    node.observe(() => {
      onChange();
      this.notify();
    });
    return node.link;
  }

  changed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#listeners.delete(done);
        resolve();
      };
      setTimeout(done, ms);
      this.#listeners.add(done);
    });
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function newSubscriber() {
  const cluster = new FakeCluster();
  const interrupted: string[] = [];
  const messages: [string, string][] = [];
  const subscriber = createShardedSubscriber(cluster, {
    onMessage: (...message) => messages.push(message),
    onInterruption: (channels) => interrupted.push(...channels),
  });
  return { cluster, ...cluster.nodes, subscriber, interrupted, messages };
}

const passTime = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('a sharded subscription', () => {
  test('a subscription is created at the node that has the slot, and its messages are passed on', async () => {
    const { subscriber, a, b, interrupted, messages } = newSubscriber();
    await subscriber.subscribe('c');
    a.emit('smessage', 'c', 'payload');
    expect([[...a.subscribed], [...b.subscribed]]).toEqual([['c'], []]);
    expect(messages).toEqual([['c', 'payload']]);
    expect(interrupted).toEqual([]);
  });

  test('a subscription follows its slot to another node, and reports an interruption after that', async () => {
    const { cluster, subscriber, a, b, interrupted } = newSubscriber();
    await subscriber.subscribe('c');
    cluster.setOwner('b');
    expect(interrupted).toEqual([]);
    await passTime(0);
    expect([[...a.subscribed], [...b.subscribed]]).toEqual([[], ['c']]);
    expect(interrupted).toEqual(['c']);
  });

  test('a subscription is recreated for every channel of a connection that was lost, however long that takes', async () => {
    const { subscriber, a, interrupted } = newSubscriber();
    await subscriber.subscribe('c');
    await subscriber.subscribe('d');
    a.setUsable(false);
    await passTime(60_000);
    expect(interrupted).toEqual([]);
    a.setUsable(true);
    await passTime(0);
    expect([...a.subscribed].sort()).toEqual(['c', 'd']);
    expect(interrupted.sort()).toEqual(['c', 'd']);
  });

  test('a subscription is kept where it is while no node has its slot', async () => {
    const { cluster, subscriber, a, interrupted } = newSubscriber();
    await subscriber.subscribe('c');
    cluster.setOwner(undefined);
    await passTime(5_000);
    await subscriber.ready('c');
    expect([...a.subscribed]).toEqual(['c']);
    expect(interrupted).toEqual([]);
  });

  test('a subscription whose slot moves right after its acknowledgement follows it', async () => {
    const { cluster, subscriber, a, b, interrupted } = newSubscriber();
    a.onSubscribe = async () => {
      // The acknowledgement is on its way to the subscriber when the slot moves.
      queueMicrotask(() => cluster.setOwner('b'));
    };
    await subscriber.subscribe('c');
    await passTime(0);
    expect([[...a.subscribed], [...b.subscribed]]).toEqual([[], ['c']]);
    expect(interrupted).toEqual(['c']);
  });

  test('a resubscription does not wait for another channel whose node hangs', async () => {
    const { cluster, subscriber, b, interrupted } = newSubscriber();
    await subscriber.subscribe('hangs');
    await subscriber.subscribe('c');
    b.onSubscribe = (channel) => (channel === 'hangs' ? new Promise(() => {}) : Promise.resolve());
    cluster.setOwner('b');
    await passTime(0);
    expect(interrupted).toEqual(['c']);
  });

  test('a subscription is created at the next owner if a node moves its slot away', async () => {
    const { cluster, subscriber, a, b } = newSubscriber();
    a.onSubscribe = () => {
      cluster.setOwner('b');
      a.emit('moved');
      // ioredis never settles it.
      return new Promise(() => {});
    };
    const subscribing = subscriber.subscribe('c');
    await passTime(200);
    await subscribing;
    expect([[...a.subscribed], [...b.subscribed]]).toEqual([[], ['c']]);
    expect(cluster.refreshes).toBeGreaterThan(0);
  });

  test('a subscription that Redis rejects fails immediately, and one without a node fails after the timeout', async () => {
    const { cluster, subscriber, a } = newSubscriber();
    const noPermission = Object.assign(new Error('NOPERM'), { name: 'ReplyError' });
    a.onSubscribe = async () => {
      throw unavailable('Redis is not available', noPermission);
    };
    await expect(subscriber.subscribe('c')).rejects.toMatchObject({ cause: noPermission });
    cluster.setOwner(undefined);
    const failing = expect(subscriber.subscribe('c')).rejects.toThrow('within 1000 ms');
    await passTime(1_100);
    await failing;
    cluster.setOwner('b');
    await passTime(2_000);
    expect([...cluster.nodes.b.subscribed]).toEqual([]);
  });

  test('a subscription that is undone while it is being created is removed from the node', async () => {
    const { subscriber, a } = newSubscriber();
    let acknowledge = () => {};
    a.onSubscribe = () => new Promise((resolve) => (acknowledge = resolve));
    const subscribing = subscriber.subscribe('c');
    await passTime(0);
    subscriber.unsubscribe('c');
    acknowledge();
    await subscribing;
    await passTime(0);
    expect([...a.subscribed]).toEqual([]);
  });
});

describe('a sharded subscriber', () => {
  test('a subscriber is ready when the channel is at a node that responds', async () => {
    const { subscriber, a } = newSubscriber();
    await subscriber.subscribe('c');
    await subscriber.ready('c');
    a.setUsable(false);
    let isReady = false;
    const ready = subscriber.ready('c').then(() => {
      isReady = true;
    });
    await passTime(500);
    expect(isReady).toBe(false);
    a.setUsable(true);
    await passTime(500);
    await ready;
    a.setUsable(false);
    const failing = expect(subscriber.ready('c')).rejects.toThrow('within 1000 ms');
    await passTime(1_100);
    await failing;
  });

  test('a subscriber closes links to nodes without channels when it checks its connections', async () => {
    const { cluster, subscriber, a, b } = newSubscriber();
    await subscriber.subscribe('c');
    cluster.setOwner('b');
    await passTime(0);
    subscriber.checkConnections();
    expect([a.isClosed, b.isClosed]).toEqual([true, false]);
    await subscriber.close();
    expect(b.isClosed).toBe(true);
  });
});
