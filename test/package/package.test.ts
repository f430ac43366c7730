// The contents of an installation: the dependencies in the manifest and the lock file, and the packed package with only
// those.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningServer, startServer } from '../../scripts/server-process.ts';
import { until } from '../support/wait.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Entry {
  version: string;
  dev?: true;
  devOptional?: true;
  peer?: true;
  hasInstallScript?: true;
}

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Entry>;
};

/** The paths of the packages that are installed with ours. */
const installed = Object.entries(lock.packages)
  .filter(([path, { dev, devOptional, peer }]) => path !== '' && !dev && !devOptional && !peer)
  .map(([path]) => path);
const nameOf = (path: string) => path.replace(/^.*node_modules\//, '');

describe('the dependencies', () => {
  test('production dependencies are exact versions, except packages that users install themselves', () => {
    const ranges = Object.entries(manifest.dependencies)
      .filter(([, range]) => !/^\d+\.\d+\.\d+$/.test(range))
      .map(([name]) => name);
    expect(ranges.sort()).toEqual([
      '@temporalio/client',
      '@temporalio/envconfig',
      '@temporalio/proto',
      'graphql',
    ]);
  });

  test('development dependencies are exact versions', () => {
    const ranges = Object.values(manifest.devDependencies).filter((range) => !/^\d+\.\d+\.\d+$/.test(range));
    expect(ranges).toEqual([]);
  });

  test('dependencies bring no telemetry, and no install script except one that checks a version', () => {
    expect(installed.length).toBeGreaterThan(100);
    const names = installed.map(nameOf);
    expect(names).not.toContain('@scarf/scarf');
    expect(names).not.toContain('swagger-ui-dist');
    const withScripts = installed.filter((path) => lock.packages[path]?.hasInstallScript);
    expect(withScripts.map(nameOf)).toEqual(['protobufjs']);
  });
});

describe('the packed package', () => {
  let folder: string;
  let project: string;
  let server: RunningServer | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'execstream-pack-'));
    // A copy, because building replaces dist/, which a developer may be using.
    const checkout = join(folder, 'checkout');
    mkdirSync(checkout);
    const files = [
      'package.json',
      'package-lock.json',
      'tsconfig.json',
      'tsconfig.build.json',
      'schema.graphql',
    ];
    for (const name of [
      ...files,
      'prisma.config.ts',
      'bin',
      'src',
      'scripts',
      'prisma',
      'LICENSE',
      'README.md',
    ]) {
      cpSync(join(ROOT, name), join(checkout, name), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
    const npm = (...args: string[]) => execFileSync('npm', args, { cwd: checkout, encoding: 'utf8' });
    npm('run', 'prepack');
    const [{ filename }] = JSON.parse(npm('pack', '--ignore-scripts', '--json')) as [{ filename: string }];

    project = join(folder, 'project');
    mkdirSync(join(project, 'node_modules'), { recursive: true });
    execFileSync('tar', ['-xzf', join(checkout, filename), '-C', project]);
    cpSync(join(project, 'package'), join(project, 'node_modules/execstream'), { recursive: true });
    // The same result as `npm install --omit=dev`, but without a registry.
    for (const path of installed.filter((path) => path.lastIndexOf('node_modules/') === 0)) {
      mkdirSync(dirname(join(project, path)), { recursive: true });
      symlinkSync(join(ROOT, path), join(project, path));
    }
  }, 300_000);

  /** Runs Node in the project of a user; returns its output. */
  const run = (...args: string[]) => execFileSync(process.execPath, args, { cwd: project, encoding: 'utf8' });

  afterAll(async () => {
    await server?.end('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  test('the package has a bill of materials with every installed package and the vendored files', () => {
    const bom = JSON.parse(
      readFileSync(join(project, 'node_modules/execstream/dist/sbom.cdx.json'), 'utf8'),
    ) as { bomFormat: string; metadata: { component: { name: string } }; components: { purl: string }[] };
    expect([bom.bomFormat, bom.metadata.component.name]).toEqual(['CycloneDX', 'execstream']);
    const listed = bom.components.map(({ purl }) => decodeURIComponent(purl));
    // The compiler's platform packages are not part of an installation, but npm's lock file does not mark them.
    const expected = installed
      .filter((path) => !path.includes('@typescript/'))
      .map((path) => `pkg:npm/${nameOf(path)}@${lock.packages[path]!.version}`);
    const swaggerUi = lock.packages['node_modules/swagger-ui-dist']!.version;
    expect(new Set(listed)).toEqual(new Set([...expected, `pkg:npm/swagger-ui-dist@${swaggerUi}`]));
  });

  test('the package serves its documentation and its embedded database without development dependencies', async () => {
    let printed = '';
    server = await startServer({
      command: '/usr/bin/env',
      args: [
        `DATA_DIR=${join(folder, 'data')}`,
        'PORT=0',
        process.execPath,
        join(project, 'node_modules/execstream/bin/execstream.js'),
        'start',
      ],
      folder: project,
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
    expect(run('--input-type=module', '-e', follow)).toBe('NOT_FOUND\n');
    await server.end('SIGTERM');
    expect(await server.exited).toBe('code 0');
  }, 150_000);

  test('the client has types for a page, without those of Node', () => {
    const page = `
      import { createClient } from 'execstream/client';
      import { shareTabs } from 'execstream/client/tabs';
      const client = createClient({ url: '/', storage: sessionStorage, tabs: shareTabs() });
      const run = client.follow('agent', 'a1');
      document.title = run.state.text ?? run.connection.status;
      export const wrong: number = run.connection;`;
    writeFileSync(join(project, 'page.ts'), page);
    const options = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--types', '', '--lib', 'es2022,dom'];
    const module = ['--module', 'esnext', '--moduleResolution', 'bundler', '--target', 'es2022'];
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    const { stdout } = spawnSync(tsc, [...options, ...module, 'page.ts'], { cwd: project, encoding: 'utf8' });
    expect(stdout.match(/error .*/g)).toEqual([expect.stringContaining('TS2322')]);
  }, 60_000);
});
