// A cluster of a test's own: three masters with a replica each, put together by commands (redis-cli need not be there).
//
//   await using redis = await startCluster();
//   … redis.url … await redis.ownerOf('some key').kill(); …
import { freePort } from '../../scripts/server-process.ts';
import { type RedisServer, startRedis } from './redis.ts';
import { askServer } from './redis-sentinel.ts';
import { until } from './wait.ts';

const SLOTS = 16_384;

export interface RedisCluster extends AsyncDisposable {
  /** As REDIS_URL has it: two of the nodes. */
  readonly url: string;
  readonly masters: readonly RedisServer[];
  readonly replicas: readonly RedisServer[];
  /** Who has a key's slot now, by the word of the nodes that live. */
  ownerOf(key: string): Promise<RedisServer>;
  /** Resolves when every node that lives says so of the whole cluster. */
  untilWhole(): Promise<void>;
  /** Moves a slot with its keys from one master to another, telling `half` when it is between the two. */
  moveSlot(key: string, to: RedisServer, half?: () => Promise<void>): Promise<void>;
}

type SlotRange = [number, number, [string, number], ...unknown[]];

export async function startCluster(): Promise<RedisCluster> {
  const servers: RedisServer[] = [];
  const dispose = async () => void (await Promise.all(servers.map((server) => server.stop())));
  const ask = (server: RedisServer, ...words: (string | number)[]) =>
    askServer(server.port, (client) => client.call(String(words[0]), ...words.slice(1)));
  /** Like `ask`, and fails where the node refuses. */
  const tell = async (server: RedisServer, ...words: (string | number)[]) => {
    const answer = await ask(server, ...words);
    if (answer === undefined) throw new Error(`${words.join(' ')} was refused`);
    return answer;
  };
  const start = async () => {
    // The bus must be reached too; by default its port is 10,000 above, where a client's connection may sit.
    const bus = ['--cluster-port', `${await freePort()}`];
    const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'];
    const replication = ['--repl-diskless-sync-delay', '0', '--cluster-replica-validity-factor', '0'];
    const server = await startRedis({ args: [...cluster, ...bus, ...replication] });
    servers.push(server);
    return { server, bus: Number(bus[1]) };
  };

  async function slots(): Promise<SlotRange[]> {
    for (const server of servers) {
      const told = await ask(server, 'CLUSTER', 'SLOTS');
      if (told) return told as SlotRange[];
    }
    throw new Error('no node of the cluster answers');
  }

  const untilWhole = async () => {
    const look = async () => {
      const told = await Promise.all(servers.map((server) => ask(server, 'CLUSTER', 'INFO')));
      return told.every((info) => info === undefined || String(info).includes('cluster_state:ok'));
    };
    await until(look, { what: 'a whole cluster', timeoutMs: 20_000, everyMs: 50 });
  };

  async function ownerOf(key: string): Promise<RedisServer> {
    const slot = (await Promise.all(servers.map((server) => ask(server, 'CLUSTER', 'KEYSLOT', key)))).find(
      (told) => told !== undefined,
    ) as number;
    const range = (await slots()).find(([first, last]) => first <= slot && slot <= last);
    return servers.find(({ port }) => port === range![2][1])!;
  }

  try {
    const nodes = await Promise.all([0, 1, 2, 3, 4, 5].map(start));
    const [masters, replicas] = [nodes.slice(0, 3), nodes.slice(3)];
    await Promise.all(
      masters.map(({ server }, i) => {
        const [first, next] = [Math.floor((i * SLOTS) / 3), Math.floor(((i + 1) * SLOTS) / 3)];
        return tell(server, 'CLUSTER', 'ADDSLOTSRANGE', first, next - 1);
      }),
    );
    await Promise.all(nodes.map(({ server }, i) => tell(server, 'CLUSTER', 'SET-CONFIG-EPOCH', i + 1)));
    for (const { server, bus } of nodes.slice(1)) {
      await tell(nodes[0]!.server, 'CLUSTER', 'MEET', '127.0.0.1', server.port, bus);
    }
    const known = async () => {
      const told = await Promise.all(servers.map((server) => tell(server, 'CLUSTER', 'NODES')));
      return told.every(
        (text) => !String(text).includes('handshake') && String(text).trim().split('\n').length === 6,
      );
    };
    await until(known, { what: 'the nodes to know each other', timeoutMs: 20_000, everyMs: 50 });
    for (const [i, { server }] of replicas.entries()) {
      const id = (await tell(masters[i]!.server, 'CLUSTER', 'MYID')) as string;
      await tell(server, 'CLUSTER', 'REPLICATE', id);
    }
    const isReplicated = async () => {
      const roles = await Promise.all(replicas.map(({ server }) => tell(server, 'ROLE')));
      const ranges = await slots();
      return (
        roles.every((role) => (role as unknown[])[3] === 'connected') &&
        ranges.every((range) => range.length > 3)
      );
    };
    await until(isReplicated, { what: 'a replica of each master', timeoutMs: 20_000, everyMs: 50 });
    await untilWhole();
    return {
      url: `redis+cluster://${masters.slice(0, 2).map(({ server }) => `127.0.0.1:${server.port}`)}`,
      masters: masters.map(({ server }) => server),
      replicas: replicas.map(({ server }) => server),
      ownerOf,
      untilWhole,
      async moveSlot(key, to, half = async () => {}) {
        const from = await ownerOf(key);
        const slot = (await tell(from, 'CLUSTER', 'KEYSLOT', key)) as number;
        const [fromId, toId] = (await Promise.all(
          [from, to].map((one) => tell(one, 'CLUSTER', 'MYID')),
        )) as string[];
        await tell(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId!);
        await tell(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId!);
        const names = (await tell(from, 'CLUSTER', 'GETKEYSINSLOT', slot, 1_000)) as string[];
        if (names.length > 0) {
          await tell(from, 'MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...names);
        }
        await half();
        await tell(to, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId!);
        await tell(from, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId!);
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
