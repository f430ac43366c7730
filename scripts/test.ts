// `npm test`: finds or installs the programs that suites need, starts their servers, runs vitest, and ends the
// servers.
//
//   npm test                        all suites whose programs are installed
//   npm test -- test/log -t gap     passes further arguments to vitest
//   npm test -- --install           installs missing programs first (Debian, as root); also with CI=true
//   npm test -- --parts             only lists the programs, or installs missing ones if allowed
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isCi, parseArguments, vitestArguments } from './arguments.ts';
import { install } from './install.ts';
import { endStrays } from './server-process.ts';
import { describeRows, findServices, installCommand, type Row } from './service-table.ts';
import { closingLine, judge, type Report, type Tally, tally } from './vitest-report.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TEST_FOLDER = join(ROOT, 'test');

const inCi = isCi(process.env);
const args = parseArguments(process.argv.slice(2));
const mayInstall = inCi || args.install;

// The signal that stopped the run. It is passed to vitest; the cleanup below still runs.
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
    findOrInstall();
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
    const rows = findOrInstall();
    const run = await runWith(rows);
    result = run.result;
    exitCode = judge(result, run.code, inCi);
    summarise(rows, result);
  } catch (error) {
    failure = error;
  }
  if (failure !== undefined) console.error(failure instanceof Error ? failure.message : failure);
  console.log(closingLine(result, exitCode));
  return exitCode;
}

/** @throws Error if programs are missing although they are required. */
function findOrInstall(): Row[] {
  let rows = findServices({ env: process.env });
  if (mayInstall && rows.some(isMissing)) {
    install(rows.filter(isMissing).map((row) => row.part));
    rows = findServices({ env: process.env });
  }
  console.log(`${describeRows(rows, TEST_FOLDER)}\n`);
  if (mayInstall && rows.some(isMissing))
    throw new Error('Programs are missing after the installation; no test was run.');
  return rows;
}

function isMissing(row: Row): boolean {
  return row.path === undefined;
}

async function runWith(rows: readonly Row[]): Promise<{ result: Tally; code: number | null }> {
  // The real path, which /proc reports for a process.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'execstream-test-')));
  // Contains the folders of servers that run as other users.
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
    if (strays.length > 0)
      console.error(`A suite left servers running, which were ended now: ${strays.join(', ')}`);
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

/** Repeats skipped tests and CI warnings at the end, where they are read. */
function summarise(rows: readonly Row[], { skipped }: Tally): void {
  if (process.env.TEST_WARNING) console.error(process.env.TEST_WARNING);
  if (inCi && skipped.length > 0) {
    console.error(`In CI no test may be skipped:\n${skipped.map((name) => `  ${name}`).join('\n')}`);
  }
  const missing = rows.filter(isMissing).map((row) => row.part);
  if (missing.length > 0) {
    const names = missing.map((part) => part.name).join(', ');
    console.log(`Skipped suites that need ${names}. To install: ${installCommand(missing)}`);
  }
}
