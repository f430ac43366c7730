// The entry of a function in an edge runtime.
import { createHttpPublisher } from 'execstream-worker/http';

/** Publishes an execution. */
export async function publish(url, id) {
  const publisher = createHttpPublisher({ url });
  const run = await publisher.begin({ id, kind: 'agent', agentId: 'poet' });
  await run.text(`from ${id}`);
  await run.complete();
  await publisher.close();
}
