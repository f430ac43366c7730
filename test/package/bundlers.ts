// Bundlers, each without any setting except what an application sets that uses none of our packages.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import * as vite from 'vite';
import { requireRollup } from '../support/bundlers.ts';

/** Where a bundle runs: in a browser, in an edge runtime, or in Node. */
export type Target = 'page' | 'edge' | 'worker';

export interface Bundle {
  /** The entry. */
  readonly file: string;
  readonly warnings: readonly string[];
}

/**
 * Bundles the entry `<target>.js` of a project, with all packages, into an empty folder.
 * @throws the bundler's error
 */
export type Bundler = (project: string, target: Target, folder: string) => Promise<Bundle>;

export async function bundleWithEsbuild(project: string, target: Target, folder: string): Promise<Bundle> {
  const isForNode = target === 'worker';
  const file = join(folder, isForNode ? 'worker.cjs' : `${target}.js`);
  const { warnings } = await esbuild.build({
    entryPoints: [join(project, `${target}.js`)],
    bundle: true,
    platform: isForNode ? 'node' : 'browser',
    format: isForNode ? 'cjs' : 'esm',
    outfile: file,
    logLevel: 'silent',
  });
  return { file, warnings: warnings.map(({ text }) => text) };
}

export async function bundleWithVite(project: string, target: Target, folder: string): Promise<Bundle> {
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  await vite.build({
    root: project,
    configFile: false,
    customLogger: { ...vite.createLogger('silent'), warn, warnOnce: warn },
    build: { outDir: folder, emptyOutDir: false, ssr: target !== 'page' && join(project, `${target}.js`) },
    // By default a server loads its dependencies from node_modules.
    ssr: { noExternal: true, target: target === 'edge' ? 'webworker' : 'node' },
  });
  const isEntry = (name: string) => (target === 'page' ? /^assets\/.*\.js$/ : /^\w+\.js$/).test(name);
  const entry = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find(isEntry);
  return { file: join(folder, entry!), warnings };
}

export async function bundleWithRollup(project: string, target: Target, folder: string): Promise<Bundle> {
  const warnings: string[] = [];
  const isForNode = target === 'worker';
  const plugins = [
    requireRollup('@rollup/plugin-node-resolve')({ browser: !isForNode, preferBuiltins: isForNode }),
    // React and the drivers of Redis and Postgres are CommonJS; the client and the worker over HTTP do without.
    ...(target === 'edge'
      ? []
      : [requireRollup('@rollup/plugin-commonjs')(), requireRollup('@rollup/plugin-json')()]),
  ];
  const bundle = await requireRollup('rollup').rollup({
    input: join(project, `${target}.js`),
    plugins,
    onwarn: ({ message }: { message: string }) => warnings.push(message),
  });
  const file = join(folder, `${target}.mjs`);
  // For React.
  const intro = isForNode ? '' : 'const process = { env: { NODE_ENV: "production" } };';
  await bundle.write({ file, format: 'es', inlineDynamicImports: true, intro });
  await bundle.close();
  return { file, warnings };
}
