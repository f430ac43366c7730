// Two server processes over Redis and Postgres; the one that watches a workflow is killed.
import { expect, test } from 'vitest';
import { startProcess } from '../../server/process.ts';
import { createDatabase, describePostgres } from '../../support/postgres.ts';
import { describeOwnRedis, startRedis } from '../../support/redis.ts';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { startWorker, uniqueId } from '../rig.ts';
import { linesOf, startForeignWorker, waitForLine, watchGraphql, watchRest } from './rig.ts';

describePostgres('with Postgres', () => {
  describeOwnRedis('and Redis', () => {
    describeTemporal('two server processes', () => {
      const temporal = useTemporal();

      test('take over from each other: when the watcher is killed, viewers of the other process miss nothing', async () => {
        await using redis = await startRedis();
        const database = await createDatabase();
        const env = { REDIS_URL: redis.url, DATABASE_URL: database.url, TEMPORAL_ADDRESS: temporal.address };
        await using watcher = await startProcess(env);
        await using other = await startProcess(env);
        try {
          await using worker = await startWorker(temporal);
          const { taskQueue } = worker;
          const workflowId = uniqueId('killed');
          const handle = await temporal.client.workflow.start('onSignal', {
            taskQueue,
            workflowId,
            args: [4],
          });
          using one = await watchRest(watcher.url, workflowId);
          await handle.signal('go');
          await waitForLine(one, 'signal 1');
          using rest = await watchRest(other.url, workflowId);
          using graphql = await watchGraphql(other.url, workflowId);
          await waitForLine(rest, 'signal 1');
          await watcher.kill();
          const killedAt = performance.now();
          await handle.signal('go');
          await waitForLine(rest, 'signal 2', 15_000);
          console.log(
            `the other process took over after ${Math.round(performance.now() - killedAt)} ms (lease 5 s)`,
          );
          await handle.signal('go');
          await handle.signal('go');
          await rest.ended(10_000);
          await graphql.ended(10_000);
          // A slow machine may show the history before the query responds: only what follows a reset counts.
          for (const stream of [rest, graphql]) {
            const lines = linesOf(stream);
            expect(lines.slice(lines.lastIndexOf('0 reset source') + 1)).toEqual([
              '1 workflow_start',
              ...[1, 2, 3, 4].map((i) => `${i + 1} workflow_status RUNNING signal ${i}`),
              '6 complete SUCCESS',
            ]);
          }

          await using foreign = await startForeignWorker(temporal);
          const id = uniqueId('foreign');
          const options = { taskQueue: foreign.taskQueue, workflowId: id, args: [1] };
          const plain = await temporal.client.workflow.start('lapper', options);
          using history = await watchRest(other.url, id);
          await waitForLine(history, 'workflow_start');
          await plain.signal('go');
          await history.ended(10_000);
          expect(linesOf(history).at(-1)).toBe('3 complete SUCCESS');
          const state = await fetch(`${other.url}/api/v0/executions/workflows/${id}`);
          expect(await state.json()).toMatchObject({ status: 'SUCCESS', workflowId: id });
        } finally {
          await Promise.all([watcher.stop(), other.stop()]);
          await database.drop();
        }
      }, 60_000);
    });
  });
});
