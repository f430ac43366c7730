// A Temporal worker process of the proof, with the product's plugin. It is killed at random moments.
//
//   node --import tsx prove/temporal/worker.ts '<TemporalWorkerSettings as JSON>'      (with an IPC channel)
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import {
  createPrismaStore,
  createPublisher,
  createRedisLogWriter,
  createTemporalPlugin,
} from '../../src/worker.ts';
import { createJournalWriter, journaled } from '../journal/writer.ts';
import { TENANT } from '../plan.ts';
import { createGate } from '../worker/gate.ts';
import type { FromWorker, TemporalWorkerSettings, ToWorker } from '../worker/messages.ts';
import { createActivities } from './activities.ts';
import { TASK_QUEUE } from './plan.ts';

const settings = JSON.parse(process.argv[2]!) as TemporalWorkerSettings;
const journal = createJournalWriter(settings.journal);
const gate = createGate();
const send = (message: FromWorker): void => {
  if (process.connected) process.send!(message);
};
process.on('message', (message: ToWorker) => {
  if (message.do !== 'hold') return;
  if (message.isHeld) gate.hold(() => send({ is: 'held' }));
  else gate.release();
});
process.on('disconnect', () => process.exit(0));

Runtime.install({ logger: new DefaultLogger('WARN') });
const log = journaled(createRedisLogWriter({ redis: settings.redisUrl }), journal);
const store = createPrismaStore({ url: settings.databaseUrl });
const connection = await NativeConnection.connect({ address: settings.temporalAddress });
const worker = await Worker.create({
  connection,
  taskQueue: TASK_QUEUE,
  workflowBundle: { codePath: settings.bundle },
  activities: createActivities({ publisher: createPublisher({ log, store }), journal, gate }),
  plugins: [createTemporalPlugin({ log, store, tenantOf: () => TENANT })],
  // Other workers should take over its workflows soon after it was killed.
  stickyQueueScheduleToStartTimeout: '2s',
});
send({ is: 'ready' });
await worker.run();
