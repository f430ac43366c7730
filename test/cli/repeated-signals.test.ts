// A server that gets several signals while it drains finishes its streams: systemd sends one to every process of the
// group, and then Kubernetes or a person repeats it.
//
//   STOP_ROUNDS=100 npm test -- test/cli/repeated-signals     the long form
import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRandom, type Random } from '../../prove/random.ts';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { createPublisher } from '../../src/worker.ts';
import { type ServerProcess, startProcess } from '../server/process.ts';
import { range } from '../support/app.ts';
import { createDatabase, type Database, describePostgres } from '../support/postgres.ts';
import { describeOwnRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';
import { Viewer } from './viewer.ts';

const ROUNDS = Number(process.env.STOP_ROUNDS ?? 2);
/** The seed of the signals; `STOP_SEED` repeats those of an earlier run. */
const SEED = Number(process.env.STOP_SEED ?? Date.now() % 1_000_000_000);
const SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
const EXECUTIONS = 10;
const VIEWERS = 250;
/** How long one round may take, in ms. */
const ROUND_MS = 90_000;

/** Sends a signal to each process once, and a second time after a moment. A process may have ended by then. */
async function signalTwice(server: ServerProcess, random: Random): Promise<void> {
  const workers = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8')
    .split(' ')
    .filter((pid) => pid !== '')
    .map(Number);
  const signals = () =>
    random.shuffled([server.pid, ...workers]).map((pid) => [pid, random.pick(SIGNALS)] as const);
  for (const [pid, signal] of signals()) {
    if (random.chance(0.5)) await delay(random.integer(0, 50));
    kill(pid, signal);
  }
  await delay(random.integer(0, 1_000));
  // A person repeats it for the command alone, Ctrl-C for the group.
  const isGroup = random.chance(0.5);
  for (const [pid, signal] of signals()) if (isGroup || pid === server.pid) kill(pid, signal);
}

function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

describePostgres('with Postgres', () => {
  describeOwnRedis('and Redis', () => {
    let redis: RedisServer;
    let database: Database;
    let log: ReturnType<typeof createRedisLog>;
    let store: ReturnType<typeof createPrismaStore>;
    beforeAll(async () => {
      [redis, database] = await Promise.all([startRedis(), createDatabase()]);
      log = createRedisLog({ redis: redis.url });
      store = createPrismaStore({ url: database.url });
    });
    afterAll(async () => {
      await Promise.all([log?.close(), store?.close()]);
      await redis?.stop();
      await database?.drop();
    });

    test.each(['command', 'workers'] as const)(
      `streams of a server that is stopped with repeated signals complete (%s, ${ROUNDS} rounds, STOP_SEED=${SEED})`,
      async (entry) => {
        const env = { REDIS_URL: redis.url, DATABASE_URL: database.url };
        await using server = await startProcess(env, entry);
        const publisher = createPublisher({ log, store });
        const random = createRandom(SEED, entry);
        let connections = 0;
        let slowestMs = 0;

        async function publish(id: string, endOn: Promise<unknown>): Promise<number> {
          const run = await publisher.begin({ id, kind: 'agent' });
          let isOn = true;
          void endOn.then(() => {
            isOn = false;
          });
          for (let n = 1; isOn; n += 1) {
            await run.text(`${n} `);
            await delay(100);
          }
          expect(await run.complete()).toBe(true);
          return (await log.head(id))!.head;
        }

        async function round(n: number, signal: AbortSignal): Promise<void> {
          let onRestarted = (): void => {};
          const restarted = new Promise<void>((resolve) => {
            onRestarted = resolve;
          });
          const ids = range(1, EXECUTIONS).map((i) => `${entry}-${n}-${i}`);
          // Some executions end while the server drains.
          const heads = ids.map((id, i) =>
            publish(id, i % 2 ? restarted : delay(random.integer(500, 2_500))),
          );
          await Promise.all(ids.map((id) => until(() => log.head(id), { timeoutMs: 20_000 })));
          const viewers = range(1, VIEWERS).map((i) => new Viewer(server.url, ids[i % EXECUTIONS]!));
          const watching = Promise.all(viewers.map((viewer) => viewer.watch(signal)));
          await until(() => viewers.every(({ seqs }) => seqs.length > 0), { timeoutMs: 30_000 });

          const { pid, exited } = server;
          const stoppedAt = performance.now();
          await signalTwice(server, random.fork(`round ${n}`));
          expect(await exited, server.printed()).toBe('code 0');
          slowestMs = Math.max(slowestMs, performance.now() - stoppedAt);
          await until(() => !kill(-pid, 0), { what: 'no process of its group to be left' });
          const printed = server.printed();
          expect(printed.slice(printed.indexOf('"msg":"stopping"'))).not.toMatch(/"level":(50|60)/);

          await server.start();
          onRestarted();
          await watching;
          const published = await Promise.all(heads);
          for (const [i, viewer] of viewers.entries()) {
            expect(viewer.seqs).toEqual(range(1, published[(i + 1) % EXECUTIONS]!));
            expect(viewer.cut).toBe(0);
            connections += viewer.connections;
          }
        }

        try {
          for (let n = 1; n <= ROUNDS; n += 1) {
            const signal = AbortSignal.timeout(ROUND_MS);
            setMaxListeners(0, signal);
            await round(n, signal);
          }
        } finally {
          await publisher.close();
        }
        console.log(
          `${entry}: ${ROUNDS} rounds, ${ROUNDS * VIEWERS} streams completed over ${connections} connections, ` +
            `slowest stop ${Math.round(slowestMs)} ms`,
        );
      },
      ROUNDS * ROUND_MS,
    );
  });
});
