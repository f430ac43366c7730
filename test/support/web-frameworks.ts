// Examples that run in separate processes, with frameworks and runtimes from the user's cache folder.
//
//   describeWebFrameworks('NestJS', () => {
//     test('…', async () => {
//       await using example = await startExample('nest');
//       const response = await fetch(`${example.url}/streams/`);
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { freePort } from '../../scripts/server-process.ts';
import { findPart, WEB_FRAMEWORKS } from '../../scripts/test-services.ts';
import { until } from './wait.ts';

const ROOT = join(import.meta.dirname, '../..');
const frameworks = findPart(WEB_FRAMEWORKS);

/** `describe` for suites that need the frameworks; skipped if they are not installed. */
export const describeWebFrameworks = describe.skipIf(frameworks === undefined);

/** The folder that has them in its `node_modules`; undefined if they are not installed. */
export const FRAMEWORKS_FOLDER = frameworks;

export type ExampleName = 'bun' | 'deno' | 'nest' | 'next';

/** The program of each runtime's package, whose installation scripts do not run. */
function programOf(scope: string, name: string): string {
  const folder = join(frameworks!, 'node_modules', scope);
  const [platform] = readdirSync(folder).filter((each) => each.startsWith(name) || scope === '@deno');
  return join(folder, platform!, ...(scope === '@deno' ? ['deno'] : ['bin', name]));
}

const COMMANDS: { readonly [name in ExampleName]: () => readonly string[] } = {
  bun: () => [programOf('@oven', 'bun'), 'main.ts'],
  deno: () => [programOf('@deno', 'deno'), 'run', '--allow-all', 'main.ts'],
  next: () => [
    process.execPath,
    join(frameworks!, 'node_modules/next/dist/bin/next'),
    'start',
    '-H',
    '127.0.0.1',
  ],
  nest: () => [process.execPath, '--import', `file://${ROOT}/node_modules/tsx/dist/loader.mjs`, 'main.ts'],
};

export interface RunningExample extends AsyncDisposable {
  readonly url: string;
  /** What it has printed. */
  readonly output: string;
  /** Sends SIGTERM, and returns the exit code. */
  stop(): Promise<number | null>;
}

/** Next loads packages that are not bundled from a folder `node_modules`, so it needs a compiled copy of ours. */
function buildNext(folder: string): void {
  const packages = join(frameworks!, 'node_modules');
  const own = join(folder, 'node_modules/execstream');
  mkdirSync(own, { recursive: true });
  for (const name of readdirSync(packages))
    symlinkSync(join(packages, name), join(folder, 'node_modules', name));
  symlinkSync(join(ROOT, 'node_modules'), join(own, 'node_modules'));
  cpSync(join(ROOT, 'package.json'), join(own, 'package.json'));
  const run = (args: string[], cwd: string) => {
    const { status, stdout } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${args[0]} failed: ${stdout}`);
  };
  run(
    [
      join(ROOT, 'node_modules/typescript/bin/tsc'),
      '-p',
      'tsconfig.build.json',
      '--outDir',
      join(own, 'dist'),
    ],
    ROOT,
  );
  run([join(packages, 'next/dist/bin/next'), 'build', '--webpack'], folder);
}

/** Starts an example in a copy of its folder, where `execstream` is the source of this checkout. */
export async function startExample(name: ExampleName): Promise<RunningExample> {
  const folder = mkdtempSync(join(tmpdir(), `execstream-${name}-`));
  cpSync(join(ROOT, 'examples/embedding', name), folder, { recursive: true });
  if (name === 'next') buildNext(folder);
  else symlinkSync(join(frameworks!, 'node_modules'), join(folder, 'node_modules'));
  const source = `${ROOT}/src/index.ts`;
  const paths = { execstream: [source] };
  const compilerOptions = { target: 'es2022', module: 'nodenext', experimentalDecorators: true, paths };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  writeFileSync(
    join(folder, 'deno.json'),
    JSON.stringify({ imports: { execstream: source }, nodeModulesDir: 'manual' }),
  );
  const [program, ...args] = COMMANDS[name]();
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(program!, args, { cwd: folder, env: { PATH, HOME, PORT: String(await freePort()) } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece) => {
      output += piece;
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const stop = () => {
    child.kill('SIGTERM');
    return exited;
  };
  const dispose = async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const url = await until(() => /(?:listening on|Local:) +(http:\S+)/.exec(output)?.[1], {
      timeoutMs: 60_000,
    });
    // The embedded database starts in the background.
    await until(async () => (await fetch(`${url}/streams/health/ready`)).ok, { timeoutMs: 90_000 });
    return {
      url: url!,
      get output() {
        return output;
      },
      stop,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw new Error(`${name} did not start: ${output}`, { cause: error });
  }
}
