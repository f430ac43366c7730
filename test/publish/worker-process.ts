// A worker in a separate process, which a test kills or pauses: publishes numbered words.
//
//   node --import tsx worker-process.ts <redis url> <execution id> <attempt> <words>
import type { BeginExecution, Execution } from '../../src/execution/store.ts';
import { createPublisher, createRedisLogWriter } from '../../src/worker.ts';
import { createMemoryStore } from '../support/memory-store.ts';

const [url, id, attempt, words] = process.argv.slice(2) as [string, string, string, string];
const log = createRedisLogWriter({ redis: url, commandTimeoutMs: 1_000 });
const store = createMemoryStore();
// Each process has its own store; in production, they would share a row.
const begin = async (wanted: BeginExecution): Promise<Execution> => {
  const { incarnation: _, ...row } = await store.begin(wanted);
  return row;
};
const publisher = createPublisher({ log, store: { ...store, begin } });
const run = await publisher.begin({ kind: 'agent', id, attempt: Number(attempt) });
run.signal.addEventListener('abort', () => console.log(`aborted ${run.signal.reason.code}`));
console.log('begun');
for (let n = 1; n <= Number(words) && !run.signal.aborted; n++) {
  await run.text(`${attempt}.${n} `);
  await new Promise((resolve) => setTimeout(resolve, 10));
}
console.log(`ended ${await run.complete()}`);
await publisher.close();
await log.close();
