// Which part of a server is real and which is its embedded default, in words for whoever starts it.
import { describeRedisUrl } from '../redis/url.ts';
import type { Config } from './config/config.ts';

export interface PartDescription {
  readonly part: string;
  /** What stands behind it. */
  readonly is: string;
  /** What an embedded part cannot do, and what replaces it; absent for a real one. */
  readonly limits?: string;
}

/** Describes the parts that a configuration leads to. Shows hosts, never credentials. */
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
          limits: 'for one server; DATABASE_URL names a Postgres',
        },
    redisUrl
      ? { part: 'log', is: describeRedisUrl(redisUrl) }
      : {
          part: 'log',
          is: 'embedded: memory',
          limits: 'gone with the process, and out of reach of other processes; REDIS_URL names a Redis',
        },
    temporal
      ? { part: 'workflows', is: `Temporal at ${temporal.address}, namespace ${temporal.namespace}` }
      : {
          part: 'workflows',
          is: 'published to the log',
          limits: 'those of Temporal are not watched; TEMPORAL_ADDRESS names one',
        },
  ];
}
