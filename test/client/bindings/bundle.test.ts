// The cost of the bindings for a page that has the client.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';

async function bundle(contents: string) {
  const built = await build({
    stdin: { contents, resolveDir: 'src/client' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    external: ['react', 'vue'],
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const [output] = Object.values(built.metafile.outputs);
  return {
    bytes: gzipSync(built.outputFiles[0]!.text).length,
    inputs: Object.keys(built.metafile.inputs).filter((path) => path !== '<stdin>'),
    packages: [...new Set(output!.imports.map(({ path }) => path))],
    warnings: built.warnings,
  };
}

const CLIENT = `export * from './index.ts';`;

describe.each([
  ['react', './react/index.ts', ['react'], 1_280],
  ['vue', './vue.ts', ['vue'], 900],
  ['svelte', './svelte.ts', [], 770],
])('the bundle of client/%s', (name, entry, packages, limit) => {
  test(`adds up to ${limit} bytes gzipped to the client, and loads no package but its framework`, async () => {
    const [client, both] = [await bundle(CLIENT), await bundle(`${CLIENT} export * from '${entry}';`)];
    console.log(`client/${name}: ${both.bytes - client.bytes} bytes gzipped beside the client`);
    expect(both.bytes - client.bytes).toBeLessThan(limit);
    expect(both.packages).toEqual(packages);
    expect(both.inputs.filter((path) => !/^src\/(client|event|async)\//.test(path))).toEqual([]);
    expect(both.warnings).toEqual([]);
  });
});
