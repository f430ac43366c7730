// The size that a stream adds to a workflow's bundle, and that the bundler accepts the sources.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflowCode, type WorkflowBundleOption } from '@temporalio/worker';
import { afterAll, describe, expect, test } from 'vitest';
import { buildWorkflowEntry } from '../../scripts/build-workflow.ts';
import { createTemporalPlugin } from '../../src/temporal/worker/index.ts';
import { bundleWorkflows } from './workflow-bundles.ts';

const ROOT = join(import.meta.dirname, '../..');
const SOURCE = join(ROOT, 'src/temporal/workflow/index.ts');
/** Most of it is what omits the large fields of an event, and the source map. */
const MAX_BYTES = 38_000;

const folder = mkdtempSync(join(tmpdir(), 'execstream-bundle-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Bundles a workflow in which the file `entry` replaces our sources, as in the published package. */
async function bundle(name: 'plain' | 'streams', entry = SOURCE): Promise<{ code: number; total: number }> {
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
  return { code: Buffer.byteLength(withoutMap), total: Buffer.byteLength(code) };
}

test('a stream adds less than 38 KB to a workflow’s bundle, including the source map', async () => {
  const entry = join(folder, 'index.js');
  await buildWorkflowEntry(entry);
  const [without, withStream] = [await bundle('plain'), await bundle('streams', entry)];
  const code = withStream.code - without.code;
  const total = withStream.total - without.total;
  console.log(`execstream/workflow adds ${code} bytes of code to a bundle, ${total} with the source map`);
  expect(total).toBeLessThan(MAX_BYTES);
});

test('the bundler also accepts the sources, as the tests and examples of this repository use them', async () => {
  const { code } = await bundle('streams');
  expect(code).toBeGreaterThan((await bundle('plain')).code);
});

test('a bundle contains the interceptors once, though worker and bundler get the same plugin', () => {
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

describe('a worker with the plugin', () => {
  const logged: string[] = [];
  const logger = { info() {}, error() {}, warn: (_: object, message: string) => void logged.push(message) };
  const plugin = createTemporalPlugin({ log: {} as never, store: {} as never, logger });
  const bundleOf = (name: 'plain' | 'streams', withPlugin: boolean) =>
    bundleWorkflows(join(import.meta.dirname, `bundles/${name}.ts`), { withPlugin });
  const warningsFor = (workflowBundle: WorkflowBundleOption) => {
    logged.length = 0;
    plugin.configureWorker({ taskQueue: 'q', workflowBundle });
    return [...logged];
  };

  test('logs a bundle of streaming workflows that was built without the plugin, also one in a file', async () => {
    const warning = expect.stringMatching(
      /^workflowBundle: built without the plugin, .* bundleWorkflowCode$/,
    );
    const { code } = await bundleOf('streams', false);
    expect(warningsFor({ code })).toEqual([warning]);
    const codePath = join(folder, 'bundle.js');
    writeFileSync(codePath, code);
    expect(warningsFor({ codePath })).toEqual([warning]);
  });

  test('logs nothing for a bundle with the plugin, without streams, or that cannot be read', async () => {
    expect(warningsFor(await bundleOf('streams', true))).toEqual([]);
    expect(warningsFor(await bundleOf('plain', false))).toEqual([]);
    expect(warningsFor({ codePath: join(folder, 'missing.js') })).toEqual([]);
  });

  test.each([
    ['{}', {}, /^log: expected a log, such as createRedisLogWriter\(\) returns, got undefined$/],
    ['no log', { log: undefined, store: {} }, /^log: expected .*, got undefined$/],
    [
      'no store',
      { log: {}, store: null },
      /^store: expected a store, such as createPrismaStore\(\) returns, got null$/,
    ],
    ['undefined', undefined, /^options: expected \{ log, store \}, got undefined$/],
  ])('is rejected with a clear error if its options are %s', (_, options, message) => {
    expect(() => createTemporalPlugin(options as never)).toThrow(
      expect.objectContaining({ code: 'CONFIG', message: expect.stringMatching(message) }),
    );
  });
});
