// One deployment over one Redis: servers, the balancer in front of them, and the workers that publish.
import type { Random } from '../random.ts';
import type { TemporalStage, TemporalWorkers } from '../temporal/stage.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { createServerProcess, type ServerProcess } from './server.ts';
import { startWorkers, type Workers } from './workers.ts';

export interface Deployment {
  readonly servers: readonly ServerProcess[];
  readonly balancer: Balancer;
  readonly workers: Workers;
  /** Absent without Temporal. */
  readonly temporalWorkers: TemporalWorkers | undefined;
}

export interface DeploymentOptions {
  /** The prefix of the names of its processes and logs. */
  readonly name: string;
  /** The folder of logs and journals. */
  readonly folder: string;
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** How many replicas must have an event before it is acknowledged. */
  readonly waitReplicas: number;
  readonly sharedKey: string;
  readonly random: Random;
  readonly servers: number;
  readonly workers: number;
  readonly temporal?: { readonly stage: TemporalStage; readonly workers: number } | undefined;
  /** Command-line options of the servers' Node process. */
  readonly node: readonly string[];
  /** Additional environment variables of the servers. */
  readonly env: Readonly<Record<string, string>>;
  /** Receives the cleanup of each part, in the order in which the parts were started. */
  onStop(end: () => Promise<unknown>): void;
}

/** Short, so that tokens expire while viewers watch. */
const SESSION_MS = 12_000;

export async function startDeployment(options: DeploymentOptions): Promise<Deployment> {
  const { name, folder, redisUrl, databaseUrl, waitReplicas, sharedKey, random, temporal, onStop } = options;
  const env = {
    REDIS_URL: redisUrl,
    REDIS_WAIT_REPLICAS: `${waitReplicas}`,
    DATABASE_URL: databaseUrl,
    AUTH_SHARED_KEY: sharedKey,
    AUTH_CLOCK_SKEW_SECONDS: '0',
    AUTH_SESSION_MS: `${SESSION_MS}`,
    HEARTBEAT_MS: '5000',
    // Short, so that viewers experience rotations.
    LIFETIME_MS: '45000',
    ...(temporal && { TEMPORAL_ADDRESS: temporal.stage.address }),
    ...options.env,
  };
  const servers: ServerProcess[] = [];
  for (let n = 1; n <= options.servers; n += 1) {
    const server = await createServerProcess({
      ...{ name: `${name}server-${n}`, folder, env },
      node: options.node,
    });
    onStop(() => server.kill());
    servers.push(server);
  }
  await Promise.all(servers.map((server) => server.start()));
  const ports = servers.map(({ port }) => port);
  const balancer = await startBalancer(ports, random.fork('balancer'));
  onStop(() => balancer.close());
  const workers = await startWorkers({
    ...{ name, count: options.workers, folder, random: random.fork('workers') },
    settings: { redisUrl, databaseUrl, waitReplicas, url: balancer.url, sharedKey },
  });
  onStop(() => workers.stop());
  const temporalWorkers = await temporal?.stage.startWorkers({
    ...{ name, count: temporal.workers, folder, redisUrl, databaseUrl },
    random: random.fork('temporal'),
  });
  onStop(async () => temporalWorkers?.stop());
  return { servers, balancer, workers, temporalWorkers };
}
