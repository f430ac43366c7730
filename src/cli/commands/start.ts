// `execstream start`: runs the server until SIGTERM or SIGINT. It is configured by environment variables, and by flags for
// the settings that people change.
import cluster from 'node:cluster';
import { Command } from 'commander';
import { type Logger, pino } from 'pino';
import { isExecstreamError } from '../../event/errors.ts';
import type { ExecutionStore } from '../../execution/store.ts';
import { type Config, environmentWith, readConfig } from '../../server/config/config.ts';
import { type Environment, invalid, readAll } from '../../server/config/env.ts';
import { optionsFromConfig } from '../../server/config/from-config.ts';
import { toHelp } from '../../server/config/reference.ts';
import { createExecstream } from '../../server/create-execstream.ts';
import { listen } from '../../server/node-server.ts';
import { describeParts } from '../../server/startup-report.ts';
import { addSettingFlags, settingsOf } from '../setting-flags.ts';
import { explainStartError } from '../start-error.ts';
import { stopOnSignals } from '../stop-signals.ts';
import { reportToSupervisor, superviseWorkers } from '../supervisor.ts';

/** How long a stop may take beyond DRAIN_MS: finishing responses, releasing leases and closing connections. */
const CLOSE_MS = 15_000;

/** How long a failed start may take to close what it opened. */
const FAILED_START_MS = 3_000;

interface StartOptions {
  readonly workers: string;
  readonly [flag: string]: string;
}

export function startCommand(): Command {
  return addSettingFlags(new Command('start'))
    .description(
      'Start the server. It is configured by environment variables; a flag takes precedence over its variable.',
    )
    .option('--workers <count>', 'number of processes that share the port', '1')
    .addHelpText('after', () => `\n${toHelp()}`)
    .action(async (options: StartOptions) => {
      const flags = settingsOf(options);
      try {
        await start(options.workers, environmentWith(flags));
      } catch (error) {
        await fail(explainStartError(error, flags));
      }
    });
}

async function start(workerCount: string, env: Environment): Promise<void> {
  const { config, workers } = readAll({
    config: () => readConfig(env),
    workers: () => readWorkers(workerCount, env),
  });
  const logger = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
  if (workers === 1 || cluster.isWorker) return serve(config, logger);
  return superviseWorkers({ count: workers, logger, deadlineMs: config.drainMs + CLOSE_MS });
}

function readWorkers(text: string, env: Environment): number {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= 1 && count <= 256)) throw invalid('--workers', `expected 1 to 256, got "${text}"`);
  // Embedded parts cannot be shared by several processes.
  const missing = count > 1 ? ['REDIS_URL', 'DATABASE_URL'].filter((name) => !env[name]) : [];
  if (missing.length > 0) throw invalid('--workers', `requires ${missing.join(' and ')}`);
  return count;
}

async function serve(config: Config, logger: Logger): Promise<void> {
  const { log, store, ...options } = optionsFromConfig(config, logger);
  const closeParts = () => Promise.all([log.close(), store.close()]);
  const services = createExecstream({ ...options, log, store });
  const listening = listen(services, config);
  stopOnSignals({
    logger,
    deadlineMs: config.drainMs + CLOSE_MS,
    isCounting: !cluster.isWorker,
    stop: async () => {
      await (await listening).close();
      await closeParts();
    },
    force: () => process.exit(1),
  });
  try {
    const server = await listening;
    for (const { part, is, limits } of describeParts(config)) {
      logger.info({ part }, limits ? `${is} (${limits})` : is);
    }
    logger.info({ url: server.url }, 'ready');
    await checkStore(store);
  } catch (error) {
    await listening.then((server) => server.close(), services.close);
    await closeParts();
    throw error;
  }
  if (cluster.isWorker) await reportToSupervisor({ started: true });
}

/**
 * A database that is unavailable may be available later, and the server is not ready until then. One that rejects the
 * migrations, or a folder that cannot be used, stays so until an operator changes it.
 */
async function checkStore(store: Pick<ExecutionStore, 'ping'>): Promise<void> {
  try {
    await store.ping();
  } catch (error) {
    if (!isExecstreamError(error, 'SOURCE_UNAVAILABLE')) throw error;
  }
}

/** Reports why the command ends. Whatever could not be closed does not keep the process alive. */
async function fail(reason: string): Promise<void> {
  process.exitCode = 1;
  setTimeout(() => process.exit(1), FAILED_START_MS).unref();
  if (!cluster.isWorker) return void process.stderr.write(`execstream: ${reason}\n`);
  await reportToSupervisor({ failed: reason });
  process.exit();
}
