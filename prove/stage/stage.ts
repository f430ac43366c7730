// Everything that a run needs, on free ports: Redis, Postgres, Temporal, the deployment, and a second, smaller
// deployment over a Redis under Sentinel.
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { PostgresServer } from '../../scripts/postgres.ts';
import { findPart, POSTGRES } from '../../scripts/test-services.ts';
import type { Random } from '../random.ts';
import { startTemporalStage } from '../temporal/stage.ts';
import { type Deployment, startDeployment } from './deployment.ts';
import { type FailoverStage, startFailoverStage, WAIT_REPLICAS } from './failover.ts';
import { type RedisStage, startRedisStage } from './redis.ts';

export interface Stage {
  /** The folder of logs and journals. */
  readonly folder: string;
  readonly sharedKey: string;
  readonly redis: RedisStage;
  readonly postgres: PostgresServer;
  readonly main: Deployment;
  /** Absent unless it was requested. */
  readonly failover: { readonly redis: FailoverStage; readonly deployment: Deployment } | undefined;
  /** Adds cleanup that runs before that of the stage. */
  onStop(end: () => Promise<unknown>): void;
  /** Ends every process. The folder is kept. */
  stop(): Promise<void>;
}

export interface StageOptions {
  readonly random: Random;
  readonly servers: number;
  readonly workers: number;
  /** 0: without Temporal. */
  readonly temporalWorkers: number;
  readonly hasFailover: boolean;
  /** Command-line options of the servers' Node process, and additional environment variables. */
  readonly node?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** @throws Error if a part is not installed or does not start; nothing is left running then. */
export async function startStage(options: StageOptions): Promise<Stage> {
  const { random, node = [], env = {} } = options;
  const folder = realpathSync(mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'prove-')));
  // Postgres may run as another user, in a folder below this one.
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'journals'));
  process.env.TEST_FOLDER ??= folder;
  const ends: (() => Promise<unknown>)[] = [];
  const onStop = (end: () => Promise<unknown>): void => void ends.push(end);
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end().catch(() => {});
  };
  try {
    const bin = findPart(POSTGRES);
    if (!bin) throw new Error('The proof needs PostgreSQL; `npm test -- --install` installs it.');
    const redis = await startRedisStage();
    onStop(() => redis.stop());
    const postgres = await PostgresServer.start({ bin });
    onStop(() => postgres.stop());
    const temporal = options.temporalWorkers > 0 ? await startTemporalStage() : undefined;
    onStop(async () => temporal?.stop());
    const sharedKey = randomBytes(32).toString('hex');
    const common = { folder, sharedKey, node, env, onStop };
    const main = await startDeployment({
      ...{ ...common, name: '', redisUrl: redis.url, databaseUrl: postgres.url, waitReplicas: 0 },
      ...{ random, servers: options.servers, workers: options.workers },
      temporal: temporal && { stage: temporal, workers: options.temporalWorkers },
    });
    const failover = options.hasFailover ? await startSecond() : undefined;
    return { folder, sharedKey, redis, postgres, main, failover, onStop, stop };

    async function startSecond() {
      const second = await startFailoverStage();
      onStop(() => second.stop());
      const deployment = await startDeployment({
        ...{ ...common, name: 'failover-', redisUrl: second.url, waitReplicas: WAIT_REPLICAS },
        databaseUrl: await createDatabase(postgres.url, 'failover'),
        ...{ random: random.fork('failover'), servers: 1, workers: 1 },
      });
      return { redis: second, deployment };
    }
  } catch (error) {
    await stop();
    throw error;
  }
}

async function createDatabase(serverUrl: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
