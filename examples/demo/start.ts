// `npm start`: a server with embedded defaults, and in the same process a worker that publishes executions.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { type Config, readConfig } from '../../src/server/config/config.ts';
import { optionsFromConfig } from '../../src/server/config/from-config.ts';
import { createExecstream } from '../../src/server/create-execstream.ts';
import type { Parts } from '../../src/server/create-services.ts';
import { listen } from '../../src/server/node-server.ts';
import { banner, curlLines, roundLine } from './banner.ts';
import { explain } from './failure.ts';
import { findTexts, ownTexts } from './files.ts';
import { readOptions, USAGE } from './options.ts';
import { startDevServer } from './temporal.ts';
import { startWorker, type WorkerOptions } from './worker/worker.ts';

/** The printed resume command continues after this event, which is published early. */
const RESUME_AFTER = 10;

// Installed first: killing the process while the database creates its files would leave an incomplete database.
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(`execstream: ${explain(error)}`);
  process.exit(1);
}

async function main(): Promise<void> {
  const { folder, pace, temporal, help } = readOptions(process.argv.slice(2));
  if (help) return console.log(USAGE);
  // The terminal is reserved for the banner; LOG_LEVEL=info logs more.
  const environment = readConfig({ LOG_LEVEL: 'warn', ...process.env });
  const logger = pino({ level: environment.logLevel }, pino.destination({ dest: 2, sync: true }));
  const findFiles = () => (folder === undefined ? ownTexts() : findTexts(folder));
  // Before anything starts, so that a wrong folder is reported immediately.
  await findFiles();

  const devServer = temporal && !environment.temporal ? await startDevServer() : undefined;
  try {
    const devTemporal = devServer && { temporal: { address: devServer.address, namespace: 'default' } };
    await serve({
      config: { ...environment, ...devTemporal },
      isDevServer: Boolean(devServer),
      logger,
      findFiles,
      pace,
    });
  } finally {
    await devServer?.stop();
  }
}

interface Demo extends Pick<WorkerOptions, 'logger' | 'findFiles' | 'pace'> {
  readonly config: Config;
  /** Whether the demo started Temporal itself. */
  readonly isDevServer: boolean;
}

/** Serves and works until the demo is stopped. */
async function serve({ config, isDevServer, logger, findFiles, pace }: Demo): Promise<void> {
  // Availability is checked below and by the worker, which report it in one line.
  const parts = optionsFromConfig(config, { error: () => {} });
  try {
    // An embedded database that fails to open never will later; a database server may, and the worker waits for it.
    if (!config.databaseUrl) await parts.store.ping();
    const server = await listen(createExecstream({ ...parts, logger }), config);
    try {
      console.log(banner(server.url, config, isDevServer));

      const worker = startWorker({
        log: parts.log,
        store: parts.store,
        temporal: config.temporal,
        logger,
        findFiles,
        pace,
        onFirstReport: async (id) => {
          const cursor = await cursorAt(parts, id, RESUME_AFTER);
          if (cursor) console.log(curlLines(server.url, id, cursor));
        },
        onRound: (round) => console.log(roundLine(server.url, round)),
        onFailure: (error) => console.log(`The worker waits and retries: ${explain(error)}`),
      });
      if (!stopping.signal.aborted) await once(stopping.signal, 'abort');
      console.log('Stopping …');
      await worker.stop();
    } finally {
      await server.close();
    }
  } finally {
    await Promise.all([parts.log.close(), parts.store.close()]);
  }
}

/** The cursor of an execution's event, once it exists; undefined if the demo is stopped first. */
async function cursorAt({ log }: Parts, executionId: string, seq: number): Promise<string | undefined> {
  while (!stopping.signal.aborted) {
    const head = await log.head(executionId).catch(() => undefined);
    if (head && head.head >= seq) return `${seq}-${head.epoch}`;
    await sleep(50);
  }
  return undefined;
}
