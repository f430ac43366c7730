// The runner's command line and closing line, and the cleanup after a run.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isCi, parseArguments, vitestArguments } from '../../scripts/arguments.ts';
import { startServer } from '../../scripts/server-process.ts';
import { findPart, REDIS } from '../../scripts/test-services.ts';
import { closingLine, judge, type Report, tally } from '../../scripts/vitest-report.ts';
import { compiledProgram } from '../support/compiled-program.ts';
import { describeOwnRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';

const ROOT = join(import.meta.dirname, '../..');

// A test starts vitest and a Redis beside suites that load the machine.
vi.setConfig({ testTimeout: 90_000 });

describe('arguments', () => {
  test("arguments for vitest keep their order, without the runner's own", () => {
    const { install, parts, vitest } = parseArguments(['test/log', '--install', '-t', 'a gap']);
    expect({ install, parts, vitest }).toEqual({
      install: true,
      parts: false,
      vitest: ['test/log', '-t', 'a gap'],
    });
  });

  test('the vitest command line ends with the given arguments, after the report that the runner reads', () => {
    expect(vitestArguments(['test/log'], '/tmp/r.json')).toEqual([
      'run',
      '--reporter=default',
      '--reporter=json',
      '--outputFile.json=/tmp/r.json',
      'test/log',
    ]);
  });

  test('arguments that name a reporter replace only the default one', () => {
    const argv = vitestArguments(['--reporter=dot'], '/tmp/r.json');
    expect(argv.filter((argument) => argument.startsWith('--reporter'))).toEqual([
      '--reporter=json',
      '--reporter=dot',
    ]);
  });

  test('CI is on if it is set, except to 0 or false', () => {
    expect([undefined, '', '0', 'false', '1', 'true'].map((CI) => isCi({ CI }))).toEqual([
      false,
      false,
      false,
      false,
      true,
      true,
    ]);
  });
});

describe('the closing line', () => {
  const report = (...statuses: string[]): Report => ({
    testResults: [
      {
        name: 'a.test.ts',
        status: statuses.includes('failed') ? 'failed' : 'passed',
        assertionResults: statuses.map((status) => ({ fullName: `is ${status}`, status })),
      },
    ],
  });

  test('counts passed, failed, skipped and todo tests', () => {
    const counted = tally(report('passed', 'passed', 'failed', 'skipped', 'pending', 'todo'));
    expect(closingLine(counted, 1)).toBe('2 passed, 1 failed, 3 skipped');
  });

  test('counts a file that failed to load as a failure', () => {
    const broken = { name: 'b.test.ts', status: 'failed', assertionResults: [] };
    const counted = tally({ testResults: [...report('passed').testResults, broken] });
    expect(closingLine(counted, 1)).toBe('1 passed, 1 failed, 0 skipped');
  });

  test('never reports "0 failed" for a run that failed', () => {
    expect(closingLine(tally(report('passed')), 1)).toBe('1 passed, 1 failed, 0 skipped');
  });

  test('a skipped test fails the run in CI, and only there', () => {
    const counted = tally(report('passed', 'skipped'));
    expect(counted.skipped).toEqual(['a.test.ts: is skipped']);
    expect(judge(counted, 0, true)).toBe(1);
    expect(judge(counted, 0, false)).toBe(0);
  });

  test('a run that was ended by a signal has failed', () => {
    expect(judge(tally(report('passed')), null, false)).toBe(1);
  });
});

describe('server program', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'execstream-runner-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('a server that exits instead of getting ready is an error with its output', async () => {
    const args = ['-e', 'console.error("no such setting"); process.exit(3)'];
    const start = startServer({ command: process.execPath, args, folder, ready: /ready/ });
    await expect(start).rejects.toThrow(/exited with code 3; output:\nno such setting/);
  });

  test('a server that does not get ready is ended and is an error', async () => {
    const args = ['-e', 'setInterval(() => {}, 1000); console.log("thinking")'];
    const start = startServer({ command: process.execPath, args, folder, ready: /ready/, timeoutMs: 500 });
    await expect(start).rejects.toThrow('was not ready within 500 ms; output:\nthinking');
  });

  test('a server that does not exist is an error that names it', async () => {
    const start = startServer({ command: '/nowhere/server', args: [], folder, ready: /ready/ });
    await expect(start).rejects.toThrow('/nowhere/server could not start');
  });
});

/** Whether a process runs. A zombie (state Z) does not. */
function isAlive(pid: number): boolean {
  const status = `/proc/${pid}/status`;
  return existsSync(status) && !/^State:\s+Z/m.test(readFileSync(status, 'utf8'));
}

// These tests run the runner on a generated suite that writes a trace file.
describeOwnRedis('npm test', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'execstream-runner-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Starts the runner on one generated suite, with Redis and no other program. */
  async function run(suite: string, extra: Record<string, string> = {}) {
    writeFileSync(join(folder, 'made-up.test.mjs'), suite);
    // Vitest needs a configuration that includes files of this folder.
    writeFileSync(join(folder, 'vitest.config.mjs'), 'export default { test: { include: ["*.test.mjs"] } };');
    const program = await compiledProgram('scripts/test.ts');
    const argv = [...program, '--root', folder, '--config', join(folder, 'vitest.config.mjs')];
    const child = spawn(process.execPath, argv, {
      cwd: ROOT,
      env: {
        PATH: '',
        TMPDIR: folder,
        // Set, so that they are not started: one server suffices to check that it is stopped.
        TEST_POSTGRES_URL: 'postgresql://127.0.0.1:1/none',
        TEST_TEMPORAL_ADDRESS: '127.0.0.1:1',
        TEST_REDIS_SERVER: findPart(REDIS),
        ...extra,
      },
    });
    let output = '';
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      output += chunk;
    });
    child.stderr.on('data', (chunk) => (output += chunk));
    const ended = new Promise<{ code: number | null; output: string; closingLine: string }>((resolve) => {
      // Of stdout alone: two pipes have no common order.
      const closingLineOf = () => stdout.trimEnd().split('\n').at(-1)!;
      child.once('close', (code) => resolve({ code, output, closingLine: closingLineOf() }));
    });
    return { child, ended };
  }

  const trace = () => join(folder, 'trace');
  /** A suite with these tests that first records the Redis that it received. */
  const suite = (tests: string) => `
    import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
    import { expect, test } from 'vitest';
    const folder = process.env.TEST_FOLDER;
    const redis = readdirSync(folder).find((name) => name.startsWith('redis-'));
    const pid = Number(readFileSync(folder + '/' + redis + '/server.pid', 'utf8'));
    const url = process.env.TEST_REDIS_URL;
    writeFileSync(${JSON.stringify(trace())}, JSON.stringify({ pid, url }));
    ${tests}`;
  const readTrace = () => JSON.parse(readFileSync(trace(), 'utf8')) as { pid: number; url: string };
  const leftovers = () => readdirSync(folder).filter((name) => name.startsWith('execstream-test-'));

  test('passes a Redis to suites, removes it and its folder, and ends with the counts', async () => {
    const { ended } = await run(suite(`test('a', () => {}); test.skip('b', () => {});`));
    const { code, closingLine: last } = await ended;
    expect(last).toBe('1 passed, 0 failed, 1 skipped');
    expect(code).toBe(0);
    const { pid, url } = readTrace();
    expect(url).toMatch(/^redis:\/\/127\.0\.0\.1:\d+$/);
    expect(isAlive(pid)).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  test('repeats a CI warning right before the counts', async () => {
    const { ended } = await run(suite(`test('a', () => {});`), { TEST_WARNING: 'WARNING: not audited' });
    const { output, closingLine: last } = await ended;
    expect(output.trimEnd().split('\n').slice(-4)).toContain('WARNING: not audited');
    expect(last).toBe('1 passed, 0 failed, 0 skipped');
  });

  test('ends the servers also after a failure, with the exit code of vitest', async () => {
    const { ended } = await run(suite(`test('a', () => expect(1).toBe(2));`));
    const { code, closingLine: last } = await ended;
    expect(last).toBe('0 passed, 1 failed, 0 skipped');
    expect(code).toBe(1);
    expect(isAlive(readTrace().pid)).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('ends the servers on %s', async (signal) => {
    const { child, ended } = await run(suite(`test('a', () => new Promise(() => {}), 60000);`));
    await until(() => existsSync(trace()), { what: 'the suite to run', timeoutMs: 60_000 });
    child.kill(signal);
    const { code, closingLine: last } = await ended;
    expect(code).toBe(1);
    expect(last).toBe('0 passed, 1 failed, 0 skipped');
    expect(isAlive(readTrace().pid)).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  test('ends a server that a suite left running, and reports it', async () => {
    const { ended } = await run(`
      import { readFileSync, writeFileSync } from 'node:fs';
      import { test } from 'vitest';
      import { RedisServer } from ${JSON.stringify(join(ROOT, 'scripts/redis.ts'))};
      test('a', async () => {
        const redis = await RedisServer.start({ binary: process.env.TEST_REDIS_SERVER });
        const pid = Number(readFileSync(redis.folder + '/server.pid', 'utf8'));
        writeFileSync(${JSON.stringify(trace())}, JSON.stringify({ pid }));
      });
    `);
    const { code, output } = await ended;
    expect(code).toBe(0);
    expect(output).toContain('A suite left servers running, which were ended now: redis-');
    expect(isAlive(readTrace().pid)).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  test('fails in CI if a program is missing and cannot be installed', async () => {
    const { ended } = await run(suite(`test('a', () => {});`), { CI: 'true' });
    const { code, output, closingLine: last } = await ended;
    expect(output).toContain('apt-get');
    expect(last).toBe('0 passed, 1 failed, 0 skipped');
    expect(code).toBe(1);
  });
});
