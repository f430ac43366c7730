// An agent of the AI SDK in a workflow, watched in the console by a real browser while the server is killed.
import { expect, test } from 'vitest';
import { startProcess } from '../../../server/process.ts';
import { describeBrowser, launchBrowser } from '../../../support/chromium.ts';
import { createDatabase, describePostgres } from '../../../support/postgres.ts';
import { describeOwnRedis, startRedis } from '../../../support/redis.ts';
import { describeTemporal, useTemporal } from '../../../support/temporal.ts';
import { describeTemporalSdks } from '../../../support/temporal-sdks.ts';
import { uniqueId } from '../../rig.ts';
import { startStreamWorker } from './worker-process.ts';

const TEXT = 'The quick brown fox jumps over the lazy dog.';
/** Long enough for the server to be killed and started again in the middle of the text. */
const WORD_MS = 700;

describePostgres('with Postgres', () => {
  describeOwnRedis('and Redis', () => {
    describeTemporal('and Temporal', () => {
      const temporal = useTemporal();
      describeTemporalSdks('and the plugin for the AI SDK', () => {
        describeBrowser('the console', () => {
          test('shows the tokens of an agent, also through a kill of the server', async () => {
            await using redis = await startRedis();
            await using database = await createDatabase();
            await using server = await startProcess({
              ...{ REDIS_URL: redis.url, DATABASE_URL: database.url, TEMPORAL_ADDRESS: temporal.address },
            });
            const taskQueue = uniqueId('agents');
            await using _worker = await startStreamWorker(temporal.address, taskQueue, {
              AGENT: `${WORD_MS}`,
            });
            await using browser = await launchBrowser();
            const page = await browser.newPage();
            const workflowId = uniqueId('agent');
            const args = ['Write a pangram.'];
            await temporal.client.workflow.start('agent', { taskQueue, workflowId, args });
            await page.goto(`${server.url}/#workflow/${workflowId}`);
            const text = page.locator('#text');
            await text.filter({ hasText: 'The quick' }).waitFor({ timeout: 20_000 });
            await server.kill();
            const before = await text.textContent();
            expect(before).not.toContain('dog.');
            await page.locator('#connection', { hasText: 'reconnecting' }).waitFor();
            await server.start();
            await page.locator('#connection', { hasText: 'ended' }).waitFor({ timeout: 30_000 });
            expect(await text.textContent()).toContain(TEXT);
            expect(await page.locator('#status').textContent()).toBe('success');
            expect(await page.locator('#timeline li', { hasText: /reset|gap/ }).count()).toBe(0);
          }, 120_000);
        });
      });
    });
  });
});
