// The Vue composables and the Svelte stores in Chromium: real components that follow an execution, and then another.
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { compile } from 'svelte/compiler';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chunk, directLog, startApp } from '../../support/app.ts';
import { describeBrowser, launchBrowser } from '../../support/chromium.ts';
import { until } from '../../support/wait.ts';

/** Defined in the page. */
declare const page: { follow(id: string | null): void; unmount(): void };

const CLIENT = fileURLToPath(new URL('../../../src/client', import.meta.url));

const VUE = `
import { createApp, h, ref } from 'vue';
import { createClient } from './index.ts';
import { useExecution } from './vue.ts';
const client = createClient({ url: '/' });
const id = ref('a1');
const app = createApp({
  setup() {
    const { state, connection } = useExecution(client, 'agent', id);
    return () => [h('pre', state.value.text), h('output', connection.value.status)];
  },
});
app.mount(document.body);
globalThis.page = { follow: (other) => { id.value = other; }, unmount: () => app.unmount() };
`;

const SVELTE = `
import { mount, unmount, flushSync } from 'svelte';
import { writable } from 'svelte/store';
import Agent from 'agent.svelte';
const id = writable('a1');
document.body.textContent = '';
const component = mount(Agent, { target: document.body, props: { id } });
globalThis.page = { follow: (other) => flushSync(() => id.set(other)), unmount: () => unmount(component) };
`;

const AGENT = `
<script>
  import { fromStore } from 'svelte/store';
  import { createClient } from './index.ts';
  import { executionStore } from './svelte.ts';
  const { id } = $props();
  const client = createClient({ url: '/' });
  const run = $derived(fromStore(executionStore(client, 'agent', $id)));
</script>
<pre>{run.current.state.text}</pre>
<output>{run.current.connection.status}</output>
`;

const compileSvelte: Plugin = {
  name: 'svelte',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.svelte$/ }, () => ({ path: 'agent.svelte', namespace: 'svelte' }));
    onLoad({ filter: /.*/, namespace: 'svelte' }, () => {
      const { js } = compile(AGENT, { generate: 'client', filename: 'Agent.svelte' });
      return { contents: js.code, resolveDir: CLIENT };
    });
  },
};

describeBrowser('in Chromium', () => {
  let browser: Awaited<ReturnType<typeof launchBrowser>>;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  test.each([
    ['Vue', VUE],
    ['Svelte', SVELTE],
  ])(
    'a component of %s follows an execution, then another, with one connection',
    async (_, contents) => {
      await using app = await startApp();
      const built = await build({
        stdin: { contents, resolveDir: CLIENT },
        bundle: true,
        format: 'iife',
        write: false,
        conditions: ['browser'],
        plugins: [compileSvelte],
        define: {
          __VUE_OPTIONS_API__: 'true',
          __VUE_PROD_DEVTOOLS__: 'false',
          __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
        },
      });
      const tab = await browser.newPage();
      const problems: string[] = [];
      tab.on('pageerror', ({ message }) => problems.push(message));
      const [first, second] = [await directLog(app), await directLog(app, { id: 'a2' })];
      await tab.goto(`${app.url}/health/live`);
      await tab.evaluate(built.outputFiles[0]!.text);
      const untilText = (expected: string) =>
        until(async () => (await tab.locator('pre').textContent()) === expected, {
          what: `the text ${expected}`,
          timeoutMs: 10_000,
        });
      const untilStreams = (count: number) =>
        until(() => app.services.streams.size === count, { what: `${count} streams` });
      await first.append(chunk('one'));
      await untilText('one');
      await first.append(chunk(' two\r\n'));
      await untilText('one two\r\n');
      await tab.evaluate(() => page.follow('a2'));
      await untilText('');
      await second.append(chunk('☃'));
      await untilText('☃');
      await untilStreams(1);
      expect(await tab.locator('output').textContent()).toBe('live');
      await tab.evaluate(() => page.follow(null));
      await untilStreams(0);
      expect(await tab.locator('output').textContent()).toBe('idle');
      await tab.evaluate(() => page.follow('a2'));
      await untilText('☃');
      await tab.evaluate(() => page.unmount());
      await untilStreams(0);
      expect(problems).toEqual([]);
      await tab.close();
    },
    60_000,
  );
});
