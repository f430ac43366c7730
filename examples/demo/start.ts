// `npm start`: the server on its embedded defaults, and a worker in the same process that gives it something to show.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { type Config, readConfig } from '../../src/server/config/config.ts';
import { optionsFromConfig } from '../../src/server/config/from-config.ts';
import { createExecstream, type Parts } from '../../src/server/create-execstream.ts';
import { listen } from '../../src/server/node-server.ts';
import { banner, curlLines, roundLine } from './banner.ts';
import { explain } from './failure.ts';
import { findTexts, ownTexts } from './files.ts';
import { readOptions, USAGE } from './options.ts';
import { startDevServer } from './temporal.ts';
import { startWorker, type WorkerOptions } from './worker/worker.ts';

/** The printed resume line begins behind this event: early enough to have been published by then. */
const RESUME_AFTER = 10;

// From the first moment on: a process killed while the database makes its files would leave half of them.
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
  // The terminal belongs to the banner; LOG_LEVEL=info tells more.
  const given = readConfig({ LOG_LEVEL: 'warn', ...process.env });
  const logger = pino({ level: given.logLevel }, pino.destination({ dest: 2, sync: true }));
  const findFiles = () => (folder === undefined ? ownTexts() : findTexts(folder));
  // Before anything is started: a wrong folder costs no wait.
  await findFiles();

  const devServer = temporal && !given.temporal ? await startDevServer() : undefined;
  try {
    const own = devServer && { temporal: { address: devServer.address, namespace: 'default' } };
    await serve({ config: { ...given, ...own }, isDevServer: Boolean(devServer), logger, findFiles, pace });
  } finally {
    await devServer?.stop();
  }
}

interface Demo extends Pick<WorkerOptions, 'logger' | 'findFiles' | 'pace'> {
  readonly config: Config;
  /** Whether Temporal is the demo's own. */
  readonly isDevServer: boolean;
}

/** Serves and works until the demo is stopped. */
async function serve({ config, isDevServer, logger, findFiles, pace }: Demo): Promise<void> {
  // Without a logger: the ping below and the worker report parts that are unavailable.
  const parts = optionsFromConfig(config, { error: () => {} });
  try {
    const server = await listen(createExecstream({ ...parts, logger }), config);
    try {
      // An embedded database that does not open now never will; a real one may come later, and the worker waits.
      if (!config.databaseUrl) await parts.store.ping();
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
        onTrouble: (error) => console.log(`The worker waits, and tries again: ${explain(error)}`),
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

/** The cursor of an execution's event, once there is that event; undefined if the demo is stopped before. */
async function cursorAt({ log }: Parts, executionId: string, seq: number): Promise<string | undefined> {
  while (!stopping.signal.aborted) {
    const at = await log.head(executionId).catch(() => undefined);
    if (at && at.head >= seq) return `${seq}-${at.epoch}`;
    await sleep(50);
  }
  return undefined;
}
