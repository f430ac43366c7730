// Bundles of workflows. Most test files need one of a few, and webpack takes seconds for each: files share them.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { createTemporalPlugin } from '../../src/temporal/worker/index.ts';
import { sharedBuild } from '../support/shared-builds.ts';

const QUIET = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} };

/**
 * The bundle of a file of workflows, as `bundleWorkflowCode` builds it.
 * @param withPlugin whether it has the plugin's interceptors. @default false
 */
export async function bundleWorkflows(
  workflowsPath: string,
  { withPlugin = false } = {},
): Promise<{ readonly code: string }> {
  const plugins = withPlugin ? [createTemporalPlugin({ log: {} as never, store: {} as never })] : [];
  const modules = plugins.map((plugin) => plugin.configureBundler({ workflowsPath }));
  const folder = await sharedBuild(`workflows ${workflowsPath} ${JSON.stringify(modules)}`, async (empty) => {
    const inputs = [import.meta.filename];
    const { code } = await bundleWorkflowCode({
      ...{ workflowsPath, plugins, logger: QUIET },
      webpackConfigHook: (config) => {
        const recordInputs: NonNullable<typeof config.plugins>[number] = {
          apply: ({ hooks }) =>
            hooks.done.tap('inputs', ({ compilation: { fileDependencies, missingDependencies } }) => {
              inputs.push(...fileDependencies, ...missingDependencies);
            }),
        };
        return { ...config, plugins: [...(config.plugins ?? []), recordInputs] };
      },
    });
    writeFileSync(join(empty, 'bundle.js'), code);
    return inputs;
  });
  return { code: readFileSync(join(folder, 'bundle.js'), 'utf8') };
}
