// A server process over a real Redis and a real database, and a publisher in another process: this one.
import { setTimeout as sleep } from 'node:timers/promises';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { createPublisher, type ExecutionPublisher } from '../../src/worker.ts';
import { type ServerProcess, startProcess } from '../server/process.ts';
import { createDatabase } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';
import type { Seen } from './clients.ts';

/** Events of a run: the start, texts, two events of each tool call, and the end. Texts that wait are sent as one. */
export const EVENTS = 122;

/** Texts that readers of event streams get wrong: leading and trailing blanks, line breaks, colons, JSON. */
const TEXTS = ['One', ' two', '  three ', '\n', 'a: b\n\nc ', '{"d":1}', '4', 'ü ☃ 𝄞\n', ' ', 'data: x'];

export interface World extends AsyncDisposable {
  /** Tests may stop it and start it again. */
  readonly server: ServerProcess;
  /** Rotates connections after 1.2 to 1.5 s. */
  readonly rotating: ServerProcess;
  begin(id: string, mode?: 'TEXT' | 'STRUCTURED'): Promise<Publishing>;
}

/** A run that is being published. */
export interface Publishing {
  readonly run: ExecutionPublisher;
  /** Publishes the next events, one at a time. */
  publish(count: number, everyMs: number): Promise<void>;
  /** Ends the run. Returns its events. */
  complete(): Promise<readonly Seen[]>;
}

export async function startWorld(): Promise<World> {
  const [redis, database] = await Promise.all([startRedis(), createDatabase()]);
  const env = { REDIS_URL: redis.url, DATABASE_URL: database.url, DRAIN_MS: '300' };
  // One after the other: the first one migrates the database.
  const server = await startProcess(env);
  const rotating = await startProcess({ ...env, LIFETIME_MS: '1500' });
  const log = createRedisLog({ redis: redis.url });
  const store = createPrismaStore({ url: database.url });
  const publisher = createPublisher({ log, store });
  return {
    server,
    rotating,
    begin: async (id, mode = 'TEXT') => {
      const run = await publisher.begin({ id, kind: 'agent', mode });
      // `begin` does not wait for a busy database longer than its timeout; a client would not find the execution then.
      await until(() => store.get(id), { what: `the row of ${id}`, timeoutMs: 30_000 });
      let count = 0;
      const publishNext = () => {
        const i = count++;
        if (i % 10 < 8) return run.text(TEXTS[(i >> 1) % TEXTS.length]!);
        const call = { toolCallId: `call-${Math.floor(i / 10)}`, toolName: 'search' };
        return run.toolCall(
          i % 10 === 8
            ? { ...call, status: 'started', args: { q: 'a b' } }
            : { ...call, status: 'succeeded', result: { hits: i } },
        );
      };
      return {
        run,
        publish: async (more, everyMs) => {
          for (let i = 0; i < more; i += 1) {
            await publishNext();
            await sleep(everyMs);
          }
        },
        complete: async () => {
          await run.complete();
          const { epoch, events } = (await log.read(id, 0, 1_000))!;
          return events.map(({ seq, type, data }) => ({
            id: `${seq}-${epoch}`,
            type,
            content: type === 'llm_chunk' ? (data as { content: string }).content : undefined,
          }));
        },
      };
    },
    [Symbol.asyncDispose]: async () => {
      await publisher.close();
      await Promise.all([server.stop(), rotating.stop()]);
      await log.close();
      await store.close();
      await redis.stop();
      await database.drop();
    },
  };
}
