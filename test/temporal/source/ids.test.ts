// Workflows with every kind of id that Temporal accepts, watched over REST and GraphQL to their end, and resumed.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventLog } from '../../../src/log/log.ts';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { createRedisLog } from '../../../src/log/redis/redis-log.ts';
import { DIFFICULT_IDS, LONGEST_IDS } from '../../support/execution-ids.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { describeRedis, sharedRedisUrl } from '../../support/redis.ts';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { type RunningWorker, startWorker } from '../rig.ts';
import { lastCursor, linesOf, startWatching, type Watching, watchGraphql, watchRest } from './rig.ts';

const LONG = LONGEST_IDS.map((id): [string, string] => [`${id.length} code units`, id]);
const EVENTS = ['1 workflow_start', '2 workflow_status RUNNING signal 1', '3 complete SUCCESS'];

function idSuite(createLog: () => EventLog): void {
  const temporal = useTemporal();
  let watching: Watching;
  let worker: RunningWorker;
  beforeAll(async () => {
    const parts = { log: createLog(), store: createMemoryStore() };
    watching = await startWatching(temporal.address, { parts });
    worker = await startWorker(temporal, { parts });
  });
  afterAll(async () => {
    await worker?.stop();
    await watching?.close();
    await watching?.log.close();
  });

  test.each([...Object.entries(DIFFICULT_IDS), ...LONG])(
    'a workflow whose id has %s',
    async (_, difficult) => {
      // The shared server is never emptied.
      const unique = crypto.randomUUID();
      const isLong = LONGEST_IDS.includes(difficult);
      const id = isLong ? unique + difficult.slice(unique.length) : difficult.replace(/(?<=.)/u, unique);
      const options = { taskQueue: worker.taskQueue, workflowId: id, args: [1] };
      const handle = await temporal.client.workflow.start('onSignal', options);
      using rest = await watchRest(watching.url, id);
      using graphql = await watchGraphql(watching.url, id);
      await rest.until(() => rest.frames.length > 0, 'the start');
      await handle.signal('go');
      expect(await rest.ended(10_000)).toBe('clean');
      expect(await graphql.ended(10_000)).toBe('clean');
      // If the history was shown first, the workflow's own events follow a reset.
      expect(linesOf(rest).slice(-3)).toEqual(EVENTS);
      expect(linesOf(graphql).slice(-3)).toEqual(EVENTS);
      const path = `${watching.url}/api/v0/executions/workflows/${encodeURIComponent(id)}`;
      expect(await (await fetch(path)).json()).toMatchObject({ id, workflowId: id, status: 'SUCCESS' });
      using resumed = await watchRest(watching.url, id, '', rest.frames.at(-2)!.id);
      expect(await resumed.ended(10_000)).toBe('clean');
      expect(linesOf(resumed)).toEqual(EVENTS.slice(2));
      using done = await watchRest(watching.url, id, '', lastCursor(rest));
      expect(done.status).toBe(204);
    },
  );
}

describeTemporal('with the log in memory', () => idSuite(createMemoryLog));

describeTemporal('with the log in Redis', () => {
  describeRedis('', () => idSuite(() => createRedisLog({ redis: sharedRedisUrl() })));
});

describeTemporal('a workflow that does not stream itself', () => {
  const temporal = useTemporal();

  test.each(['.', '..'])('may have the id %s', async (id) => {
    await using watching = await startWatching(temporal.address);
    await using worker = await startWorker(temporal);
    const { taskQueue } = worker;
    const options = {
      taskQueue,
      workflowId: id,
      args: [],
      workflowIdConflictPolicy: 'USE_EXISTING',
    } as const;
    await (await temporal.client.workflow.start('plain', options)).result();
    using graphql = await watchGraphql(watching.url, id);
    expect(await graphql.ended(10_000)).toBe('clean');
    const path = `${watching.url}/api/v0/executions/workflows/%FF${id}`;
    expect(await (await fetch(path)).json()).toMatchObject({ id, workflowId: id, status: 'SUCCESS' });
  });
});
