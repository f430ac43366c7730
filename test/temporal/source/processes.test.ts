// Two server processes over Redis and Postgres: an id that is used again, and a watcher that is killed.
import { expect, test } from 'vitest';
import { startProcess } from '../../server/process.ts';
import { createDatabase, describePostgres } from '../../support/postgres.ts';
import { describeOwnRedis, startRedis } from '../../support/redis.ts';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { startWorker, uniqueId } from '../rig.ts';
import { lastCursor, linesOf, startForeignWorker, waitForLine, watchGraphql, watchRest } from './rig.ts';

describePostgres('with Postgres', () => {
  describeOwnRedis('and Redis', () => {
    describeTemporal('two server processes', () => {
      const temporal = useTemporal();

      test('show each run of an id on both servers, and an end without viewers', async () => {
        await using redis = await startRedis();
        const database = await createDatabase();
        const env = { REDIS_URL: redis.url, DATABASE_URL: database.url, TEMPORAL_ADDRESS: temporal.address };
        await using first = await startProcess(env);
        await using second = await startProcess(env);
        try {
          await using worker = await startForeignWorker(temporal);
          const workflowId = uniqueId('again');
          const options = { taskQueue: worker.taskQueue, workflowId };
          let cursor: string | undefined;
          for (let round = 1; round <= 5; round += 1) {
            const handle = await temporal.client.workflow.start('patient', options);
            const { url } = round % 2 === 0 ? second : first;
            using stream = await watchRest(url, workflowId, '', cursor);
            await waitForLine(stream, '1 workflow_start');
            await handle.signal('go');
            await stream.ended(10_000);
            const lines = linesOf(stream);
            expect(lines[0]).toBe(round > 1 ? '0 reset run' : '1 workflow_start');
            expect(lines.filter((line) => /complete|error/.test(line))).toEqual([lines.at(-1)]);
            cursor = lastCursor(stream);
          }
          const { firstExecutionRunId: runId } = await temporal.client.workflow.start('patient', options);
          const path = `/api/v0/executions/workflows/${workflowId}`;
          const stateOf = async () => (await (await fetch(first.url + path)).json()) as { runId: string };
          await until(async () => (await stateOf()).runId === runId, { timeoutMs: 5_000 });
          expect(await stateOf()).toMatchObject({ status: 'RUNNING' });
          await temporal.client.workflow.getHandle(workflowId).terminate('enough');
          const query = encodeURIComponent('{ executions(kind: WORKFLOW) { edges { node { id status } } } }');
          const list = async () => (await fetch(`${second.url}/graphql?query=${query}`)).text();
          await until(async () => (await list()).includes('TERMINATED'), { timeoutMs: 10_000 });
          expect(await stateOf()).toMatchObject({ status: 'TERMINATED', runId });
        } finally {
          await Promise.all([first.stop(), second.stop()]);
          await database.drop();
        }
      }, 90_000);

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
