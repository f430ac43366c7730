// Logs that connections are refused, each reason once a minute: above the limit, or without a file descriptor left. In
// the second case libuv accepts and closes a connection without any event, so that it must be found by a probe.
import { open } from 'node:fs/promises';
import type { Server as HttpServer } from 'node:http';
import type { ErrorLogger } from '../telemetry/logger.ts';

const LOG_EVERY_MS = 60_000;
const PROBE_EVERY_MS = 5_000;

const EXHAUSTED: { readonly [code: string]: string } = {
  EMFILE:
    'this process has no file descriptor left (EMFILE); raise its limit of open files or lower MAX_STREAMS',
  ENFILE: 'this machine has no file descriptor left (ENFILE); raise fs.file-max or end what holds them',
};
const CONSEQUENCE =
  'new connections are closed unanswered, and lost ones to Redis or the database cannot be made again';

/**
 * Begins to watch a server.
 * @param probe opens a file and closes it
 * @returns ends it
 */
export function logRefusedConnections(
  http: HttpServer,
  logger: ErrorLogger,
  probe: () => Promise<void> = openAnything,
): () => void {
  const logs = new Map<string, { at: number; count: number }>();

  function logSometimes(reason: string, details: object, message: string): void {
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
    logSometimes(code, { err }, reason ? `${reason}: ${CONSEQUENCE}` : 'a connection could not be accepted');
  }

  http.on('error', onError);
  http.on('drop', () => {
    const { maxConnections } = http;
    const message = 'connections are refused: the limit is reached; raise MAX_STREAMS or add servers';
    logSometimes('limit', { maxConnections }, message);
  });
  const probing = setInterval(() => {
    probe().catch((error) => {
      if ((error as NodeJS.ErrnoException).code! in EXHAUSTED) onError(error);
    });
  }, PROBE_EVERY_MS).unref();
  return () => clearInterval(probing);
}

async function openAnything(): Promise<void> {
  await (await open('/dev/null')).close();
}
