// The Redis of a run: keeps acknowledged data when it is killed, and can be made to lose them.
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { RedisServer } from '../../scripts/redis.ts';
import { findPart, REDIS } from '../../scripts/test-services.ts';

export interface RedisStage {
  readonly url: string;
  /** Kills it, and restarts it with all acknowledged data after `downMs`. */
  restart(downMs: number): Promise<void>;
  /** Suspends the process for `ms`; connections stay open. */
  freeze(ms: number): Promise<void>;
  /** Closes all client connections. */
  cutClients(): Promise<void>;
  /** Kills it, and restarts it without data. */
  empty(): Promise<void>;
  /** Saves the current contents for `rollBack`. */
  snapshot(): Promise<void>;
  /** Kills it, and restarts it with the contents of `snapshot`. */
  rollBack(): Promise<void>;
  /** The number of channels to which servers are subscribed. */
  subscriptions(): Promise<number>;
  /** The number of keys that match, for example leases. */
  count(pattern: string): Promise<number>;
  stop(): Promise<void>;
}

export async function startRedisStage(): Promise<RedisStage> {
  const binary = findPart(REDIS);
  if (!binary) throw new Error('The proof needs Redis 7 or newer; `npm test -- --install` installs it.');
  const server = await RedisServer.start({ binary, appendonly: true });
  const aof = join(server.folder, 'appendonlydir');
  const saved = join(server.folder, 'saved.rdb');

  async function withClient<T>(use: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(server.url, { lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => {});
    try {
      await client.connect();
      return await use(client);
    } finally {
      client.disconnect();
    }
  }

  return {
    url: server.url,
    async restart(downMs) {
      await server.kill();
      await pause(downMs);
      await server.restart();
    },
    async freeze(ms) {
      server.freeze();
      await pause(ms);
      server.thaw();
    },
    cutClients: () =>
      withClient(async (client) => {
        await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
        await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      }),
    async empty() {
      await server.kill();
      rmSync(aof, { recursive: true, force: true });
      await server.restart();
    },
    async snapshot() {
      await withClient((client) => client.save());
      copyFileSync(join(server.folder, 'dump.rdb'), saved);
    },
    async rollBack() {
      await server.kill();
      rmSync(aof, { recursive: true, force: true });
      // An append-only file may start with a snapshot, which restores the data and keeps append-only persistence.
      mkdirSync(aof);
      copyFileSync(saved, join(aof, 'appendonly.aof.1.base.rdb'));
      writeFileSync(
        join(aof, 'appendonly.aof.manifest'),
        'file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n',
      );
      writeFileSync(join(aof, 'appendonly.aof.1.incr.aof'), '');
      await server.restart();
    },
    subscriptions: () => withClient(async (client) => (await client.pubsub('CHANNELS', '*')).length),
    count: (pattern) =>
      withClient(async (client) => {
        let [cursor, found] = ['0', 0];
        do {
          const [next, keys] = await client.scan(cursor, 'MATCH', pattern, 'COUNT', 1_000);
          cursor = next;
          found += keys.length;
        } while (cursor !== '0');
        return found;
      }),
    stop: () => server.stop(),
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
