// Which database there is: Postgres by its URL, or PGlite, a Postgres in a thread of this process. Each is loaded only if asked
// for, so that nobody waits for, or holds in memory, the one that is not used.
import type { ConnectOptions, Database } from './database.ts';

/** Where executions are kept. */
export type DatabaseLocation =
  | { readonly url: string }
  /** A folder of this server alone; PGlite keeps its files in a folder of its own in it. */
  | { readonly dataDir: string }
  /** Gone with the process. */
  | { readonly memory: true };

/**
 * Connects, and brings the database up to date.
 * @throws The driver's errors, and ExecstreamError `SOURCE_UNAVAILABLE` where another process holds the folder.
 */
export async function connect(location: DatabaseLocation, options: ConnectOptions): Promise<Database> {
  if ('url' in location) {
    const { connectPostgres } = await import('./postgres.ts');
    return connectPostgres(location.url, options);
  }
  const { connectPGlite } = await import('./pglite.ts');
  return connectPGlite('dataDir' in location ? location.dataDir : undefined, options);
}
