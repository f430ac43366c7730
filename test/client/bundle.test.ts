// The cost of `execstream/client` for a page: its size, and the modules that it loads.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';

describe('the bundle of the client', () => {
  async function bundle(external: string[] = []) {
    const options = { bundle: true, minify: true, format: 'esm', target: 'es2022', write: false } as const;
    const entryPoints = ['src/client/index.ts'];
    const built = await build({ ...options, entryPoints, external, platform: 'browser', metafile: true });
    return { code: built.outputFiles[0]!.text, inputs: Object.keys(built.metafile.inputs) };
  }

  test('with the reducer stays under 6.25 KB gzipped without the JSON Patch module, and under 7.5 KB with it', async () => {
    const sizes = await Promise.all([bundle(['./json-patch.ts']), bundle()]);
    const [client, all] = sizes.map(({ code }) => gzipSync(code).length) as [number, number];
    console.log(`client/index.ts: ${client} bytes gzipped, ${all} with JSON Patch`);
    expect(client).toBeLessThan(6_400);
    expect(all).toBeLessThan(7_680);
  });

  test('has modules of client/, event/ and async/ only, no package, and no global of Node', async () => {
    const { code, inputs } = await bundle();
    const others = inputs.filter((path) => !/^src\/(client|event|async)\//.test(path));
    expect(others).toEqual([]);
    expect(inputs).toContain('src/event/state.ts');
    expect(/\b(Buffer|process|require|unref|setImmediate|node:)\b/.exec(code)).toBeNull();
  });
});
