// A worker that publishes as fast as possible: with our publisher, with our log only, and with PUBLISH only.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import { createRedisLogWriter } from '../src/log/redis/writer.ts';
import type { Place } from './servers/server.ts';

const EXECUTIONS = 100;
const PIECES = 500;
const PIECE =
  'a piece of text as a model writes it, of about a hundred bytes, with a line break at its end. . . .\n';
/** Concurrent calls to Redis per execution. */
const CONCURRENCY = 10;

const WAYS = {
  'publisher, text()': byPublisher,
  'append, one event each': byAppend,
  'PUBLISH only': byPublish,
};

export type Way = keyof typeof WAYS;
export const PUBLISHING_WAYS = Object.keys(WAYS) as Way[];

/** @returns pieces per second, from the first call to the last acknowledgement */
export async function publishThroughput(way: Way, place: Place): Promise<number> {
  const seconds = await WAYS[way](
    place,
    Array.from({ length: EXECUTIONS }, (_, n) => `${way.length}-${n}`),
  );
  return (EXECUTIONS * PIECES) / seconds;
}

async function byPublisher({ redisUrl, databaseUrl, folder, dist }: Place, ids: string[]): Promise<number> {
  const worker: typeof import('../src/worker.ts') = await import(pathToFileURL(join(dist, 'worker.js')).href);
  const log = worker.createRedisLogWriter({ redis: redisUrl });
  const dataDir = join(folder, 'worker');
  const store = worker.createPrismaStore(databaseUrl ? { url: databaseUrl } : { dataDir });
  const publisher = worker.createPublisher({ log, store });
  const unique = process.hrtime.bigint();
  const runs = await Promise.all(
    ids.map((id) => publisher.begin({ id: `${unique}-${id}`, kind: 'agent', mode: 'TEXT' })),
  );
  const seconds = await timed(() =>
    Promise.all(
      runs.map(async (run) => {
        for (let n = 0; n < PIECES; n++) await run.text(PIECE);
        while (run.stats.queuedBytes > 0) await new Promise(setImmediate);
      }),
    ),
  );
  await Promise.all(runs.map((run) => run.complete()));
  await publisher.close();
  await Promise.all([log.close(), store.close()]);
  return seconds;
}

async function byAppend({ redisUrl }: Place, ids: string[]): Promise<number> {
  const log = createRedisLogWriter({ redis: redisUrl });
  const opened = await Promise.all(
    ids.map(async (id) => {
      const result = await log.open(id, { numbering: 'auto', publisher: 'bench', attempt: 1 });
      if (result.outcome !== 'opened')
        throw new Error(`the log ${id} could not be opened: ${result.outcome}`);
      return { id, epoch: result.head.epoch };
    }),
  );
  const event = { type: 'llm_chunk', ts: new Date().toISOString(), data: { content: PIECE } } as const;
  const seconds = await timed(() =>
    eachPiece(opened, ({ id, epoch }) =>
      log.append(id, { epoch, acknowledged: 0, publisher: 'bench', events: [event] }),
    ),
  );
  await log.close();
  return seconds;
}

async function byPublish({ redisUrl }: Place, ids: string[]): Promise<number> {
  const redis = new Redis(redisUrl);
  const seconds = await timed(() => eachPiece(ids, (id) => redis.publish(id, PIECE)));
  await redis.quit();
  return seconds;
}

async function eachPiece<T>(targets: readonly T[], publish: (target: T) => Promise<unknown>): Promise<void> {
  await Promise.all(
    targets.map(async (target) => {
      for (let n = 0; n < PIECES; n += CONCURRENCY) {
        await Promise.all(Array.from({ length: CONCURRENCY }, () => publish(target)));
      }
    }),
  );
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1_000;
}
