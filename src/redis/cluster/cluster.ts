// Commands in a cluster: each is sent to the master that has its slot. ioredis' own Cluster is not used: its nodes queue
// commands while they connect and send them when their callers have given up (link.ts, invariant 1), and WAIT, which
// names no key, cannot be sent to the node that wrote.
//
// Invariants
// 1. A command is sent to one node at a time, and to another one only if that node rejected it without running it:
//    MOVED, ASK, TRYAGAIN, CLUSTERDOWN, LOADING. Where a reply is missing, the call rejects, and the caller may retry.
// 2. All of that happens within the one timeout of the call.
import type { Redis } from 'ioredis';
import { type HealthKeys, healthKeys } from '../keys.ts';
import type { Script } from '../link.ts';
import { unavailable } from '../redis-errors.ts';
import type { RedisClusterOptions } from '../url.ts';
import { checkWrite } from '../write-check.ts';
import { redirectOf, resolveAddress } from './redirect.ts';
import type { Address } from './slots.ts';
import { type Cluster, ClusterTopology, SLOT_REFRESH_MS } from './topology.ts';

/** Keys that are tried to find one for each master; a master with very few slots may get none. */
const MAX_KEYS_TRIED = 500;

/** The methods of a `Connection` (connection.ts) that differ in a cluster. */
export interface ClusterConnection {
  readonly cluster: Cluster;
  defineCommand(method: string, script: Script): void;
  run<T>(key: string, command: (redis: Redis) => Promise<T>): Promise<T>;
  ping(): Promise<void>;
  checkWrites(prefix: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts to connect, and returns immediately. */
export function connectCluster(
  options: RedisClusterOptions,
  name: string,
  timeoutMs: number,
): ClusterConnection {
  const topology = new ClusterTopology(options, name, timeoutMs);
  void topology.refresh();
  const ping = () => anyOf(topology.links.map((link) => link.run((redis) => redis.ping())));
  return {
    cluster: topology,
    defineCommand: (method, script) => topology.defineCommand(method, script),
    run: (key, command) => runOnOwner(topology, key, command),
    ping,
    checkWrites: async (prefix) => {
      if (topology.masters.size === 0) await topology.refresh();
      if (topology.masters.size === 0) {
        await ping();
        throw unavailable('no node of the cluster reports its slots', topology.refreshError);
      }
      await checkMasters(topology, prefix);
    },
    close: () => topology.close(),
  };
}

async function runOnOwner<T>(
  topology: ClusterTopology,
  key: string,
  command: (redis: Redis) => Promise<T>,
): Promise<T> {
  const { timeoutMs } = topology;
  const deadline = performance.now() + timeoutMs;
  let rejection: unknown;
  let moves = 0;
  for (;;) {
    const leftMs = deadline - performance.now();
    if (topology.isClosed) throw unavailable('The connection to Redis is closed');
    if (leftMs <= 0)
      throw unavailable(`The cluster did not accept a command within ${timeoutMs} ms`, rejection);
    const pauseMs = Math.min(leftMs, SLOT_REFRESH_MS);
    const owner = topology.ownerOf(key);
    const link = owner === undefined ? undefined : topology.linkTo(owner);
    if (owner === undefined || !link?.usable) {
      void topology.refresh();
      await topology.changed(pauseMs);
      continue;
    }
    try {
      return await link.run(command, leftMs);
    } catch (error) {
      const redirect = redirectOf(error);
      if (redirect === undefined) throw error;
      rejection = error;
      if (redirect.kind === 'moved') {
        topology.setOwner(key, resolveAddress(redirect.address, owner));
        moves += 1;
        // During a failover two nodes may redirect to each other.
        if (moves > 1) await topology.pause(pauseMs);
      } else if (redirect.kind === 'ask') {
        const reply = await runAsking(topology, resolveAddress(redirect.address, owner), command, deadline);
        if (reply) return reply.value;
      } else await topology.changed(pauseMs);
      void topology.refresh();
    }
  }
}

/**
 * While a slot migrates, the new node serves the keys that have arrived to those who send ASKING first.
 * @returns undefined if the new node redirects too, or the connection is closed
 */
async function runAsking<T>(
  topology: ClusterTopology,
  address: Address,
  command: (redis: Redis) => Promise<T>,
  deadline: number,
): Promise<{ readonly value: T } | undefined> {
  if (topology.isClosed) return undefined;
  const leftMs = () => Math.max(deadline - performance.now(), 0);
  const link = topology.linkTo(address);
  try {
    // ioredis would send a script that the node does not know a second time, but without ASKING.
    await link.run(
      (redis) => Promise.all([...topology.scripts].map(({ lua }) => redis.script('LOAD', lua))),
      leftMs(),
    );
    const value = await link.run((redis) => {
      redis.asking().catch(() => {});
      return command(redis);
    }, leftMs());
    return { value };
  } catch (error) {
    if (redirectOf(error) === undefined) throw error;
    await topology.changed(Math.min(leftMs(), SLOT_REFRESH_MS));
    return undefined;
  }
}

/** Writes a key to each master. As with `ping`, it is enough that one of them accepts it. */
async function checkMasters(topology: ClusterTopology, prefix: string): Promise<void> {
  const { masters } = topology;
  const keys = new Map<Address, HealthKeys>();
  for (let slot = 0; slot < MAX_KEYS_TRIED && keys.size < masters.size; slot += 1) {
    const candidate = healthKeys(prefix, slot);
    const owner = topology.ownerOf(candidate.key);
    if (owner !== undefined && !keys.has(owner)) keys.set(owner, candidate);
  }
  await anyOf(
    [...keys].map(([address, candidate]) =>
      topology.linkTo(address).run((redis) => checkWrite(redis, candidate, true)),
    ),
  );
}

/** Resolves when one of the calls does; rejects with the first error if none does. */
async function anyOf(calls: readonly Promise<unknown>[]): Promise<void> {
  await Promise.any(calls).catch((error: AggregateError) => {
    throw error.errors[0];
  });
}
