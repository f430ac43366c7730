// `npm test`: finds or installs what the suites need, starts their servers, runs vitest, and ends what it started.
//
//   npm test                        every suite whose parts are there
//   npm test -- test/log -t gap     further arguments are vitest's
//   npm test -- --install           installs what is missing first (Debian, as root); CI=true does so too
//   npm test -- --parts             only says what is there, or installs what is missing where that is asked for
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isCi, parseArguments, vitestArguments } from './arguments.ts';
import { install } from './install.ts';
import { endStrays } from './server-process.ts';
import { describeRows, installCommand, look, type Row } from './service-table.ts';
import { closingLine, judge, type Report, type Tally, tally } from './vitest-report.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TEST_FOLDER = join(ROOT, 'test');

const inCi = isCi(process.env);
const args = parseArguments(process.argv.slice(2));
const mayInstall = inCi || args.install;

// The signal that asked us to stop. It is passed to vitest; the clean-up below runs all the same.
let stoppedBy: NodeJS.Signals | undefined;
let vitest: ChildProcess | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stoppedBy ??= signal;
    vitest?.kill(signal);
  });
}

process.exitCode = args.parts ? showParts() : await main();

function showParts(): number {
  try {
    lookOrInstall();
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

async function main(): Promise<number> {
  let failure: unknown;
  let result: Tally = { passed: 0, failed: 0, skipped: [] };
  let exitCode = 1;
  try {
    const rows = lookOrInstall();
    const run = await runWith(rows);
    result = run.result;
    exitCode = judge(result, run.code, inCi);
    remind(rows, result);
  } catch (error) {
    failure = error;
  }
  if (failure !== undefined) console.error(failure instanceof Error ? failure.message : failure);
  console.log(closingLine(result, exitCode));
  return exitCode;
}

/** @throws Error if parts are missing where none may be. */
function lookOrInstall(): Row[] {
  let rows = look({ env: process.env });
  if (mayInstall && rows.some(isMissing)) {
    install(rows.filter(isMissing).map((row) => row.part));
    rows = look({ env: process.env });
  }
  console.log(`${describeRows(rows, TEST_FOLDER)}\n`);
  if (mayInstall && rows.some(isMissing))
    throw new Error('Parts are missing after the installation; no test was run.');
  return rows;
}

function isMissing(row: Row): boolean {
  return row.path === undefined;
}

async function runWith(rows: readonly Row[]): Promise<{ result: Tally; code: number | null }> {
  // The real path, as /proc tells it of a process.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'execstream-test-')));
  // Servers of other users than ours have their folders in this one.
  chmodSync(folder, 0o755);
  process.env.TEST_FOLDER = folder;
  const stops: (() => Promise<void>)[] = [];
  const env: Record<string, string> = {};
  try {
    for (const { part, path, url } of rows) {
      if (path !== undefined) env[part.pathVariable] = path;
      if (url !== undefined || path === undefined || stoppedBy || !part.start) continue;
      const server = await part.start(path);
      stops.push(() => server.stop());
      env[part.urlVariable!] = server.url;
    }
    const reportFile = join(folder, 'report.json');
    const code = stoppedBy ? null : await runVitest(vitestArguments(args.vitest, reportFile), env);
    const report = existsSync(reportFile)
      ? (JSON.parse(readFileSync(reportFile, 'utf8')) as Report)
      : undefined;
    return { result: report ? tally(report) : { passed: 0, failed: 0, skipped: [] }, code };
  } finally {
    await Promise.all(stops.map((stop) => stop()));
    const strays = await endStrays(folder);
    if (strays.length > 0) console.error(`A suite left servers running; ended now: ${strays.join(', ')}`);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @returns vitest's exit code; null if a signal ended it. */
function runVitest(argv: readonly string[], env: Record<string, string>): Promise<number | null> {
  const script = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  return new Promise((resolve, reject) => {
    vitest = spawn(process.execPath, [script, ...argv], {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, ...env },
    });
    vitest.once('error', reject);
    vitest.once('exit', (code) => resolve(stoppedBy ? null : code));
  });
}

/** Repeats, where it is read, what was skipped and what CI warns of. */
function remind(rows: readonly Row[], { skipped }: Tally): void {
  if (process.env.TEST_WARNING) console.error(process.env.TEST_WARNING);
  if (inCi && skipped.length > 0) {
    console.error(`In CI no test may be skipped:\n${skipped.map((name) => `  ${name}`).join('\n')}`);
  }
  const missing = rows.filter(isMissing).map((row) => row.part);
  if (missing.length > 0) {
    const names = missing.map((part) => part.name).join(', ');
    console.log(`Skipped for want of ${names}. To install: ${installCommand(missing)}`);
  }
}
