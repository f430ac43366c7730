// The limit of open files: a warning at start, a connection limit below it, and a log line if it is reached anyway.
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startServer } from '../../scripts/server-process.ts';
import { DEFAULT_SERVER_LIMITS, type Limits } from '../../src/server/limits.ts';
import { checkOpenFiles, openFileLimit } from '../../src/server/open-files.ts';
import { logRefusedConnections } from '../../src/server/refused-connections.ts';
import { compiledProgram } from '../support/compiled-program.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import { until } from '../support/wait.ts';

let folder: string;
const sockets: Socket[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'files-'));
});
afterEach(() => {
  vi.useRealTimers();
  for (const socket of sockets.splice(0)) socket.destroy();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a Node program with this limit of open files, and collects its output. */
async function startWithFiles(limit: number, ready: RegExp, env: Record<string, string>, ...args: string[]) {
  const printed: string[] = [];
  const assigned = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const server = await startServer({
    command: '/bin/sh',
    args: [
      '-c',
      `ulimit -n ${limit}; exec "$@"`,
      'sh',
      '/usr/bin/env',
      ...assigned,
      process.execPath,
      ...args,
    ],
    folder,
    ready,
    onPrinted: (chunk) => void printed.push(String(chunk)),
  });
  const stop = () => server.end('SIGKILL');
  return { text: () => printed.join(''), [Symbol.asyncDispose]: stop };
}

/** Opens connections; returns a function that counts those that the server has not closed. */
async function connectMany(port: number, count: number): Promise<() => number> {
  const opened = Array.from({ length: count }, () => connect(port, '127.0.0.1').on('error', () => {}));
  sockets.push(...opened);
  await until(() => opened.every(({ connecting }) => !connecting));
  return () => opened.filter(({ closed }) => !closed).length;
}

const linesWith = (text: string, part: string) => text.split('\n').filter((line) => line.includes(part));

describe('the limit of open files', () => {
  const limits = (perNode: number): Limits => ({
    ...DEFAULT_SERVER_LIMITS,
    streams: { ...DEFAULT_SERVER_LIMITS.streams, perNode },
  });

  test('the limit of open files is read from the limits of the process', () => {
    expect(openFileLimit()).toSatisfy((limit) => limit === undefined || limit > 100);
    const path = join(folder, 'limits');
    const read = (soft: string) => {
      writeFileSync(
        path,
        `Max processes 7 7 processes\nMax open files            ${soft}    9999     files\n`,
      );
      return openFileLimit(path);
    };
    expect(read('1024')).toBe(1_024);
    expect(read('unlimited')).toBeUndefined();
    expect(openFileLimit(join(folder, 'absent'))).toBeUndefined();
  });

  test('a limit that is high enough or unknown allows the connections for MAX_STREAMS', () => {
    for (const limit of [undefined, 12_256, 1_000_000]) {
      expect(checkOpenFiles(limits(10_000), limit)).toEqual({ maxConnections: 12_000 });
    }
  });

  test('a limit that is too low reduces the connections, with a warning that has the numbers and a solution', () => {
    const { maxConnections, warning } = checkOpenFiles(limits(10_000), 4_096);
    expect(maxConnections).toBe(3_840);
    expect(warning).toBe(
      'MAX_STREAMS (10000) needs 12256 open files, and this process may open 4096: connections above 3840 will be ' +
        "rejected. Raise the limit (ulimit -n, systemd's LimitNOFILE=, Docker's --ulimit nofile=) or " +
        'lower MAX_STREAMS to 1840',
    );
    expect(checkOpenFiles(limits(1_840), 4_096)).toEqual({ maxConnections: 3_840 });
    expect(checkOpenFiles(limits(10_000), 1_024)).toMatchObject({
      maxConnections: 768,
      warning: expect.stringMatching(/or lower MAX_STREAMS$/),
    });
    expect(checkOpenFiles(limits(10_000), 64).maxConnections).toBe(16);
  });
});

describe('rejected connections', () => {
  function watch(probe = async () => {}) {
    const logged: string[] = [];
    const http = Object.assign(new EventEmitter(), { maxConnections: 5 });
    const logger = {
      error: (details: object, message: string) => void logged.push(message, JSON.stringify(details)),
    };
    const stop = logRefusedConnections(http as unknown as Server, logger, probe);
    return { http, logged, [Symbol.dispose]: stop };
  }
  const failure = (code: string) => Object.assign(new Error(`accept ${code}`), { code });

  test.each(['EMFILE', 'ENFILE', 'ENOBUFS'])(
    '%s on accept is logged once a minute, and does not end the server',
    (code) => {
      vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
      using server = watch();
      for (let i = 0; i < 100; i += 1) server.http.emit('error', failure(code));
      expect(server.logged).toHaveLength(2);
      expect(server.logged[0]).toMatch(
        code === 'ENOBUFS' ? /could not accept a connection/ : /closed without a response/,
      );
      vi.advanceTimersByTime(60_000);
      server.http.emit('error', failure(code));
      expect(server.logged).toHaveLength(4);
      expect(server.logged[3]).toContain('"count":100');
    },
  );

  test('connections above the limit are logged once a minute, with their number', () => {
    vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
    using server = watch();
    for (let i = 0; i < 10; i += 1) server.http.emit('drop');
    vi.advanceTimersByTime(60_000);
    server.http.emit('drop');
    expect(server.logged).toEqual([
      expect.stringContaining('connection limit reached; raise MAX_STREAMS'),
      '{"maxConnections":5,"count":1}',
      expect.stringContaining('connection limit reached'),
      '{"maxConnections":5,"count":10}',
    ]);
  });

  test('a probe that fails for another reason is not logged', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
    using server = watch(() => Promise.reject(failure('ENOENT')));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(server.logged).toEqual([]);
  });
});

describe('a process without a file descriptor left', () => {
  test('a process without file descriptors logs it once, closes new connections, and recovers', async () => {
    const program = await compiledProgram('test/server/few-files.ts');
    await using server = await startWithFiles(60, /port \d+/, {}, ...program);
    const port = Number(/port (\d+)/.exec(server.text())![1]);
    const countOpen = await connectMany(port, 100);
    await until(() => countOpen() < 60);
    // Descriptors that the process frees after its start are taken as well: the probe, every 5 s, must find none.
    const isLogged = async () => {
      await connectMany(port, 4);
      return linesWith(server.text(), 'EMFILE').length > 0;
    };
    await until(isLogged, { timeoutMs: 20_000, everyMs: 500 });
    expect(linesWith(server.text(), 'EMFILE')).toHaveLength(1);
    expect(server.text()).toMatch(
      /no file descriptor left in this process \(EMFILE\); raise its limit .*: new connections are closed/,
    );
    for (const socket of sockets.splice(0)) socket.destroy();
    await until(async () => (await (await fetch(`http://127.0.0.1:${port}`)).text()) === 'served');
  }, 30_000);
});

describePostgres('execstream start with few files', () => {
  test('a server with few files warns at start, rejects connections above its limit, and serves the others', async () => {
    await using database = await createDatabase();
    const env = { DATABASE_URL: database.url, PORT: '0', NODE_ENV: 'production' };
    const start = [...(await compiledProgram('src/cli/main.ts')), 'start'];
    await using server = await startWithFiles(300, /"msg":"ready"/, env, ...start);
    const warning = linesWith(server.text(), 'MAX_STREAMS (10000) needs 12256 open files');
    expect(warning).toHaveLength(1);
    expect(JSON.parse(warning[0]!)).toMatchObject({ level: 40, maxConnections: 44 });
    const port = Number(/"url":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(server.text())![1]);
    const countOpen = await connectMany(port, 100);
    await until(() => countOpen() === 44);
    await until(() => linesWith(server.text(), 'connection limit reached').length > 0);
    expect(linesWith(server.text(), 'connection limit reached')).toHaveLength(1);
    for (const socket of sockets.splice(0, 50)) socket.destroy();
    await until(async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).status === 200);
  }, 60_000);
});
