// EventSource of a real browser, as docs/rest.md shows it.
import type { Browser } from 'playwright-core';
import { until } from '../support/wait.ts';
import { type Client, TERMINAL } from './clients.ts';
import { restPath, TYPES } from './rest-clients.ts';

type Reading = { seen: [id: string, type: string, data: string][]; state: number };

export const browserClient = (browser: Browser): Client => ({
  name: 'EventSource (Chromium)',
  reconnecting: 'resumes',
  watch: async ({ url, id, note, signal }) => {
    const page = await browser.newPage();
    await page.goto(`${url}/health/live`);
    await page.evaluate(`(() => {
      window.seen = [];
      window.source = new EventSource(${JSON.stringify(restPath(id))});
      for (const type of ${JSON.stringify([...TYPES, ...TERMINAL])}) {
        source.addEventListener(type, (event) => {
          if (event.data === undefined) return;
          seen.push([event.lastEventId, type, event.data]);
          if (type === 'complete' || type === 'error') source.close();
        });
      }
    })()`);
    let count = 0;
    const read = async () => {
      const { seen, state } = (await page.evaluate(
        `({ seen: seen.slice(${count}), state: source.readyState })`,
      )) as Reading;
      count += seen.length;
      for (const [cursor, type, data] of seen)
        note({ id: cursor, type, content: type === 'llm_chunk' ? data : undefined });
      return state === 2 || signal.aborted;
    };
    await until(read, { timeoutMs: 120_000, everyMs: 100 });
    await page.close();
  },
});
