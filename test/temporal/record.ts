// Records the histories that replay.test.ts replays. Run it after a change of workflows.ts that changes their commands.
//
//   node --import tsx test/temporal/record.ts
import { writeFileSync } from 'node:fs';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { TemporalServer } from '../../scripts/temporal.ts';
import { findPart, TEMPORAL } from '../../scripts/test-services.ts';
import { connectTo } from '../support/temporal.ts';
import { startWorker } from './rig.ts';

const binary = findPart(TEMPORAL);
if (!binary) throw new Error('no Temporal CLI: npm test -- --install');
await using server = await TemporalServer.start({ binary });
const temporal = await connectTo(server.address);
const activities = {
  write: async () => 'written',
  pick: async () => ({ picked: 2 }),
  work: async () => {},
};
const worker = await startWorker(temporal, { activities });
try {
  await record('everything', ['ants']);
  await record('laps', [3]);
  await record('children', [{ agent: 'a', task: 't' }]);
  await record('failing', ['cause']);
  await record('cancellable', [false], 'cancel');
  await record('onSignal', [2], 'go');
} finally {
  await worker.stop();
  await temporal.close();
}

/** Runs a workflow to its end and writes the history of its last run. */
async function record(name: string, args: unknown[], action?: 'cancel' | 'go'): Promise<void> {
  const workflowId = `recorded-${name}`;
  const handle = await temporal.client.workflow.start(name, {
    taskQueue: worker.taskQueue,
    workflowId,
    args,
  });
  // The first workflow task is done when a query returns.
  await handle.query('getStreamState');
  if (action === 'cancel') await handle.cancel();
  if (action === 'go') for (let i = 0; i < 2; i += 1) await handle.signal('go');
  await handle.result().catch(() => {});
  const history = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
  const file = new URL(`./histories/${name}.json`, import.meta.url);
  const json = JSON.stringify(JSON.parse(historyToJSON(history)), null, 1);
  // Stack traces contain the local path.
  writeFileSync(file, `${json.replaceAll(process.cwd(), '/app')}\n`);
  console.log(`${name}: ${history.events!.length} events`);
}
