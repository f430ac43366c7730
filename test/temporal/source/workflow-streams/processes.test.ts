// Two server processes over Redis and Postgres: the one that reads the items of a Workflow Stream is killed.
import { expect, test } from 'vitest';
import { startProcess } from '../../../server/process.ts';
import { createDatabase, describePostgres } from '../../../support/postgres.ts';
import { describeOwnRedis, startRedis } from '../../../support/redis.ts';
import { describeTemporal, useTemporal } from '../../../support/temporal.ts';
import { uniqueId } from '../../rig.ts';
import { lastCursor } from '../rig.ts';
import { publishText, seqsOf, shownIn, textOf, watchItems } from './streams-rig.ts';

describePostgres('with Postgres', () => {
  describeOwnRedis('and Redis', () => {
    describeTemporal('and Temporal', () => {
      const temporal = useTemporal();

      test('the viewers of both get every item once, when the server that watches is killed', async () => {
        await using redis = await startRedis();
        const database = await createDatabase();
        const env = { REDIS_URL: redis.url, DATABASE_URL: database.url, TEMPORAL_ADDRESS: temporal.address };
        await using watcher = await startProcess(env);
        await using other = await startProcess(env);
        try {
          const workflowId = uniqueId('hub');
          // Nobody needs to work on it: the items are in the history.
          const taskQueue = uniqueId('nobody');
          const handle = await temporal.client.workflow.start('hub', { taskQueue, workflowId });
          const words = Array.from({ length: 20 }, (_, i) => `word${i} `);
          const publishAll = async (from: number, to: number) => {
            for (let i = from; i < to; i += 1) await publishText(handle, words[i]!, 'p', i + 1);
          };
          using one = await watchItems(watcher.url, workflowId);
          await publishAll(0, 8);
          await one.until(() => textOf(one, 'tokens').includes('word7'), 'the first words', 10_000);
          using two = await watchItems(other.url, workflowId);
          await two.until(() => textOf(two, 'tokens').includes('word7'), 'the first words', 10_000);
          const cursor = lastCursor(one);
          await watcher.kill();
          await publishAll(7, 20);
          using resumed = await watchItems(other.url, workflowId, cursor);
          await handle.terminate('done');
          await Promise.all([two.ended(20_000), resumed.ended(20_000)]);
          expect(textOf(two, 'tokens')).toBe(words.join(''));
          expect(textOf(one, 'tokens') + textOf(resumed, 'tokens')).toBe(words.join(''));
          expect(seqsOf(two)).toEqual(Array.from({ length: seqsOf(two).length }, (_, i) => i + 1));
          expect(shownIn(two).at(-1)).toBe('error TERMINATED');
        } finally {
          await Promise.all([watcher.stop(), other.stop()]);
          await database.drop();
        }
      }, 90_000);
    });
  });
});
