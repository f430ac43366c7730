// Logs refused connections, each reason once per minute: the limit is reached, or no file descriptor is left. In the
// second case libuv accepts and closes a connection without emitting an event, so it is detected by a probe.
import { open } from 'node:fs/promises';
import type { Server as HttpServer } from 'node:http';
import type { ErrorLogger } from '../telemetry/logger.ts';

const LOG_EVERY_MS = 60_000;
const PROBE_EVERY_MS = 5_000;

const EXHAUSTED: { readonly [code: string]: string } = {
  EMFILE:
    'no file descriptor left in this process (EMFILE); raise its limit of open files or lower MAX_STREAMS',
  ENFILE: 'no file descriptor left on this machine (ENFILE); raise fs.file-max or stop other processes',
};
const CONSEQUENCE =
  'new connections are closed without a response, and Redis and the database cannot be reconnected';

/**
 * Starts to watch a server.
 * @param probe opens and closes a file
 * @returns a function that stops it
 */
export function logRefusedConnections(
  http: HttpServer,
  logger: ErrorLogger,
  probe: () => Promise<void> = openDevNull,
): () => void {
  const logs = new Map<string, { at: number; count: number }>();

  function logRateLimited(reason: string, details: object, message: string): void {
    const now = performance.now();
    const last = logs.get(reason);
    const count = (last?.count ?? 0) + 1;
    const isDue = !last || now - last.at >= LOG_EVERY_MS;
    logs.set(reason, isDue ? { at: now, count: 0 } : { at: last.at, count });
    if (isDue) logger.error({ ...details, count }, message);
  }

  function onError(err: unknown): void {
    const code = String((err as NodeJS.ErrnoException).code);
    const reason = EXHAUSTED[code];
    logRateLimited(code, { err }, reason ? `${reason}: ${CONSEQUENCE}` : 'could not accept a connection');
  }

  http.on('error', onError);
  http.on('drop', () => {
    const { maxConnections } = http;
    const message = 'refusing connections: connection limit reached; raise MAX_STREAMS or add servers';
    logRateLimited('limit', { maxConnections }, message);
  });
  const probing = setInterval(() => {
    probe().catch((error) => {
      if ((error as NodeJS.ErrnoException).code! in EXHAUSTED) onError(error);
    });
  }, PROBE_EVERY_MS).unref();
  return () => clearInterval(probing);
}

async function openDevNull(): Promise<void> {
  await (await open('/dev/null')).close();
}
