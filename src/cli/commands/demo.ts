// `execstream demo`: a server in memory with a worker in the same process, to try the other commands.
import { Command } from 'commander';
import { pino } from 'pino';
import { invalidInput } from '../../event/errors.ts';
import { createPrismaStore } from '../../execution/prisma-store.ts';
import { createMemoryLog } from '../../log/memory.ts';
import { createPublisher } from '../../publish/publisher.ts';
import { environmentWith } from '../../server/config/config.ts';
import { SERVER_SETTINGS } from '../../server/config/server-settings.ts';
import { createExecstream } from '../../server/create-execstream.ts';
import { listen } from '../../server/node-server.ts';
import { runDemo } from '../demo-worker.ts';
import { explainStartError } from '../start-error.ts';
import { stopOnSignals } from '../stop-signals.ts';

interface DemoFlags {
  readonly port?: string;
  readonly pace: string;
}

const HOST = '127.0.0.1';
const DEADLINE_MS = 15_000;
const MAX_PACE = 100;

export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'Start a server with a worker that publishes executions, to try the other commands. Everything is in memory. In a' +
        ' checkout, "npm start" runs a larger demo.',
    )
    .option('--port <port>', 'the port to listen on; 0 selects a free one (PORT; default: 4000)')
    .option('--pace <factor>', "a multiple of a person's reading speed", '1')
    .action(async (flags: DemoFlags) => {
      try {
        await serve(flags);
      } catch (error) {
        const given = flags.port === undefined ? {} : { PORT: flags.port };
        process.stderr.write(`execstream: ${explainStartError(error, given)}\n`);
        process.exit(1);
      }
    });
}

async function serve({ port, pace }: DemoFlags): Promise<void> {
  const env = environmentWith(port === undefined ? {} : { PORT: port });
  const where = { host: HOST, port: SERVER_SETTINGS.port.read(env), corsOrigins: [] };
  const speed = paceOf(pace);
  const logger = pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }));
  const [log, store] = [createMemoryLog(), createPrismaStore({ memory: true }, { logger })];
  await store.ready();
  const server = await listen(createExecstream({ log, store, settings: {}, logger }), where);
  const publisher = createPublisher({ log, store, logger });
  const stopping = new AbortController();
  const serverFlag = server.url.endsWith(':4000') ? '' : ` --url ${server.url}`;
  let hasPrinted = false;
  const working = runDemo({
    ...{ publisher, serverFlag, pace: speed, signal: stopping.signal },
    onRound({ agentId, workflowId }) {
      if (!hasPrinted)
        process.stdout.write(
          banner(server.url, [`tail agent ${agentId}`, `tail workflow ${workflowId}`], serverFlag),
        );
      hasPrinted = true;
    },
  });
  stopOnSignals({
    logger,
    deadlineMs: DEADLINE_MS,
    force: () => process.exit(1),
    async stop() {
      stopping.abort();
      await working.catch(() => {});
      await publisher.close();
      await server.close();
      await Promise.all([log.close(), store.close()]);
    },
  });
  await working;
}

function paceOf(text: string): number {
  const pace = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (pace >= 0.1 && pace <= MAX_PACE) return pace;
  throw invalidInput(`--pace: expected 0.1 to ${MAX_PACE}, got "${text.slice(0, 40)}"`);
}

function banner(url: string, commands: readonly string[], serverFlag: string): string {
  return [
    '',
    `The demo is ready: ${url}/`,
    '',
    'An agent writes a guide, again and again. In another terminal:',
    '',
    ...['ls', ...commands].map((command) => `  npx execstream ${command}${serverFlag}`),
    '',
    'Everything is in memory. Ctrl-C stops the demo.',
    '',
  ].join('\n');
}
