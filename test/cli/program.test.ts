// The command itself: in a checkout without a build, its help, its version, and what each command loads.
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { importsOf } from '../architecture/scan.ts';
import { ROOT, runCommand } from '../docs/blocks.ts';
import { execstream } from './execstream.ts';

// On a busy machine, each process takes seconds to load.
vi.setConfig({ testTimeout: 60_000 });

const { version, bin, files, scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

describe('the command of a checkout', () => {
  test('the package names a file that is committed, and has no install script', () => {
    expect(bin).toEqual({ execstream: 'bin/execstream.js' });
    expect(files).toContain('bin');
    expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([]);
  });

  test('--version prints the version', async () => {
    await using command = runCommand(`exec ${process.execPath} ${bin.execstream} --version`);
    const code = await command.exited;
    expect([code, command.stdout, command.stderr]).toEqual([0, `${version}\n`, '']);
  });

  test('help lists every command and exit code', async () => {
    const { code, stdout } = await execstream('--help');
    expect(code).toBe(0);
    for (const name of ['start', 'tail', 'ls', 'state', 'replay', 'doctor', 'config', 'migrate', 'demo']) {
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
    }
    expect(stdout).toContain('Exit codes:');
    expect((await execstream('help tail')).stdout).toContain('Usage: execstream tail [options] <kind> <id>');
  });

  test.each([
    ['', 'Usage: execstream'],
    ['nonsense', "execstream: unknown command 'nonsense'\nSee --help.\n"],
    ['tai agent a1', 'Did you mean tail?'],
    ['tail', "execstream: missing required argument 'kind'\nSee --help.\n"],
    ['tail agent', "execstream: missing required argument 'id'\nSee --help.\n"],
    ['tail agent a1 --nope', "execstream: unknown option '--nope'\nSee --help.\n"],
    ['start --nope', "execstream: unknown option '--nope'\nSee --help.\n"],
  ])('wrong arguments exit with 2 and a message: %s', async (args, message) => {
    const { code, stdout, stderr } = await execstream(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});

/** The packages that a file loads, with the files that it imports. */
function packagesOf(file: string, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(file)) return packages;
  seen.add(file);
  for (const { specifier, typeOnly } of importsOf(readFileSync(file, 'utf8'))) {
    if (typeOnly) continue;
    if (!specifier.startsWith('.')) packages.add(specifier);
    else for (const each of packagesOf(join(dirname(file), specifier), seen)) packages.add(each);
  }
  return packages;
}

describe('client commands', () => {
  test.each(['tail', 'ls', 'state', 'replay', 'doctor'])('%s does not load the server', (name) => {
    const seen = new Set<string>();
    const packages = packagesOf(join(ROOT, `src/cli/commands/${name}.ts`), seen);
    expect([...packages].filter((each) => !each.startsWith('node:'))).toEqual(['commander']);
    const folders = new Set([...seen].map((file) => relative(join(ROOT, 'src'), file).split('/')[0]));
    expect([...folders].filter((each) => /^(graphql|rest|schema|log|tail|execution)$/.test(each!))).toEqual(
      [],
    );
  });
});
