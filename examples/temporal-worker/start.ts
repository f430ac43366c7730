// Starts one workflow, prints the command for watching it, and waits for its result.
//
//   node --import tsx examples/temporal-worker/start.ts ants
import { Client, Connection } from '@temporalio/client';
import type { digest } from './workflow.ts';

const { TEMPORAL_ADDRESS = '127.0.0.1:7233', EXECSTREAM_URL = 'http://127.0.0.1:4000' } = process.env;
const [topic = 'ants'] = process.argv.slice(2);

const connection = await Connection.connect({ address: TEMPORAL_ADDRESS });
const client = new Client({ connection });
const handle = await client.workflow.start<typeof digest>('digest', {
  taskQueue: 'digests',
  workflowId: `digest-${Date.now()}`,
  args: [topic],
});
console.log(`curl -N ${EXECSTREAM_URL}/api/v0/executions/workflows/${handle.workflowId}/stream`);
console.log(await handle.result());
await connection.close();
