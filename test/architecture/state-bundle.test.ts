// What `execstream/state` costs a browser: its size, and what it imports.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';

describe('the bundle of event/state.ts', () => {
  async function bundle(external: string[] = []) {
    const options = { bundle: true, minify: true, format: 'esm', target: 'es2023', write: false } as const;
    const entryPoints = ['src/event/state.ts'];
    const built = await build({ ...options, entryPoints, external, platform: 'browser', metafile: true });
    return { code: built.outputFiles[0]!.text, inputs: Object.keys(built.metafile.inputs).sort() };
  }

  test('stays under 2 KB gzipped without the JSON Patch module, and under 3.5 KB with it', async () => {
    const sizes = await Promise.all([bundle(['./json-patch.ts']), bundle()]);
    const [reducer, all] = sizes.map(({ code }) => gzipSync(code).length) as [number, number];
    console.log(`event/state.ts: ${reducer} bytes gzipped, ${all} with JSON Patch`);
    expect(reducer).toBeLessThan(2_048);
    expect(all).toBeLessThan(3_584);
  });

  test('has nothing but the reducer and the JSON Patch module, and uses no global of Node', async () => {
    const { code, inputs } = await bundle();
    const names = [
      'child-state',
      'content-state',
      'json-equals',
      'json-patch',
      'json-pointer',
      'state',
      'upsert',
    ];
    expect(inputs).toEqual(names.map((name) => `src/event/${name}.ts`));
    expect(code).not.toMatch(/\b(Buffer|process|require|node:)\b/);
  });
});
