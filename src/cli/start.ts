// `execstream start`: the server, as the environment configures it, until it is told to stop.
import { Command } from 'commander';
import { pino } from 'pino';
import { isExecstreamError } from '../event/error.ts';
import { readConfig } from '../server/config.ts';
import { describeParts } from '../server/parts.ts';
import { listen } from '../server/server.ts';
import { createParts, createServices } from '../server/services.ts';

export function startCommand(): Command {
  return new Command('start')
    .description(
      'start the server; PORT, HOST, DATA_DIR, DATABASE_URL, REDIS_URL and TEMPORAL_ADDRESS configure it',
    )
    .action(async () => {
      try {
        await start();
      } catch (error) {
        process.stderr.write(`execstream: ${explain(error)}\n`);
        process.exitCode = 1;
      }
    });
}

async function start(): Promise<void> {
  const config = readConfig();
  const logger = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
  const parts = createParts(config, logger);
  const { streams: settings, limits, publisherLostMs: lostAfterMs } = config;
  const services = createServices({ ...parts, settings, limits, logger, liveness: { lostAfterMs } });
  const server = await listen(services, config);
  for (const { part, is, limits } of describeParts(config)) {
    logger.info({ part }, limits ? `${is} (${limits})` : is);
  }
  logger.info({ url: server.url }, 'ready');

  const stop = async (signal: NodeJS.Signals) => {
    logger.info({ signal }, 'stopping');
    await server.close();
    await Promise.all([parts.log.close(), parts.store.close()]);
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
}

/** What the operator can do about it, without a stack. */
function explain(error: unknown): string {
  if (isExecstreamError(error)) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return 'the port is taken; set PORT to another one, or to 0 for a free one';
  return message;
}
