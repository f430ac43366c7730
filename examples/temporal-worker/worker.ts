// A Temporal worker with a plugin for its workflows and a publisher for its activities.
//
//   TEMPORAL_ADDRESS=127.0.0.1:7233 REDIS_URL=redis://… DATABASE_URL=postgresql://… \
//     node --import tsx examples/temporal-worker/worker.ts
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import {
  createPrismaStore,
  createPublisher,
  createRedisLogWriter,
  createTemporalPlugin,
  type ExecutionStore,
  type LivenessWriter,
  type LogWriter,
} from '../../src/worker.ts';
import { createActivities } from './activities.ts';

export const TASK_QUEUE = 'digests';

/** Creates the worker over the log and the store that the server uses. */
export async function createWorker(
  connection: NativeConnection,
  { log, store }: { log: LogWriter & LivenessWriter; store: ExecutionStore },
  taskQueue = TASK_QUEUE,
): Promise<Worker> {
  return Worker.create({
    connection,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('./workflow.ts', import.meta.url)),
    activities: createActivities(createPublisher({ log, store })),
    plugins: [createTemporalPlugin({ log, store })],
  });
}

async function main(): Promise<void> {
  const { TEMPORAL_ADDRESS = '127.0.0.1:7233', REDIS_URL, DATABASE_URL } = process.env;
  if (!REDIS_URL || !DATABASE_URL)
    throw new Error('REDIS_URL and DATABASE_URL: expected those of the execstream server');
  const log = createRedisLogWriter({ redis: REDIS_URL });
  const store = createPrismaStore({ url: DATABASE_URL });
  const connection = await NativeConnection.connect({ address: TEMPORAL_ADDRESS });
  const worker = await createWorker(connection, { log, store });
  // Until SIGINT or SIGTERM, which Temporal's worker handles.
  await worker.run();
  await connection.close();
  await Promise.all([log.close(), store.close()]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
