// The known topology of a cluster: which master has which slot, and a link to each master.
//
// Invariants
// 1. What nodes report about the slots may be outdated. A rejected command corrects it, and it is queried again for as
//    long as the node of some slot cannot be reached.
// 2. There is a link to every master. The link of a former master is closed one refresh later, as replies may be
//    outstanding on it.
import { delay } from '../../async/delay.ts';
import { type Link, openLink, type Script } from '../link.ts';
import type { RedisClusterOptions } from '../url.ts';
import {
  type Address,
  hostAndPort,
  noOwners,
  type SlotOwners,
  type SlotsReply,
  slotOf,
  toOwners,
} from './slots.ts';

/** The known topology of a cluster, for a component that opens further links to its nodes. */
export interface Cluster {
  /** The node that has the slot of a key or channel, as far as is known. */
  ownerOf(key: string): Address | undefined;
  /** Queries which node has which slot, at intervals of 100 ms or more. Never rejects. */
  refresh(): Promise<void>;
  /** Adds a listener for changes: a slot may have another owner, or a link has become usable or unusable. */
  onChange(listener: () => void): void;
  /** Opens a link to a node; its changes are reported to all listeners. The caller closes it. */
  openLink(address: Address, name: string, onChange?: () => void): Link;
  /** Resolves at the next change, or after `ms`. */
  changed(ms: number): Promise<void>;
  /** Timeout of a call in ms. */
  readonly timeoutMs: number;
}

/** How long to wait before the nodes are queried about the slots again, while the node of a slot cannot be reached. */
export const SLOT_REFRESH_MS = 100;

export class ClusterTopology implements Cluster {
  readonly timeoutMs: number;
  readonly #name: string;
  readonly #seeds: readonly Address[];
  readonly #options: Omit<RedisClusterOptions, 'nodes'>;
  readonly #links = new Map<Address, Link>();
  readonly #scripts = new Map<string, Script>();
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  #owners: SlotOwners = noOwners();
  #refreshing: Promise<void> | undefined;
  /** Why the last refresh failed. */
  refreshError: unknown;

  constructor({ nodes, ...options }: RedisClusterOptions, name: string, timeoutMs: number) {
    this.timeoutMs = timeoutMs;
    this.#name = name;
    this.#seeds = nodes.map(({ host, port }) => `${host}:${port}`);
    this.#options = options;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  get scripts(): Iterable<Script> {
    return this.#scripts.values();
  }

  /** Links to all known nodes; to the seeds while none is known. */
  get links(): readonly Link[] {
    return this.#links.size > 0 ? [...this.#links.values()] : this.#seeds.map((seed) => this.linkTo(seed));
  }

  /** The known masters that have slots. */
  get masters(): ReadonlySet<Address> {
    return new Set(this.#owners.filter((owner) => owner !== undefined));
  }

  ownerOf(key: string): Address | undefined {
    return this.#owners[slotOf(key)];
  }

  linkTo(address: Address): Link {
    let link = this.#links.get(address);
    if (!link) {
      link = this.openLink(address, this.#name);
      for (const [method, script] of this.#scripts) link.redis.defineCommand(method, script);
      this.#links.set(address, link);
    }
    return link;
  }

  openLink(address: Address, name: string, onChange = () => {}): Link {
    return openLink({
      redis: { ...this.#options, ...hostAndPort(address) },
      name,
      timeoutMs: this.timeoutMs,
      onChange: () => {
        onChange();
        this.#notify();
      },
    });
  }

  defineCommand(method: string, script: Script): void {
    this.#scripts.set(method, script);
    for (const link of this.#links.values()) link.redis.defineCommand(method, script);
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  changed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#listeners.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#listeners.add(done);
    });
  }

  /** Resolves after `ms`, or when the topology is closed. */
  pause(ms: number): Promise<void> {
    return delay(ms, this.#closing.signal);
  }

  refresh(): Promise<void> {
    if (this.isClosed) return Promise.resolve();
    this.#refreshing ??= this.#queryOwners()
      .then(
        () => {
          this.refreshError = undefined;
        },
        // No node responded: the calls that wait for one will time out.
        ({ errors }: AggregateError) => {
          this.refreshError = errors[0];
        },
      )
      .then(() => this.pause(SLOT_REFRESH_MS))
      .finally(() => {
        this.#refreshing = undefined;
      });
    return this.#refreshing;
  }

  /** A node has reported the new owner of a key's slot. */
  setOwner(key: string, address: Address): void {
    if (this.isClosed) return;
    this.#owners[slotOf(key)] = address;
    this.linkTo(address);
    this.#notify();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#notify();
    this.#listeners.clear();
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  async #queryOwners(): Promise<void> {
    const usable = [...this.#links].filter(([, link]) => link.usable).map(([address]) => address);
    const nodes = usable.length > 0 ? usable : [...new Set([...this.#links.keys(), ...this.#seeds])];
    const query = async (address: Address) => {
      const reply = await this.linkTo(address).run((redis) => redis.cluster('SLOTS'));
      return toOwners(reply as unknown as SlotsReply, hostAndPort(address).host);
    };
    this.#setOwners(await Promise.any(nodes.map(query)));
  }

  #setOwners(owners: SlotOwners): void {
    if (this.isClosed || owners.every((owner) => owner === undefined)) return;
    const hasChanged = owners.some((owner, slot) => owner !== this.#owners[slot]);
    const former = this.masters;
    this.#owners = owners;
    const { masters } = this;
    for (const address of masters) this.linkTo(address);
    for (const [address, link] of this.#links) {
      if (masters.has(address) || former.has(address)) continue;
      this.#links.delete(address);
      void link.close();
    }
    if (hasChanged) this.#notify();
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
