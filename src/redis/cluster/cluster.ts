// A cluster: a link to each master, and the slots that tell which of them to ask. ioredis' own Cluster is not used:
// its nodes queue commands while they connect and send them when nobody waits any more (link.ts, invariant 1), and
// WAIT, which names no key, cannot be sent to the node that wrote.
//
// Invariants
// 1. A command is sent to one node at a time, and to another one only where that one refused it unseen: MOVED, ASK,
//    TRYAGAIN, CLUSTERDOWN, LOADING. Where an answer did not come, the caller is told, who may ask again.
// 2. All of that within the one bound of the command.
// 3. What nodes say about the slots may be old. It is never trusted beyond the next refusal, and asked for again as
//    long as some slot's node cannot be reached.
import type { Redis } from 'ioredis';
import { isExecstreamError } from '../../event/errors.ts';
import { type Link, openLink, type Script } from '../link.ts';
import { unavailable } from '../redis-errors.ts';
import type { RedisClusterOptions } from '../url.ts';
import { checkWrite } from '../write-check.ts';
import { type Address, hostAndPort, SLOTS, type SlotsReply, slotOf, toOwners } from './slots.ts';

/** What is known of a cluster, and what a part that needs links of its own to its nodes asks of it. */
export interface Cluster {
  /** The node that has a key's or channel's slot, as far as is known. */
  ownerOf(key: string): Address | undefined;
  /** Asks who has which slot, not more often than every 100 ms; never rejects. */
  refresh(): Promise<void>;
  /** Has a listener called when a slot may have another owner, and when a link came or went. */
  onChange(listener: () => void): void;
  /** A link to a node, whose changes are told to all. Its caller closes it. */
  openLink(address: Address, name: string, onChange?: () => void): Link;
  /** Resolves at the next change, after `ms` at the latest. */
  changed(ms: number): Promise<void>;
  readonly boundMs: number;
}

/** How long to wait, while a slot's node cannot be asked, before the nodes are asked again about the slots. */
export const SLOT_REFRESH_MS = 100;

/** Keys that are tried to find one for each master; one that has very few slots may get none. */
const KEYS_TRIED = 500;

const REFUSAL = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|LOADING)\b(?: \d+ (\S+))?/;

/** The connection (connect.ts) to a cluster. Begins to connect, and returns at once. */
export function connectCluster({ nodes, ...options }: RedisClusterOptions, name: string, boundMs: number) {
  const seeds = nodes.map(({ host, port }) => `${host}:${port}`);
  const links = new Map<Address, Link>();
  const scripts = new Map<string, Script>();
  const listeners = new Set<() => void>();
  let owners = new Array<Address | undefined>(SLOTS).fill(undefined);
  let refreshing: Promise<void> | undefined;
  let closed = false;

  function tellChange(): void {
    for (const listener of [...listeners]) listener();
  }

  function changed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        listeners.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      listeners.add(done);
    });
  }

  const newLink: Cluster['openLink'] = (address, linkName, onChange = () => {}) =>
    openLink({
      redis: { ...options, ...hostAndPort(address) },
      name: linkName,
      timeoutMs: boundMs,
      onChange: () => {
        onChange();
        tellChange();
      },
    });

  function linkTo(address: Address): Link {
    let link = links.get(address);
    if (!link) {
      link = newLink(address, name);
      for (const [method, script] of scripts) link.redis.defineCommand(method, script);
      links.set(address, link);
    }
    return link;
  }

  async function readOwners(): Promise<void> {
    const usable = [...links].filter(([, link]) => link.usable).map(([address]) => address);
    const asked = usable.length > 0 ? usable : [...new Set([...links.keys(), ...seeds])];
    const read = async (address: Address) => {
      const reply = await linkTo(address).run((redis) => redis.cluster('SLOTS'));
      return toOwners(reply as unknown as SlotsReply, hostAndPort(address).host);
    };
    const told = await Promise.any(asked.map(read));
    if (closed || told.every((owner) => owner === undefined)) return;
    const isNew = told.some((owner, slot) => owner !== owners[slot]);
    const [masters, before] = [new Set(told), new Set(owners)];
    owners = told;
    for (const address of masters) if (address) linkTo(address);
    for (const [address, link] of links) {
      // One that was a master until now has answers to give yet; it goes with the next look.
      if (masters.has(address) || before.has(address)) continue;
      links.delete(address);
      void link.close();
    }
    if (isNew) tellChange();
  }

  function refresh(): Promise<void> {
    if (closed) return Promise.resolve();
    refreshing ??= readOwners()
      // Not one answered: whoever waits for an answer will be told so.
      .catch(() => {})
      .then(() => pause(SLOT_REFRESH_MS))
      .finally(() => {
        refreshing = undefined;
      });
    return refreshing;
  }

  async function run<T>(key: string, command: (redis: Redis) => Promise<T>): Promise<T> {
    const slot = slotOf(key);
    const deadline = performance.now() + boundMs;
    let refused: unknown;
    let redirections = 0;
    for (;;) {
      const leftMs = deadline - performance.now();
      if (closed) throw unavailable('The connection to Redis is closed');
      if (leftMs <= 0) throw unavailable(`The cluster did not take a command within ${boundMs} ms`, refused);
      const link = links.get(owners[slot] ?? '');
      if (!link?.usable) {
        void refresh();
        await changed(Math.min(leftMs, SLOT_REFRESH_MS));
        continue;
      }
      try {
        return await link.run(command, leftMs);
      } catch (error) {
        const [, refusal, address] = redirectOf(error);
        if (refusal === undefined) throw error;
        refused = error;
        if (refusal === 'MOVED' && address) {
          moved(slot, toAddress(address, owners[slot]!));
          // In a failover two nodes may send to each other.
          if (++redirections > 1) await pause(Math.min(leftMs, SLOT_REFRESH_MS));
        } else if (refusal === 'ASK' && address) {
          const answer = await runAsking(toAddress(address, owners[slot]!), command, deadline);
          if (answer) return answer.value;
        } else await changed(Math.min(leftMs, SLOT_REFRESH_MS));
        void refresh();
      }
    }
  }

  function moved(slot: number, address: Address): void {
    if (closed) return;
    owners[slot] = address;
    linkTo(address);
    tellChange();
  }

  /** While a slot is on its way, what has arrived is had of the new node by whoever says ASKING. */
  async function runAsking<T>(
    address: Address,
    command: (redis: Redis) => Promise<T>,
    deadline: number,
  ): Promise<{ value: T } | undefined> {
    const leftMs = () => Math.max(deadline - performance.now(), 0);
    const link = linkTo(address);
    try {
      // A script that the node has not met would be sent a second time, and without ASKING.
      await link.run(
        (redis) => Promise.all([...scripts.values()].map(({ lua }) => redis.script('LOAD', lua))),
        leftMs(),
      );
      const value = await link.run((redis) => {
        redis.asking().catch(() => {});
        return command(redis);
      }, leftMs());
      return { value };
    } catch (error) {
      if (redirectOf(error)[1] === undefined) throw error;
      await changed(Math.min(leftMs(), SLOT_REFRESH_MS));
      return undefined;
    }
  }

  async function ping(): Promise<void> {
    const asked = links.size > 0 ? [...links.values()] : seeds.map(linkTo);
    await Promise.any(asked.map((link) => link.run((redis) => redis.ping()))).catch((error) => {
      throw error.errors[0];
    });
  }

  /** Each master is asked for a key of its own; as `ping`, it is enough that one of them accepts writes. */
  async function checkWrites(key: string): Promise<void> {
    const known = () => new Set(owners.filter((owner) => owner !== undefined));
    if (known().size === 0) await refresh();
    const masters = known();
    if (masters.size === 0) return ping();
    const keys = new Map<Address, string>();
    for (let i = 0; i < KEYS_TRIED && keys.size < masters.size; i += 1) {
      const name = `${key}:{${i}}`;
      const owner = owners[slotOf(name)];
      if (owner && !keys.has(owner)) keys.set(owner, name);
    }
    const checks = [...keys].map(([address, name]) =>
      linkTo(address).run((redis) => checkWrite(redis, name)),
    );
    await Promise.any(checks).catch((error) => {
      throw error.errors[0];
    });
  }

  async function close(): Promise<void> {
    closed = true;
    tellChange();
    listeners.clear();
    await Promise.all([...links.values()].map((link) => link.close()));
  }

  const cluster: Cluster = {
    ownerOf: (key) => owners[slotOf(key)],
    refresh,
    onChange: (listener) => void listeners.add(listener),
    openLink: newLink,
    changed,
    boundMs,
  };
  void refresh();
  return {
    cluster,
    defineCommand(method: string, script: Script) {
      scripts.set(method, script);
      for (const link of links.values()) link.redis.defineCommand(method, script);
    },
    run,
    ping,
    checkWrites,
    close,
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** Why a node refused a command unseen, and where it sends the caller. */
export function redirectOf(error: unknown): readonly (string | undefined)[] {
  const cause = isExecstreamError(error) ? error.cause : undefined;
  return (cause instanceof Error && REFUSAL.exec(cause.message)) || [];
}

/** A node that does not know the other one's name leaves the host out: it is that of the node that answered. */
function toAddress(told: string, answeredBy: Address): Address {
  return told.startsWith(':') ? `${hostAndPort(answeredBy).host}${told}` : told;
}
