// Follows the README of examples/sse-node literally, and tests connections that are cut. test/examples/restart.test.ts
// restarts its server.
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test, vi } from 'vitest';
import { freePort } from '../../scripts/server-process.ts';
import { DEFAULT_BOUNDS } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { outputOf, runCommand } from '../docs/blocks.ts';
import { startApp } from '../support/app.ts';
import { until } from '../support/wait.ts';
import { guideOf, linesBeforeText, startDemo } from './demo.ts';

// On a busy machine, each process takes seconds to load.
vi.setConfig({ testTimeout: 120_000 });

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

test('the commands of the README follow an agent and a workflow of the demo to their ends', async () => {
  await using demo = await startDemo(README);
  await using agent = demo.follow('agents demo-1-guide');
  expect(await agent.exited).toBe(0);
  const guide = await guideOf(demo);
  expect(agent.stdout).toBe(guide);
  expect(agent.stderr).toContain(linesBeforeText(outputOf(README, 'agent_start')));
  await using workflow = demo.follow('workflows demo-1');
  expect(await workflow.exited).toBe(0);
  expect(JSON.parse(workflow.stdout)).toEqual({ characters: guide.length });
});

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
  await command.prints(
    new RegExp(
      outputOf(README, 'ECONNREFUSED')
        .replace('784', '\\d+')
        .replace(/\d+-\w+$/, '\\d+-\\w+'),
    ),
  );
  proxy.stopCutting();
  await proxy.reopen();
  await write(20);
  await run.complete();
  expect(await command.exited).toBe(0);
  expect(command.stdout).toBe(`${text}\n`);
});

test('a value is printed at the end, although connections are cut', async () => {
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
  await until(() => command.stdout === 'half', { what: 'the first half', timeoutMs: 30_000 });
  const secondRun = await app.publisher.begin({ id: 'r', kind: 'agent', attempt: 2 });
  await secondRun.text('complete');
  await secondRun.fail(new Error('out of luck'), { status: 'TIMED_OUT' });
  expect(await command.exited).toBe(1);
  expect(command.stdout).toBe('half\ncomplete\n');
  expect(command.stderr).toMatch(/^reset \{"reason":"attempt"\}\n[\s\S]*^error .*"out of luck"/m);
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
    await command.prints(/^gap /m);
    await run.complete();
    expect(await command.exited).toBe(0);
    expect(command.stdout.endsWith(`${text}\n`)).toBe(true);
  }
});

test('responses of a proxy and rejections for now are retried, a permanent rejection exits with 2', async () => {
  const responses = [
    [502, {}, '<h1>Bad Gateway</h1>'],
    [429, { 'retry-after': '1' }, '{"code":"TOO_MANY_STREAMS","detail":"too many"}'],
    [200, { 'content-type': 'text/event-stream' }, 'retry: 10\n:\n\nid: 1-k3f9ab01zz\nevent: llm_chunk\n'],
    [200, {}, `id: 1-k3f9ab01zz\nevent: llm_chunk\ndata: {"content":"one: two"}\n\n`],
    [404, {}, '{"code":"NOT_FOUND","detail":"no such execution: a"}'],
  ] as const;
  const cursors: (string | undefined)[] = [];
  const server = createHttpServer((request, response) => {
    cursors.push(request.headers['last-event-id'] as string | undefined);
    const [status, headers, body] = responses[cursors.length - 1]!;
    response.writeHead(status, headers).end(body);
  }).listen(0, '127.0.0.1');
  await until(() => server.listening);
  await using command = follow(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'agents', 'a');
  expect(await command.exited).toBe(2);
  server.close();
  expect(command.stdout).toBe('one: two');
  expect(cursors).toEqual([undefined, undefined, undefined, undefined, '1-k3f9ab01zz']);
  expect(command.stderr.replace(/\d+ ms/g, 'N ms').split('\n')).toEqual([
    '502: Bad Gateway; reconnecting in N ms',
    'TOO_MANY_STREAMS: too many; reconnecting in N ms',
    'the connection was closed; reconnecting in N ms',
    'the connection was closed; reconnecting in N ms after 1-k3f9ab01zz',
    'NOT_FOUND: no such execution: a',
    '',
  ]);
  expect(command.stderr).toContain('too many; reconnecting in 1000 ms');
});

test('a reader that closes the pipe ends the program', async () => {
  await using app = await startApp();
  const run = await app.publisher.begin({ id: 'p', kind: 'agent' });
  for (let i = 0; i < 200; i += 1) await run.text(`line ${i}\n`);
  const command = `${process.execPath} examples/sse-node/watch.mjs agents p 2>/dev/null`;
  await using piped = runCommand(`set -o pipefail; ${command} | head -n 1`, { EXECSTREAM_URL: app.url });
  await piped.prints(/line 0\n/);
  // The program notices at its next write.
  const writing = setInterval(() => void run.text('more\n'), 100);
  expect(await piped.exited).toBe(0);
  clearInterval(writing);
});
