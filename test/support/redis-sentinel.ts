// A master, two replicas and three Sentinels for one test, which can be killed and frozen.
//
//   await using redis = await startSentinels();
//   … redis.url … await redis.master().kill(); … await redis.failedOver(); …
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, startServer } from '../../scripts/server-process.ts';
import { findPart, REDIS } from '../../scripts/test-services.ts';
import { type RedisServer, startRedis } from './redis.ts';
import { until } from './wait.ts';

const NAME = 'mymaster';

export interface Sentinels extends AsyncDisposable {
  /** For REDIS_URL. */
  readonly url: string;
  readonly servers: readonly RedisServer[];
  /** The initial master, or the last result of `failedOver`. */
  master(): RedisServer;
  /** Resolves once all Sentinels report a new master that accepts the role. Returns it. */
  failedOver(): Promise<RedisServer>;
  /** Makes the Sentinels promote a replica while the master is running. */
  failOver(): Promise<void>;
}

/** Uses a client and closes it; undefined if the server does not respond. */
export async function askServer<T>(port: number, ask: (client: Redis) => Promise<T>): Promise<T | undefined> {
  const client = new Redis(port, '127.0.0.1', { retryStrategy: () => null, commandTimeout: 1_000 });
  client.on('error', () => {});
  try {
    return await ask(client);
  } catch {
    return undefined;
  } finally {
    client.disconnect();
  }
}

/** Resolves once a master has this number of replicas that are up to date. */
export function untilReplicated(master: RedisServer, replicas: number): Promise<unknown> {
  const hasReplicas = async () => {
    const info = (await askServer(master.port, (client) => client.info('replication'))) ?? '';
    return (info.match(/state=online/g) ?? []).length >= replicas;
  };
  return until(hasReplicas, { what: `${replicas} replicas`, timeoutMs: 60_000, everyMs: 50 });
}

/** @param args additional arguments of the three servers. */
export async function startSentinels(args: readonly string[] = []): Promise<Sentinels> {
  const closing: (() => Promise<unknown>)[] = [];
  const dispose = async () => void (await Promise.all(closing.map((close) => close())));
  const start = async (extra: readonly string[] = []) => {
    const server = await startRedis({ args: ['--repl-diskless-sync-delay', '0', ...args, ...extra] });
    closing.push(() => server.stop());
    return server;
  };
  try {
    let master = await start();
    const replicaOf = ['--replicaof', '127.0.0.1', `${master.port}`];
    const servers = [master, ...(await Promise.all([start(replicaOf), start(replicaOf)]))];
    await untilReplicated(master, 2);
    const sentinels = await Promise.all([0, 1, 2].map(() => startSentinel(master.port, { quorum: 2 })));
    closing.push(...sentinels.map(({ stop }) => stop));
    const ports = sentinels.map(({ port }) => port);
    const sentinel = <T>(ask: (client: Redis) => Promise<T>) => askServer(ports[0]!, ask);
    await until(
      async () => {
        const known = await Promise.all(
          ports.map((port) => askServer(port, (client) => client.call('SENTINEL', 'MASTER', NAME))),
        );
        const of = (reply: unknown, field: string) => {
          const fields = reply as string[];
          return fields[fields.indexOf(field) + 1];
        };
        return known.every(
          (reply) => of(reply, 'num-slaves') === '2' && of(reply, 'num-other-sentinels') === '2',
        );
      },
      { what: 'the Sentinels to know each other and the replicas', timeoutMs: 20_000, everyMs: 50 },
    );
    return {
      url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
      servers,
      master: () => master,
      failOver: async () => void (await sentinel((client) => client.call('SENTINEL', 'FAILOVER', NAME))),
      failedOver: async () => {
        const before = master;
        master = await until(
          async () => {
            const replies = await Promise.all(
              ports.map((port) =>
                askServer(port, (client) => client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)),
              ),
            );
            // All Sentinels must agree: an outdated one would send clients back to a master that was restarted too
            // early.
            const [reported, ...others] = new Set(replies.map((address) => (address as string[])[1]));
            if (others.length > 0) return undefined;
            const now = servers.find(({ port }) => `${port}` === reported && port !== before.port);
            const role = now && (await askServer(now.port, (client) => client.role()));
            return role && (role as unknown[])[0] === 'master' ? now : undefined;
          },
          { what: 'another master', timeoutMs: 20_000, everyMs: 50 },
        );
        return master;
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

export interface Sentinel {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Starts a Sentinel that monitors a master under the name `mymaster`.
 * @param settings additional lines of its configuration.
 */
export async function startSentinel(
  masterPort: number,
  { quorum, settings: extra = [] }: { quorum: number; settings?: readonly string[] },
): Promise<Sentinel> {
  const binary = findPart(REDIS);
  if (binary === undefined) throw new Error('redis-server not found; call this inside describeOwnRedis');
  const folder = mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'sentinel-'));
  const port = await freePort();
  const file = join(folder, 'sentinel.conf');
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} ${quorum}`,
    // A Sentinel connects to a master only once per second (SENTINEL_PING_PERIOD in its source). With a shorter
    // time, a Sentinel that has just tried the dead master would consider the new one down before it connects.
    `sentinel down-after-milliseconds ${NAME} 1500`,
    `sentinel failover-timeout ${NAME} 3000`,
    `sentinel parallel-syncs ${NAME} 2`,
    ...extra,
  ];
  writeFileSync(file, `${settings.join('\n')}\n`);
  const running = await startServer({
    ...{ command: binary, args: [file, '--sentinel'], folder },
    ready: /\+monitor master/,
  });
  const stop = async () => {
    await running.end('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  return { port, stop };
}
