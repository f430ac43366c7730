// A program that uses one version of Temporal's SDK: bundles and replays the workflows under test, and runs some of them on
// a server. Prints what it observed as one line of JSON.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { createPublisher } from '../../../src/publish/publisher.ts';
import { createTemporalPlugin, publishActivity } from '../../../src/temporal/worker/index.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { until } from '../../support/wait.ts';

const { SDK_FOLDER: folder = '', ADDRESS: address = '' } = process.env;
const HISTORIES = join(import.meta.dirname, '../histories');

Runtime.install({ logger: new DefaultLogger('ERROR') });
const log = createMemoryLog();
const store = createMemoryStore();
const plugin = createTemporalPlugin({ log, store });
const publisher = createPublisher({ log, store });

const workflowBundle = await bundleWorkflowCode({
  workflowsPath: join(import.meta.dirname, '../workflows.ts'),
  logger: new DefaultLogger('ERROR'),
  plugins: [plugin],
  webpackConfigHook: (config) => {
    const alias = { ...config.resolve!.alias, '@temporalio': join(folder, 'node_modules/@temporalio') };
    return { ...config, resolve: { ...config.resolve, alias } };
  },
});

const histories = readdirSync(HISTORIES).map((file) => ({
  workflowId: `recorded-${file.replace('.json', '')}`,
  history: JSON.parse(readFileSync(join(HISTORIES, file), 'utf8')),
}));
const replays: string[] = [];
for await (const { workflowId, error } of Worker.runReplayHistories(
  { workflowBundle, plugins: [plugin] },
  histories,
)) {
  replays.push(`${workflowId}: ${error?.message ?? 'replayed'}`);
}

const connection = await NativeConnection.connect({ address });
const clientConnection = await Connection.connect({ address });
const taskQueue = `test-${crypto.randomUUID()}`;
const worker = await Worker.create({
  connection,
  taskQueue,
  workflowBundle,
  plugins: [plugin],
  activities: {
    write: (id: string) =>
      publishActivity(publisher, { kind: 'agent', id }, async (run) => {
        await run.text('written');
        return 'written';
      }),
    pick: (id: string) =>
      publishActivity(publisher, { kind: 'task', mode: 'STRUCTURED', id }, async () => ({ picked: 2 })),
  },
});
const workflow = new Client({ connection: clientConnection }).workflow;
const ids = { agent: `${taskQueue}/writer`, task: `${taskQueue}/pick` };
const result = await worker.runUntil(async () => {
  const handle = await workflow.start('children', { taskQueue, workflowId: taskQueue, args: [ids] });
  const returned = await handle.result();
  await until(async () => (await log.head(taskQueue))?.end, { what: 'the end', timeoutMs: 10_000 });
  const queried = await handle.query<{ events: { type: string }[] }>('getStreamState');
  const brood = { taskQueue, workflowId: `${taskQueue}-brood`, args: [2] };
  const children: string[] = await workflow.execute('brood', brood);
  return { returned, queried: queried.events.map(({ type }) => type), children: new Set(children).size };
});
const appended = (await log.read(taskQueue, 0, 100))?.events.map(({ type }) => type);
const rows = await Promise.all(
  [taskQueue, ids.agent, ids.task].map(async (id) => (await store.get(id))?.status),
);
await publisher.close();
await Promise.all([clientConnection.close(), connection.close(), log.close()]);
const { version } = createRequire(join(folder, 'package.json'))('@temporalio/worker/package.json');
console.log(JSON.stringify({ version, replays, ...result, appended, rows }));
