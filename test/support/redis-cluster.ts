// A Redis Cluster for one test: three masters with one replica each. It is created by commands, without redis-cli.
//
//   await using redis = await startCluster();
//   … redis.url … await redis.ownerOf('some key').kill(); …
import { freePort } from '../../scripts/server-process.ts';
import { type RedisServer, startRedis } from './redis.ts';
import { askServer } from './redis-sentinel.ts';
import { until } from './wait.ts';

const SLOTS = 16_384;

export interface RedisCluster extends AsyncDisposable {
  /** For REDIS_URL: two of the nodes. */
  readonly url: string;
  readonly masters: readonly RedisServer[];
  readonly replicas: readonly RedisServer[];
  /** The current owner of a key's slot, as the running nodes report it. */
  ownerOf(key: string): Promise<RedisServer>;
  /** Resolves once every running node reports the cluster as complete. */
  untilComplete(): Promise<void>;
  /** Moves a slot with its keys to another master; `halfway` is called while it is migrating. */
  moveSlot(key: string, to: RedisServer, halfway?: () => Promise<void>): Promise<void>;
}

type SlotRange = [number, number, [string, number], ...unknown[]];

export async function startCluster(): Promise<RedisCluster> {
  const servers: RedisServer[] = [];
  const dispose = async () => void (await Promise.all(servers.map((server) => server.stop())));
  const tryCommand = (server: RedisServer, ...args: (string | number)[]) =>
    askServer(server.port, (client) => client.call(String(args[0]), ...args.slice(1)));
  /** Like `ask`, but fails if the node rejects the command. */
  const command = async (server: RedisServer, ...args: (string | number)[]) => {
    const reply = await tryCommand(server, ...args);
    if (reply === undefined) throw new Error(`${args.join(' ')} was rejected`);
    return reply;
  };
  const start = async () => {
    // The cluster bus needs a free port, too; its default is 10,000 above, where a client's connection may be.
    const bus = ['--cluster-port', `${await freePort()}`];
    const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'];
    const replication = ['--repl-diskless-sync-delay', '0', '--cluster-replica-validity-factor', '0'];
    const server = await startRedis({ args: [...cluster, ...bus, ...replication] });
    servers.push(server);
    return { server, bus: Number(bus[1]) };
  };

  async function slots(): Promise<SlotRange[]> {
    for (const server of servers) {
      const replies = await tryCommand(server, 'CLUSTER', 'SLOTS');
      if (replies) return replies as SlotRange[];
    }
    throw new Error('no node of the cluster responds');
  }

  const untilComplete = async () => {
    const isComplete = async () => {
      const replies = await Promise.all(servers.map((server) => tryCommand(server, 'CLUSTER', 'INFO')));
      return replies.every((info) => info === undefined || String(info).includes('cluster_state:ok'));
    };
    await until(isComplete, { what: 'a complete cluster', timeoutMs: 20_000, everyMs: 50 });
  };

  async function ownerOf(key: string): Promise<RedisServer> {
    const slot = (
      await Promise.all(servers.map((server) => tryCommand(server, 'CLUSTER', 'KEYSLOT', key)))
    ).find((reply) => reply !== undefined) as number;
    const range = (await slots()).find(([first, last]) => first <= slot && slot <= last);
    return servers.find(({ port }) => port === range![2][1])!;
  }

  try {
    const nodes = await Promise.all([0, 1, 2, 3, 4, 5].map(start));
    const [masters, replicas] = [nodes.slice(0, 3), nodes.slice(3)];
    await Promise.all(
      masters.map(({ server }, i) => {
        const [first, next] = [Math.floor((i * SLOTS) / 3), Math.floor(((i + 1) * SLOTS) / 3)];
        return command(server, 'CLUSTER', 'ADDSLOTSRANGE', first, next - 1);
      }),
    );
    await Promise.all(nodes.map(({ server }, i) => command(server, 'CLUSTER', 'SET-CONFIG-EPOCH', i + 1)));
    for (const { server, bus } of nodes.slice(1)) {
      await command(nodes[0]!.server, 'CLUSTER', 'MEET', '127.0.0.1', server.port, bus);
    }
    const known = async () => {
      const replies = await Promise.all(servers.map((server) => command(server, 'CLUSTER', 'NODES')));
      return replies.every(
        (text) => !String(text).includes('handshake') && String(text).trim().split('\n').length === 6,
      );
    };
    await until(known, { what: 'the nodes to know each other', timeoutMs: 20_000, everyMs: 50 });
    for (const [i, { server }] of replicas.entries()) {
      const id = (await command(masters[i]!.server, 'CLUSTER', 'MYID')) as string;
      await command(server, 'CLUSTER', 'REPLICATE', id);
    }
    const isReplicated = async () => {
      const roles = await Promise.all(replicas.map(({ server }) => command(server, 'ROLE')));
      const ranges = await slots();
      return (
        roles.every((role) => (role as unknown[])[3] === 'connected') &&
        ranges.every((range) => range.length > 3)
      );
    };
    await until(isReplicated, { what: 'a replica of each master', timeoutMs: 20_000, everyMs: 50 });
    await untilComplete();
    return {
      url: `redis+cluster://${masters.slice(0, 2).map(({ server }) => `127.0.0.1:${server.port}`)}`,
      masters: masters.map(({ server }) => server),
      replicas: replicas.map(({ server }) => server),
      ownerOf,
      untilComplete,
      async moveSlot(key, to, halfway = async () => {}) {
        const from = await ownerOf(key);
        const slot = (await command(from, 'CLUSTER', 'KEYSLOT', key)) as number;
        const [fromId, toId] = (await Promise.all(
          [from, to].map((master) => command(master, 'CLUSTER', 'MYID')),
        )) as string[];
        await command(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId!);
        await command(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId!);
        const names = (await command(from, 'CLUSTER', 'GETKEYSINSLOT', slot, 1_000)) as string[];
        if (names.length > 0) {
          await command(from, 'MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...names);
        }
        await halfway();
        await command(to, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId!);
        await command(from, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId!);
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
