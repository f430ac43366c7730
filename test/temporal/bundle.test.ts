// What a stream adds to a workflow's bundle, and that the sandbox takes it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { afterAll, expect, test } from 'vitest';
import { buildWorkflowEntry } from '../../scripts/build-workflow.ts';
import { createTemporalPlugin } from '../../src/temporal/worker/index.ts';

const ROOT = join(import.meta.dirname, '../..');
const SOURCE = join(ROOT, 'src/temporal/workflow/index.ts');
const MOST_BYTES = 20_000;

const folder = mkdtempSync(join(tmpdir(), 'execstream-bundle-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Bundles a workflow, in which the file `entry` takes the place of our sources: as it is published. */
async function bundle(name: 'plain' | 'streams', entry = SOURCE): Promise<{ code: number; whole: number }> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(import.meta.dirname, `bundles/${name}.ts`),
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error: console.error, log() {} },
    webpackConfigHook: (config) => {
      const { alias, modules = [] } = config.resolve!;
      return {
        ...config,
        resolve: {
          ...config.resolve,
          alias: { ...alias, [SOURCE]: entry },
          modules: [...modules, join(ROOT, 'node_modules')],
        },
      };
    },
  });
  if (name === 'streams') expect(code).toContain('getStreamState');
  const withoutMap = code.replace(/\n\/\/# sourceMappingURL=.*$/s, '');
  return { code: Buffer.byteLength(withoutMap), whole: Buffer.byteLength(code) };
}

test('a stream adds less than 20 KB to a workflow’s bundle, the map of its sources included', async () => {
  const entry = join(folder, 'index.js');
  await buildWorkflowEntry(entry);
  const [without, withStream] = [await bundle('plain'), await bundle('streams', entry)];
  const code = withStream.code - without.code;
  const whole = withStream.whole - without.whole;
  console.log(
    `execstream/workflow adds ${code} bytes of code to a bundle, ${whole} with the map of its sources`,
  );
  expect(whole).toBeLessThan(MOST_BYTES);
});

test('the bundler takes the sources as they are too, as the tests and the examples here do', async () => {
  const { code } = await bundle('streams');
  expect(code).toBeGreaterThan((await bundle('plain')).code);
});

test('a bundle has the word of the sink once, though worker and bundler are given the same plugin', () => {
  const plugin = createTemporalPlugin({ log: {} as never, store: {} as never });
  const worker = plugin.configureWorker({ taskQueue: 'q', workflowsPath: 'x' });
  const modules = worker.interceptors!.workflowModules!;
  const { workflowInterceptorModules } = plugin.configureBundler({
    workflowsPath: 'x',
    workflowInterceptorModules: ['mine', ...modules],
  });
  expect(workflowInterceptorModules).toEqual(['mine', expect.stringMatching(/live-interceptors\.ts$/)]);
  expect(worker.sinks).toHaveProperty('execstream.append.fn');
});
