// `execstream start`: the server, as the environment configures it, until it is told to stop.
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
    .option('--workers <count>', 'number of processes that share the port', toCount, 1)
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

function toCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 256) return count;
  throw new InvalidArgumentError('expected 1 to 256');
}

async function start(workers: number): Promise<void> {
  const config = readConfig();
  const logger = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
  if (workers === 1 || cluster.isWorker) return serve(config, logger);
  // What is embedded is one process's.
  const missing = config.redisUrl ? (config.databaseUrl ? undefined : 'DATABASE_URL') : 'REDIS_URL';
  if (missing) throw new ExecstreamError('BAD_USER_INPUT', `--workers: expected ${missing} beside it`);
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
    // The channel to the process that has started this one would keep it.
    if (cluster.isWorker) process.disconnect();
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
