// The packed packages, each with the dependencies of an installation and no others.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningServer, startServer } from '../../scripts/server-process.ts';
import { until } from '../support/wait.ts';
import { describeBundles } from './bundles.ts';
import { type Installation, installAll, linkPackages } from './installation.ts';
import { installed, lock, nameOf, ROOT, withDependencies } from './lock-file.ts';

let folder: string;
let execstream: Installation;
let client: Installation;
let worker: Installation;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'execstream-pack-'));
  [execstream, client, worker] = installAll(folder) as [Installation, Installation, Installation];
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The errors of TypeScript for a file of a project. */
function typeErrors({ project }: Installation, text: string, options: readonly string[]): string[] {
  writeFileSync(join(project, 'user.ts'), text);
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const strict = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2022'];
  const { stdout } = spawnSync(tsc, [...strict, ...options, 'user.ts'], { cwd: project, encoding: 'utf8' });
  return stdout.match(/error .*/g) ?? [];
}

const OF_PAGES = [
  '--types',
  '',
  '--lib',
  'es2022,dom',
  '--module',
  'esnext',
  '--moduleResolution',
  'bundler',
];
const OF_NODE = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types'), '--module', 'nodenext'];

function bytesIn(path: string): number {
  const files = readdirSync(path, { recursive: true, encoding: 'utf8', withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
}

describe('each package', () => {
  const packages = () => [execstream, client, worker];

  test('has entries that every resolver finds, with types', async () => {
    for (const { name, tarball } of packages()) {
      const checked = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(tarball))));
      const problems = 'problems' in checked ? checked.problems : ['no types'];
      // ES modules only: every Node that we support can require() them.
      const others = problems.filter(
        (problem) => typeof problem === 'string' || problem.kind !== 'CJSResolvesToESM',
      );
      expect([name, others]).toEqual([name, []]);
    }
  }, 120_000);

  test('follows the rules of publint', async () => {
    for (const { name, folder: pkgDir } of packages()) {
      const { messages } = await publint({ pkgDir, strict: true, pack: false });
      expect([name, messages]).toEqual([name, []]);
    }
  });

  test('has its license, its changes and its documentation, and no install script', () => {
    for (const { name, folder: path } of packages()) {
      const files = readdirSync(path);
      expect([name, files]).toEqual([
        name,
        expect.arrayContaining(['CHANGELOG.md', 'LICENSE', 'README.md', 'docs', 'package.json']),
      ]);
      const { repository, scripts = {} } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
      expect(repository).toMatchObject({ type: 'git' });
      expect(Object.keys(scripts).filter((script) => /^(pre|post)?install$/.test(script))).toEqual([]);
    }
  });
});

describe('execstream', () => {
  let server: RunningServer | undefined;

  afterAll(() => server?.end('SIGKILL'));

  test('has types that compile with `skipLibCheck: false`', () => {
    const program = `
      import { addExecstreamTypes, createExecstream, readConfig, useExecstream } from 'execstream';
      import { createClient } from 'execstream/client';
      import { initialState } from 'execstream/state';
      import { createPublisher, createTemporalPlugin } from 'execstream/worker';
      import { createHttpPublisher } from 'execstream/worker/http';
      import * as workflow from 'execstream/workflow';
      export const all = [createClient, initialState, createPublisher, createTemporalPlugin, createHttpPublisher, workflow];
      export const server = [addExecstreamTypes, readConfig, useExecstream];
      export const wrong: number = createExecstream({} as never).fetch;`;
    expect(typeErrors(execstream, program, OF_NODE)).toEqual([expect.stringContaining('TS2322')]);
  }, 60_000);

  test('the package has a bill of materials with every installed package and the vendored files', () => {
    const bom = JSON.parse(readFileSync(join(execstream.folder, 'dist/sbom.cdx.json'), 'utf8')) as {
      bomFormat: string;
      metadata: { component: { name: string } };
      components: { purl: string }[];
    };
    expect([bom.bomFormat, bom.metadata.component.name]).toEqual(['CycloneDX', 'execstream']);
    const listed = bom.components.map(({ purl }) => decodeURIComponent(purl));
    // The compiler's platform packages are not part of an installation, but npm's lock file does not mark them.
    const expected = installed
      .filter((path) => !path.includes('@typescript/'))
      .map((path) => `pkg:npm/${nameOf(path)}@${lock.packages[path]!.version}`);
    const vendored = ['swagger-ui-dist', '@prisma/client'].map(
      (name) => `pkg:npm/${name}@${lock.packages[`node_modules/${name}`]!.version}`,
    );
    expect(new Set(listed)).toEqual(new Set([...expected, ...vendored]));
  });

  test('the package serves its documentation and its embedded database without development dependencies', async () => {
    let printed = '';
    server = await startServer({
      command: '/usr/bin/env',
      args: [
        `DATA_DIR=${join(folder, 'data')}`,
        'PORT=0',
        process.execPath,
        join(execstream.folder, 'bin/execstream.js'),
        'start',
      ],
      folder: execstream.project,
      ready: /"msg":"ready"/,
      onPrinted: (chunk) => {
        printed += chunk;
      },
    });
    const url = /"url":"([^"]+)"/.exec(printed)![1];
    for (const [name, type] of [
      ['swagger-ui.css', 'text/css'],
      ['swagger-ui-bundle.js', 'text/javascript'],
      ['favicon-32x32.png', 'image/png'],
      ['start.js', 'text/javascript'],
    ]) {
      const response = await fetch(`${url}/docs/${name}`);
      expect([name, response.status, response.headers.get('content-type')]).toEqual([
        name,
        200,
        expect.stringContaining(type!),
      ]);
      expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(100);
    }
    await until(async () => (await fetch(`${url}/health/ready`)).ok, {
      what: 'the embedded database',
      timeoutMs: 90_000,
    });
    const follow = `
      import { createClient } from 'execstream/client';
      const { ended } = createClient({ url: '${url}' }).follow('agent', 'absent');
      console.log(await ended.catch(({ code }) => code));`;
    expect(execstream.run('--input-type=module', '-e', follow)).toBe('NOT_FOUND\n');
    await server.end('SIGTERM');
    expect(await server.exited).toBe('code 0');
  }, 150_000);
});

describe('execstream-client', () => {
  test('has no dependency and less than 200 KB', () => {
    const { dependencies } = JSON.parse(readFileSync(join(client.folder, 'package.json'), 'utf8'));
    expect(dependencies).toEqual({});
    const bytes = bytesIn(client.folder);
    console.log(`execstream-client: ${Math.round(bytes / 1000)} KB`);
    expect(bytes).toBeLessThan(200_000);
  });

  test('has types for a page, without those of Node, under both of its names', () => {
    for (const [installation, name] of [
      [client, 'execstream-client'],
      [execstream, 'execstream/client'],
    ] as const) {
      const page = `
        import { createClient } from '${name}';
        import { shareTabs } from '${name}/tabs';
        const client = createClient({ url: '/', storage: sessionStorage, tabs: shareTabs() });
        const run = client.follow('agent', 'a1');
        document.title = run.state.text ?? run.connection.status;
        export const wrong: number = run.connection;`;
      expect(typeErrors(installation, page, OF_PAGES)).toEqual([expect.stringContaining('TS2322')]);
    }
  }, 60_000);

  test('has bindings that load, and types of them, for the frameworks that a project has', () => {
    const page = `
      import { createClient } from 'execstream-client';
      import { ExecstreamProvider, useExecution } from 'execstream-client/react';
      import { executionStore } from 'execstream-client/svelte';
      const client = createClient({ url: '/' });
      export const shown = () => [ExecstreamProvider({ client }), useExecution('agent', 'a1').state.text];
      executionStore(client, 'agent', 'a1').subscribe(({ state }) => state.text);
      export const wrong: number = useExecution('agent', 'a1').connection.status;`;
    // Without the types of React, and then with them.
    expect(typeErrors(client, page, OF_PAGES)).toEqual([expect.stringContaining('TS2322')]);
    linkPackages(['react', 'csstype', '@types/react', 'vue', '@vue'], client.project);
    expect(typeErrors(client, page, OF_PAGES)).toEqual([expect.stringContaining('TS2322')]);
    const load = `
      const modules = ['react', 'svelte', 'vue'].map((name) => import('execstream-client/' + name));
      console.log((await Promise.all(modules)).flatMap(Object.keys).sort().join());`;
    expect(client.run('--input-type=module', '-e', load)).toBe(
      'ExecstreamProvider,executionListStore,executionStore,useExecstreamClient,useExecution,useExecution,useExecutions,useExecutions\n',
    );
  }, 60_000);
});

describe('execstream-worker', () => {
  const PROGRAM = `
    import { createPublisher, createTemporalPlugin } from 'execstream-worker';
    import { initialState } from 'execstream-worker/state';
    const publisher = createPublisher({ redis: 'redis://127.0.0.1:1', database: 'postgresql://127.0.0.1:1/none' });
    publisher.close().then(() => console.log('closed', typeof createTemporalPlugin, initialState('agent').kind));`;

  test('has less than 60 MB with its dependencies, and neither GraphQL, PGlite nor Prisma’s engines', () => {
    const { dependencies } = JSON.parse(readFileSync(join(worker.folder, 'package.json'), 'utf8'));
    const names = withDependencies(Object.keys(dependencies));
    expect([...names].filter((name) => /graphql|pglite|swagger|prisma\/client$/.test(name))).toEqual([]);
    const bytes = [...names].reduce(
      (sum, name) => sum + bytesIn(join(ROOT, 'node_modules', name)),
      bytesIn(worker.folder),
    );
    console.log(`execstream-worker: ${names.size + 1} packages, ${Math.round(bytes / 1e6)} MB`);
    expect(bytes).toBeLessThan(60_000_000);
  });

  test('runs without Temporal, and has types without it', () => {
    writeFileSync(join(worker.project, 'program.mjs'), PROGRAM);
    expect(worker.run('program.mjs')).toBe('closed function agent\n');
    expect(typeErrors(worker, PROGRAM, OF_NODE)).toEqual([]);
  }, 60_000);
});

describe('bundled with', () => {
  describeBundles(() => ({ parent: folder, packages: [client, worker] }));
});
