// Follows the README of examples/sse-node literally, and tests connections that are cut.
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../scripts/server-process.ts';
import { DEFAULT_BOUNDS } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { type Command, commandOf, outputOf, replaced, runCommand } from '../docs/blocks.ts';
import { startApp } from '../support/app.ts';
import { until } from '../support/wait.ts';

const README = 'examples/sse-node/README.md';

/** A TCP proxy to a server that cuts every connection after a number of bytes, until `stopCutting`. */
async function startProxy(serverUrl: string, cutAfter: number) {
  const open = new Set<Socket>();
  let [cuts, limit] = [0, cutAfter];
  const proxy = createServer((client) => {
    const server = connect(Number(new URL(serverUrl).port), '127.0.0.1');
    let bytes = 0;
    for (const socket of [client, server]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.pipe(server);
    server.on('data', (data) => {
      bytes += data.length;
      client.write(data);
      if (bytes < limit) return;
      cuts += 1;
      client.destroy();
    });
  });
  const listen = (port: number) => new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve));
  const port = await freePort();
  await listen(port);
  const close = () => {
    for (const socket of open) socket.destroy();
    return new Promise((resolve) => proxy.close(resolve));
  };
  return {
    url: `http://127.0.0.1:${port}`,
    get cuts() {
      return cuts;
    },
    /** Stops cutting connections. */
    stopCutting: () => {
      limit = Number.POSITIVE_INFINITY;
    },
    close,
    reopen: () => listen(port),
    [Symbol.asyncDispose]: async () => void (await close()),
  };
}

const follow = (url: string, kind: string, id: string) =>
  runCommand(`${process.execPath} examples/sse-node/watch.mjs ${kind} ${id}`, { EXECSTREAM_URL: url });

describe('examples/sse-node/README.md', () => {
  let folder: string;
  let demo: Command;
  let url: string;
  let findId: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'execstream-sse-node-'));
    const port = String(await freePort());
    url = `http://localhost:${port}`;
    demo = runCommand(commandOf(README, 'npm start'), { PORT: port, DATA_DIR: join(folder, 'data') });
    findId = replaced(commandOf(README, 'ID=$('), { 'localhost:4000': `localhost:${port}` });
    await demo.prints(/Watch an agent write:/, 90_000);
  }, 100_000);
  afterAll(async () => {
    await demo?.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  test('a text and a value are followed to their ends; stdout has only the content, and the exit code reports the outcome', async () => {
    const runFor = async (command: string) => {
      await using running = runCommand(`${findId}\n${command}\necho $ID >&2`, { EXECSTREAM_URL: url });
      expect(await running.exited).toBe(0);
      const lines = running.stderr.trimEnd().split('\n');
      return { id: lines.pop()!, lines, stdout: running.stdout };
    };
    const [text, value] = await Promise.all([
      runFor(commandOf(README, 'agents $ID', true)),
      runFor(commandOf(README, '-contents')),
    ]);
    const resultOf = async (id: string) =>
      ((await (await fetch(`${url}/api/v0/executions/agents/${id}`)).json()) as { result: unknown }).result;
    expect(text.stdout).toBe(await resultOf(text.id));
    expect(JSON.parse(value.stdout)).toEqual(await resultOf(value.id.replace(/-report$/, '-contents')));
    expect(value.lines.filter((line) => / structured_delta /.test(line)).length).toBeGreaterThan(1);

    // As in the README, except for values that differ between runs.
    const masked = (line: string) =>
      line
        .replace(/^\d+-\w+/, 'CURSOR')
        .replace(/"durationMs":\d+/, '"durationMs":N')
        .replace(/"# What.*/, '"…');
    const documented = outputOf(README, 'agent_start').split('\n').map(masked);
    const printed = text.lines.map(masked);
    for (const line of documented.filter((each) => each.startsWith('CURSOR') || each.startsWith('ended'))) {
      expect(printed).toContain(line);
    }
    expect(text.stdout).toMatch(/^# What is in \d+ files\n/);
  }, 60_000);

  test('an unknown execution exits with 2 and the reason', async () => {
    await using command = runCommand(commandOf(README, 'agents nobody'), { EXECSTREAM_URL: url });
    expect(await command.exited).toBe(2);
    expect(command.stderr).toBe(`${outputOf(README, 'NOT_FOUND')}\n`);
  });
});

describe('examples/sse-node', () => {
  test('a text arrives completely and once, although connections break and the server is unavailable for a while', async () => {
    await using app = await startApp({ settings: { retryMs: 50 } });
    await using proxy = await startProxy(app.url, 900);
    const run = await app.publisher.begin({ id: 'cut', kind: 'agent' });
    await using command = follow(proxy.url, 'agents', 'cut');
    let text = '';
    const write = async (count: number) => {
      for (let i = 0; i < count; i += 1) {
        const piece = ` line ${text.length}\n\n${'\t😀'.repeat(20)} `;
        text += piece;
        await run.text(piece);
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    };
    await write(60);
    await until(() => proxy.cuts >= 3, { what: 'three cuts', timeoutMs: 10_000 });
    await proxy.close();
    await write(20);
    await command.prints(/disconnected: ECONNREFUSED; reconnecting in \d+ ms after \d+-\w+/);
    proxy.stopCutting();
    await proxy.reopen();
    await write(20);
    await run.complete();
    expect(await command.exited).toBe(0);
    expect(command.stdout).toBe(`${text}\n`);
    expect(command.stderr).toMatch(/ended: SUCCESS\n$/);
  }, 30_000);

  test('a value arrives correctly, although connections are cut', async () => {
    await using app = await startApp({ settings: { retryMs: 50 } });
    await using proxy = await startProxy(app.url, 700);
    const run = await app.publisher.begin({ id: 'v', kind: 'task', mode: 'STRUCTURED' });
    await using command = follow(proxy.url, 'tasks', 'v');
    const items: { n: number; 'a/b~c': string[] }[] = [];
    for (let i = 0; i < 30; i += 1) {
      items.push({ n: i, 'a/b~c': ['x'] });
      if (i % 7 === 0) items.splice(0, 1);
      await run.value({ items });
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    await until(() => proxy.cuts >= 2, { what: 'two cuts', timeoutMs: 10_000 });
    proxy.stopCutting();
    await run.complete();
    expect(await command.exited).toBe(0);
    expect(JSON.parse(command.stdout)).toEqual({ items });
  });

  test('the content starts over at a reset, and a failure exits with 1 and its message', async () => {
    await using app = await startApp();
    const run = await app.publisher.begin({ id: 'r', kind: 'agent', attempt: 1 });
    await run.text('half');
    await using command = follow(app.url, 'agents', 'r');
    await until(() => command.stdout === 'half', { what: 'the first half', timeoutMs: 10_000 });
    const secondRun = await app.publisher.begin({ id: 'r', kind: 'agent', attempt: 2 });
    await secondRun.text('whole');
    await secondRun.fail(new Error('out of luck'), { status: 'TIMED_OUT' });
    expect(await command.exited).toBe(1);
    expect(command.stdout).toBe('half\nwhole\n');
    expect(command.stderr).toMatch(
      / reset \{"reason":"attempt"\}\n[\s\S]*"out of luck"[\s\S]*\nended: TIMED_OUT\n$/,
    );
  });

  test('a text is completed from the result after a gap, even if the result is too large for an event', async () => {
    const log = createMemoryLog({ ...DEFAULT_BOUNDS, maxEvents: 3 });
    await using app = await startApp({ log });
    for (const [id, size] of [
      ['small', 10],
      ['large', 10_000],
    ] as const) {
      const run = await app.publisher.begin({ id, kind: 'agent' });
      let text = '';
      for (let i = 0; i < 12; i += 1) {
        const piece = `${i}${'x'.repeat(size)} `;
        text += piece;
        await run.text(piece);
        await run.warning('NOTE', `${i}`);
      }
      await until(() => run.stats.queuedBytes === 0, { what: 'an empty outbox' });
      await using command = follow(app.url, 'agents', id);
      await command.prints(/ gap /);
      await run.complete();
      expect(await command.exited).toBe(0);
      expect(command.stdout.endsWith(`${text}\n`)).toBe(true);
    }
  });
});
