// `execstream start`: runs the server, configured by environment variables, until SIGTERM or SIGINT.
import cluster from 'node:cluster';
import { Command, InvalidArgumentError } from 'commander';
import { type Logger, pino } from 'pino';
import { ExecstreamError, isExecstreamError } from '../event/errors.ts';
import { type Config, readConfig } from '../server/config/config.ts';
import { optionsFromConfig } from '../server/config/from-config.ts';
import { toHelp } from '../server/config/reference.ts';
import { createExecstream } from '../server/create-execstream.ts';
import { listen } from '../server/node-server.ts';
import { describeParts } from '../server/startup-report.ts';
import { superviseWorkers } from './supervisor.ts';

export function startCommand(): Command {
  return new Command('start')
    .description('start the server, configured by environment variables')
    .option('--workers <count>', 'number of processes that share the port', parseCount, 1)
    .addHelpText('after', () => `\n${toHelp()}`)
    .action(async ({ workers }: { workers: number }) => {
      try {
        await start(workers);
      } catch (error) {
        process.stderr.write(`execstream: ${explain(error)}\n`);
        process.exitCode = 1;
      }
    });
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 256) return count;
  throw new InvalidArgumentError(`expected 1 to 256, got "${text}"`);
}

async function start(workers: number): Promise<void> {
  const config = readConfig();
  const logger = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
  if (workers === 1 || cluster.isWorker) return serve(config, logger);
  // Embedded parts cannot be shared by several processes.
  const missing = config.redisUrl ? (config.databaseUrl ? undefined : 'DATABASE_URL') : 'REDIS_URL';
  if (missing) throw new ExecstreamError('BAD_USER_INPUT', `--workers: requires ${missing}`);
  return superviseWorkers(workers, logger);
}

async function serve(config: Config, logger: Logger): Promise<void> {
  const options = optionsFromConfig(config, logger);
  const server = await listen(createExecstream(options), config);
  for (const { part, is, limits } of describeParts(config)) {
    logger.info({ part }, limits ? `${is} (${limits})` : is);
  }
  logger.info({ url: server.url }, 'ready');

  const stop = async (signal: NodeJS.Signals) => {
    logger.info({ signal }, 'stopping');
    await server.close();
    await Promise.all([options.log.close(), options.store.close()]);
    // The IPC channel to the supervisor would keep the process alive.
    if (cluster.isWorker) process.disconnect();
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
}

/** A message for the operator, without a stack trace. */
function explain(error: unknown): string {
  if (isExecstreamError(error)) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return 'PORT: already in use; set another one, or 0 for a free one';
  return message;
}
