// Selects the database: Postgres by its URL, or PGlite, a Postgres in a thread of this process. Each is loaded on
// demand, because both take time and memory.
import type { Database, DatabaseOptions } from './database.ts';
import type { DatabaseLocation } from './location.ts';

/**
 * Connects to the database and applies missing migrations.
 * @throws the driver's errors; ExecstreamError `SOURCE_UNAVAILABLE` if another process uses the directory, and `CONFIG`
 *   if the directory cannot be used
 */
export async function connectDatabase(
  location: DatabaseLocation,
  options: DatabaseOptions,
): Promise<Database> {
  if ('url' in location) {
    const { connectPostgres } = await import('./postgres.ts');
    return connectPostgres(location.url, options);
  }
  const { connectPGlite } = await import('./pglite.ts');
  return connectPGlite('dataDir' in location ? location.dataDir : undefined, options);
}
