// `npm run mutate [-- folder …]`: mutation tests. Stryker changes the code of a folder of src/ in one place at a time
// and runs the folder's suites: a change that no test notices is a survivor. Not part of CI: it takes about an hour.
// Instead of a folder, a part of it can be named: `publish/llm`, or files by a pattern, `publish/{run,retry}.ts`.
//
// A folder's own suites must notice its mutants. Suites that start servers (test/server, test/temporal) are not run, so
// that what talks to Redis (log/redis/) is left out.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const FOLDERS = ['event', 'log', 'tail', 'sse', 'stream', 'graphql', 'lifecycle', 'publish'];
const ROOT = join(import.meta.dirname, '..');
const STRYKER = createRequire(import.meta.url).resolve('@stryker-mutator/core/package.json');
const BIN = join(dirname(STRYKER), 'bin/stryker.js');

interface Mutant {
  readonly status: string;
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly location: { readonly start: { readonly line: number } };
}

interface Report {
  readonly files: { readonly [path: string]: { readonly mutants: readonly Mutant[] } };
}

const asked = process.argv.slice(2);
const unknown = asked.filter((part) => !FOLDERS.includes(folderOf(part)));
if (unknown.length > 0) {
  console.error(`unknown folder: ${unknown.join(', ')}; expected some of ${FOLDERS.join(', ')}`);
  process.exit(2);
}

for (const part of asked.length > 0 ? asked : FOLDERS) {
  const report = mutate(part);
  if (!report) {
    process.exitCode = 1;
    continue;
  }
  const mutants = Object.values(report.files).flatMap((file) => file.mutants);
  const count = (...statuses: string[]) => mutants.filter(({ status }) => statuses.includes(status)).length;
  const noticed = count('Killed', 'Timeout');
  const valid = noticed + count('Survived', 'NoCoverage');
  console.log(
    `\nsrc/${part}: ${noticed} of ${valid} mutants noticed, ${((100 * noticed) / valid).toFixed(1)} %`,
  );
  for (const [path, file] of Object.entries(report.files)) {
    for (const mutant of file.mutants.filter(
      ({ status }) => status === 'Survived' || status === 'NoCoverage',
    )) {
      const { mutatorName, location, replacement = '', status } = mutant;
      const change = replacement.replace(/\s+/g, ' ').slice(0, 80);
      console.log(`  ${path}:${location.start.line} ${status} ${mutatorName}: ${change}`);
    }
  }
}

function folderOf(part: string): string {
  return part.split('/')[0]!;
}

/** Runs Stryker on a folder, or on a part of one; undefined if it failed. */
function mutate(part: string): Report | undefined {
  const temp = mkdtempSync(join(tmpdir(), 'execstream-mutate-'));
  try {
    const config = join(temp, 'stryker.json');
    const reportFile = join(temp, 'report.json');
    writeFileSync(
      config,
      JSON.stringify({
        testRunner: 'vitest',
        plugins: [createRequire(import.meta.url).resolve('@stryker-mutator/vitest-runner')],
        vitest: { configFile: 'vitest.mutate.config.ts', related: false },
        // TypeScript 7 has no API with which Stryker could rewrite it.
        tsconfigFile: 'none',
        coverageAnalysis: 'perTest',
        ignoreStatic: true,
        // The suites mostly wait for timers: as many processes as cores leave them half idle.
        concurrency: 3 * availableParallelism(),
        reporters: ['json', 'progress-append-only'],
        jsonReporter: { fileName: reportFile },
        mutate: [
          part.endsWith('.ts') ? `src/${part}` : `src/${part}/**/*.ts`,
          '!src/log/redis/**',
          '!src/**/*.gen.ts',
        ],
        ignorePatterns: ['dist', 'bench/peers', 'docs/benchmarks'],
        tempDirName: join(temp, 'sandbox'),
        timeoutMS: 20_000,
      }),
    );
    const { status } = spawnSync(process.execPath, [BIN, 'run', config], {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, MUTATE_PART: part.endsWith('.ts') ? dirname(part) : part },
    });
    return status === 0 ? (JSON.parse(readFileSync(reportFile, 'utf8')) as Report) : undefined;
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}
