// A worker for Node without Temporal, whose Redis and Postgres are not used.
import { createPublisher, createTemporalPlugin } from 'execstream-worker';
import { initialState } from 'execstream-worker/state';

/** Opens and closes a publisher. */
export async function openAndClose() {
  const publisher = createPublisher({
    redis: 'redis://127.0.0.1:1',
    database: 'postgresql://127.0.0.1:1/none',
  });
  await publisher.close();
  return `closed ${typeof createTemporalPlugin} ${initialState('agent').kind}`;
}
