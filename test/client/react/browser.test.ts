// The hooks in Chromium, in the StrictMode of React's development builds, with the newest React and with the oldest one that
// they support.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Page as Tab } from 'playwright-core';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { NewEvent } from '../../../src/event/events.ts';
import { initialState, reduce } from '../../../src/event/state.ts';
import { chunk, chunks, directLog, type ListeningApp, startApp, toolCall } from '../../support/app.ts';
import { describeBrowser, launchBrowser } from '../../support/chromium.ts';
import { REACT_18_FOLDER } from '../../support/react-18.ts';
import { until } from '../../support/wait.ts';
import { Page, type Shown, type TestPage } from './page.ts';

/** Defined in the page. */
declare const page: TestPage;

const FAST = { settings: { retryMs: 20 } };

/** The page's script with the React of a folder. */
async function bundle(reactFolder: string | undefined): Promise<string> {
  const alias = reactFolder && {
    react: `${reactFolder}/react`,
    'react-dom': `${reactFolder}/react-dom`,
  };
  const built = await build({
    entryPoints: [fileURLToPath(new URL('page.ts', import.meta.url))],
    bundle: true,
    format: 'iife',
    globalName: 'exported',
    write: false,
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"development"' },
    ...(alias && { alias }),
  });
  return `${built.outputFiles[0]!.text}; globalThis.page = exported.page;`;
}

describeBrowser('the hooks in Chromium', () => {
  let browser: Awaited<ReturnType<typeof launchBrowser>>;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  describe.each([
    ['19', undefined, true],
    ['18', REACT_18_FOLDER, REACT_18_FOLDER !== undefined],
  ])('with React %s', (version, folder, isInstalled) => {
    describe.skipIf(!isInstalled)('installed', () => {
      let script: string;
      let tab: Tab;
      let problems: string[];
      beforeAll(async () => {
        script = await bundle(folder);
      });
      afterEach(async () => {
        await tab?.close();
        expect(problems).toEqual([]);
      });

      async function open({ url }: ListeningApp): Promise<void> {
        tab = await browser.newPage();
        problems = [];
        tab.on('pageerror', ({ message }) => problems.push(message));
        tab.on('console', (message) => {
          // Chromium reports a 404 of the network, too.
          const text = message.text();
          if (/error|warning/.test(message.type()) && !text.startsWith('Failed to load resource'))
            problems.push(text);
        });
        await tab.goto(`${url}/health/live`);
        await tab.setContent('');
        await tab.evaluate(script);
        expect(await tab.evaluate(() => page.version)).toMatch(new RegExp(`^${version}\\.`));
      }

      const show = (...shown: Shown[]) =>
        tab.evaluate((all) => page.show(...JSON.parse(all)), JSON.stringify(shown));
      const a1 = { component: 'execution', id: 'a1' } as const;
      const renders = () => tab.evaluate(() => page.renders);
      const requests = () => tab.evaluate(() => page.requests);
      const texts = () => tab.locator('pre').allTextContents();
      const statuses = () => tab.locator('output').allTextContents();
      const untilTexts = (...expected: string[]) =>
        until(async () => JSON.stringify(await texts()) === JSON.stringify(expected), {
          what: `the texts ${JSON.stringify(expected)}`,
          timeoutMs: 10_000,
        });
      const openStreams = (app: ListeningApp, count: number) =>
        until(() => app.services.streams.size === count, { what: `${count} open streams` });

      test('components that show one execution share one connection, which ends with the last of them', async () => {
        await using app = await startApp(FAST);
        const execution = await directLog(app);
        await open(app);
        await show(a1, a1);
        await execution.append(chunk('one\r\n'));
        await untilTexts('one\r\n', 'one\r\n');
        expect(app.services.streams.size).toBe(1);
        await show(a1);
        await execution.append(chunk('☃ two'));
        await untilTexts('one\r\n☃ two');
        expect(await requests()).toEqual(['']);
        app.services.streams.rotateAll();
        await execution.append(chunk(' three'));
        await execution.complete();
        await untilTexts('one\r\n☃ two three');
        await until(async () => (await statuses())[0] === 'ended');
        expect(await requests()).toHaveLength(2);
        await tab.evaluate(() => page.unmount());
      }, 60_000);

      test('a component that is unmounted disconnects, and renders no more', async () => {
        await using app = await startApp(FAST);
        const execution = await directLog(app);
        await open(app);
        await show(a1);
        await openStreams(app, 1);
        await tab.evaluate(() => page.unmount());
        await openStreams(app, 0);
        const { length } = await renders();
        await execution.append(chunk('one'));
        await show();
        expect(await renders()).toHaveLength(length);
      }, 60_000);

      test('thousands of chunks are rendered once per frame, with the exact text', async () => {
        await using app = await startApp(FAST);
        const execution = await directLog(app);
        await open(app);
        await show(a1);
        await openStreams(app, 1);
        await tab.evaluate(() => page.countFrames());
        const before = (await renders()).length;
        for (let i = 0; i < 30; i += 1) await execution.append(...chunks(100, 1 + i * 100));
        await execution.complete();
        await untilTexts(Array.from({ length: 3_000 }, (_, i) => `${i + 1} `).join(''));
        await until(async () => (await statuses())[0] === 'ended');
        const frames = await tab.evaluate(() => page.frames);
        // StrictMode renders twice.
        expect(((await renders()).length - before) / 2).toBeLessThanOrEqual(frames + 1);
      }, 60_000);

      test('a page without frames, such as a hidden one, is rendered, too', async () => {
        await using app = await startApp(FAST);
        const execution = await directLog(app);
        await open(app);
        await tab.evaluate(() => page.stopFrames());
        await show(a1);
        await execution.append(chunk('one'));
        await untilTexts('one');
      }, 60_000);

      test('another id replaces the connection, without a render of the former text', async () => {
        await using app = await startApp(FAST);
        const [first, second] = [await directLog(app), await directLog(app, { id: 'a2' })];
        await first.append(chunk('one'));
        await second.append(chunk('two'));
        await open(app);
        await show({ ...a1, id: null });
        expect(await statuses()).toEqual(['idle']);
        expect(await requests()).toEqual([]);
        await show(a1);
        await untilTexts('one');
        await show({ ...a1, id: 'a2' });
        await untilTexts('two');
        await openStreams(app, 1);
        await show({ ...a1, id: null });
        await openStreams(app, 0);
        expect(await statuses()).toEqual(['idle']);
        const shown = (await renders()).map((each) => JSON.stringify(each));
        expect([...new Set(shown)]).toEqual([
          '[null,""]',
          '["a1",""]',
          '["a1","one"]',
          '["a2",""]',
          '["a2","two"]',
        ]);
      }, 60_000);

      test('a page that a server has rendered is hydrated without a mismatch, and continues after its state', async () => {
        await using app = await startApp(FAST);
        const execution = await directLog(app);
        await execution.append(...chunks(2));
        const eventOf = (event: NewEvent, i: number) =>
          ({
            ...event,
            id: `${i + 1}-${execution.epoch}`,
            seq: i + 1,
            executionId: 'a1',
            attempt: 1,
          }) as never;
        const initial = chunks(2).map(eventOf).reduce(reduce, initialState('agent'));
        const shown = [{ ...a1, initial }, a1, { ...a1, id: null }];
        const html = renderToString(createElement(Page, { shown }));
        expect(html).toContain('<pre>1 2 </pre><output>connecting</output>');
        await open(app);
        await tab.evaluate(
          ([markup, all]) => page.hydrate(markup!, ...JSON.parse(all!)),
          [html, JSON.stringify(shown)],
        );
        await execution.append(chunk('3 '));
        await until(async () => (await texts())[0] === '1 2 3 ', { timeoutMs: 10_000 });
        expect(await texts()).toEqual(['1 2 3 ', '1 2 3 ', '']);
        expect(await requests()).toEqual([`2-${execution.epoch}`]);
        expect(await tab.evaluate(() => page.errors)).toEqual([]);
      }, 60_000);

      test('a page is hydrated without a mismatch while another part of it follows the execution', async () => {
        await using app = await startApp(FAST);
        const execution = await directLog(app);
        await execution.append(chunk('one'));
        await open(app);
        await show(a1);
        await untilTexts('one');
        const shown = [a1];
        const html = renderToString(createElement(Page, { shown }));
        await tab.evaluate(
          ([markup, all]) => page.hydrate(markup!, ...JSON.parse(all!)),
          [html, JSON.stringify(shown)],
        );
        await untilTexts('one', 'one');
        expect(await tab.evaluate(() => page.errors)).toEqual([]);
        expect(await requests()).toHaveLength(1);
      }, 60_000);

      test('a selection keeps its identity when the component is rendered for another reason', async () => {
        await using app = await startApp(FAST);
        const execution = await directLog(app);
        await execution.append(toolCall());
        await open(app);
        const shown = { ...a1, select: 'toolCalls' } as const;
        await show(shown);
        await untilTexts('["search started"]');
        const count = () => tab.evaluate(() => page.states.length);
        const before = await count();
        await show(shown);
        await show(shown);
        expect(await count()).toBe(before);
      }, 60_000);

      test('a component with a selection renders when that changes, also of an inline function that creates an object', async () => {
        await using app = await startApp(FAST);
        const execution = await directLog(app);
        await open(app);
        await show({ ...a1, select: 'toolCalls' }, { ...a1, select: 'object' }, a1);
        await execution.append(toolCall());
        await until(async () => (await texts())[0] === '["search started"]');
        const selected = async () =>
          (await renders()).filter((each) => typeof (each as unknown[])[1] !== 'string');
        const before = (await selected()).length;
        for (const text of ['one', ' two', ' three']) {
          await execution.append(chunk(text));
          await until(async () => (await texts())[2]!.endsWith(text));
        }
        expect(await selected()).toHaveLength(before);
        await execution.complete();
        await until(async () => (await texts())[1] === '{"status":"SUCCESS","attempt":1}');
      }, 60_000);

      test('an execution that does not exist has an error, until it exists and is tried again', async () => {
        await using app = await startApp(FAST);
        await open(app);
        await show(a1);
        await until(async () => (await tab.locator('b').textContent()) === 'NOT_FOUND');
        expect(await statuses()).toEqual(['failed']);
        const execution = await directLog(app);
        await execution.append(chunk('one'));
        await tab.evaluate(() => page.retry());
        await untilTexts('one');
        expect([await statuses(), await tab.locator('b').textContent()]).toEqual([['live'], '']);
      }, 60_000);

      test('a list is kept up to date, with one connection for equal filters', async () => {
        await using app = await startApp(FAST);
        const execution = await directLog(app);
        await directLog(app, { id: 't1', kind: 'task' });
        await open(app);
        const agents = { component: 'list', filter: { kind: 'agent' } } as const;
        await show(agents, { ...agents, filter: { kind: 'agent' } }, { ...agents, filter: null });
        await untilTexts('a1 RUNNING', 'a1 RUNNING', '');
        expect(await statuses()).toEqual(['live', 'live', 'idle']);
        const { length } = await renders();
        const before = (await requests()).length;
        await until(async () => (await requests()).length > before + 3);
        expect(await renders()).toHaveLength(length);
        await execution.complete();
        await untilTexts('a1 SUCCESS', 'a1 SUCCESS', '');
        await show();
        const after = (await requests()).length;
        await tab.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
        expect((await requests()).length - after).toBeLessThanOrEqual(1);
      }, 60_000);
    });
  });
});
