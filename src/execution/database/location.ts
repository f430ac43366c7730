// Where executions are stored: the location that a caller passes, checked. Apart from the connection, so that the
// package's types do not depend on those of Prisma.
import { ExecstreamError } from '../../event/errors.ts';

/** Where executions are stored. */
export type DatabaseLocation =
  | { readonly url: string }
  /** A directory for this server only; PGlite stores its files in a subdirectory. */
  | { readonly dataDir: string }
  /** In memory: lost at the end of the process. */
  | { readonly memory: true };

/**
 * Checks a location that callers without types may have passed, such as a variable of the environment that is not set.
 * @throws ExecstreamError `CONFIG` without the URL, which may contain a password
 */
export function checkLocation(location: DatabaseLocation): void {
  const { url, dataDir, memory } = Object(location) as { [key: string]: unknown };
  if (typeof location === 'object' && location !== null && 'url' in location) {
    checkPostgresUrl('url', url);
    return;
  }
  if ((typeof dataDir === 'string' && dataDir !== '') || memory === true) return;
  throw invalid(`location: expected { url }, { dataDir } or { memory: true }, got ${typeof location}`);
}

/**
 * Checks a URL of Postgres that callers without types may have passed.
 * @param name of the option
 * @throws ExecstreamError `CONFIG` without the URL, which may contain a password
 */
export function checkPostgresUrl(name: string, url: unknown): void {
  const { protocol } = typeof url === 'string' && URL.canParse(url) ? new URL(url) : {};
  if (protocol === 'postgres:' || protocol === 'postgresql:') return;
  const got =
    protocol === undefined ? (typeof url === 'string' ? 'another text' : String(url)) : `${protocol}//`;
  throw invalid(`${name}: expected a URL that begins with postgresql:// or postgres://, got ${got}`);
}

function invalid(message: string): ExecstreamError {
  return new ExecstreamError('CONFIG', message);
}
