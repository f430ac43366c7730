// The cost of the client's entries for a page: their sizes, and the modules that they load.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';

async function bundle(entry: string, external: string[] = []) {
  const options = { bundle: true, minify: true, format: 'esm', target: 'es2022', write: false } as const;
  const entryPoints = [`src/client/${entry}`];
  const built = await build({ ...options, entryPoints, external, platform: 'browser', metafile: true });
  const code = built.outputFiles[0]!.text;
  return { code, size: gzipSync(code).length, inputs: Object.keys(built.metafile.inputs) };
}

/** A page with this bundle has no package, and no global of Node. */
function expectOwnModules({ code, inputs }: Awaited<ReturnType<typeof bundle>>): void {
  expect(inputs.filter((path) => !/^src\/(client|event|async)\//.test(path))).toEqual([]);
  expect(/\b(Buffer|process|require|unref|setImmediate|node:)\b/.exec(code)).toBeNull();
}

describe('the bundle of the client', () => {
  test('with the reducer stays under 6 KB gzipped without the JSON Patch module, and under 7.3 KB with it', async () => {
    const [client, all] = await Promise.all([bundle('index.ts', ['./json-patch.ts']), bundle('index.ts')]);
    console.log(`client/index.ts: ${client.size} bytes gzipped, ${all.size} with JSON Patch`);
    expect(client.size).toBeLessThan(6_144);
    expect(all.size).toBeLessThan(7_475);
  });

  test('has modules of client/, event/ and async/ only, no package, and no global of Node', async () => {
    const built = await bundle('index.ts');
    expectOwnModules(built);
    expect(built.inputs).toContain('src/event/state.ts');
  });
});

test.each(['apollo', 'graphql-sse', 'relay', 'urql'])(
  'the bundle of client/%s stays under 4.1 KB gzipped, without a package and without the reducer',
  async (name) => {
    const built = await bundle(`graphql/${name}.ts`);
    console.log(`client/graphql/${name}.ts: ${built.size} bytes gzipped`);
    expectOwnModules(built);
    expect(built.code).not.toContain('agent_start');
    expect(built.size).toBeLessThan(4_200);
  },
);
