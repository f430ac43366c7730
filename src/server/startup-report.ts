// Describes the parts of a server to its operator: external services, or embedded defaults.
import { describeRedisUrl } from '../redis/url.ts';
import type { Config } from './config/config.ts';

export interface PartDescription {
  readonly part: string;
  /** The service, or the embedded part. */
  readonly is: string;
  /** The limits of an embedded part, and how to replace it. */
  readonly limits?: string;
}

/** Describes the parts that a configuration names. Contains hosts, never credentials. */
export function describeParts({
  databaseUrl,
  redisUrl,
  dataDir,
  temporal,
}: Config): readonly PartDescription[] {
  return [
    databaseUrl
      ? { part: 'executions', is: `Postgres at ${new URL(databaseUrl).host}` }
      : {
          part: 'executions',
          is: `embedded: PGlite in ${dataDir}`,
          limits: 'single server only; set DATABASE_URL to use Postgres',
        },
    redisUrl
      ? { part: 'log', is: describeRedisUrl(redisUrl) }
      : {
          part: 'log',
          is: 'embedded: memory',
          limits:
            'lost when the process ends, and not shared with other processes; set REDIS_URL to use Redis',
        },
    temporal
      ? { part: 'workflows', is: `Temporal at ${temporal.address}, namespace ${temporal.namespace}` }
      : {
          part: 'workflows',
          is: 'published to the log',
          limits: 'workflows of Temporal are not watched; set TEMPORAL_ADDRESS to watch them',
        },
  ];
}
