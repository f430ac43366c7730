// What web servers log when a stream of `fetch` is rotated: nothing that looks like a failure of the application.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import fastify from 'fastify';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createExecstream, createMemoryLog, type Execstream } from '../../src/index.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { openSse } from '../support/sse.ts';

interface Host extends AsyncDisposable {
  readonly url: string;
  /** The lines that it logged as warnings or errors. */
  readonly problems: unknown[];
}

async function listenWith(listener: Parameters<typeof createServer>[1], problems: unknown[]): Promise<Host> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    problems,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Spies on the console, which hosts without a logger write to. */
function consoleProblems(): unknown[] {
  const problems: unknown[] = [];
  for (const method of ['error', 'warn'] as const) {
    vi.spyOn(console, method).mockImplementation((...values) => void problems.push(values));
  }
  vi.spyOn(console, 'info').mockImplementation(() => {});
  return problems;
}

async function startHono(execstream: Execstream, overrideGlobalObjects: boolean): Promise<Host> {
  const app = new Hono().all('/streams/*', (context) => execstream.fetch(context.req.raw));
  return listenWith(getRequestListener(app.fetch, { overrideGlobalObjects }), consoleProblems());
}

async function startFastify(execstream: Execstream): Promise<Host> {
  const problems: unknown[] = [];
  const write = (line: string) => {
    const { level, msg, err } = JSON.parse(line);
    if (level > 30) problems.push(`${msg}: ${err?.message}`);
  };
  const app = fastify({ logger: { stream: { write } }, forceCloseConnections: true });
  app.all('/streams*', async ({ raw, headers }, reply) => {
    const request = new Request(`http://${headers.host}${raw.url}`, { headers: headers as HeadersInit });
    return reply.send(await execstream.fetch(request));
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return { url, problems, [Symbol.asyncDispose]: () => app.close() };
}

/** As Next does, which ignores errors that are named as an abort. */
async function startPipe(execstream: Execstream): Promise<Host> {
  const problems: unknown[] = [];
  return listenWith(async ({ url, headers }, response) => {
    const request = new Request(`http://${headers.host}${url}`, { headers: headers as HeadersInit });
    const { status, headers: sent, body } = await execstream.fetch(request);
    response.writeHead(status, Object.fromEntries(sent));
    Readable.fromWeb(body as never)
      .on('error', (error) => {
        if (error.name !== 'AbortError') problems.push(error);
        response.destroy();
      })
      .pipe(response);
  }, problems);
}

const STREAM = '/streams/api/v0/executions/agents/a1/stream';

let execstream: Execstream;
beforeEach(() => {
  execstream = createExecstream({
    ...{ log: createMemoryLog(), store: createMemoryStore(), basePath: '/streams' },
    logger: { error: () => {} },
  });
});
afterEach(async () => {
  await execstream.close({ drainMs: 0 });
  vi.restoreAllMocks();
});

describe.each([
  ['Hono with `fetch`', () => startHono(execstream, true)],
  ['Hono with `fetch` and the global objects of Node', () => startHono(execstream, false)],
  ['Fastify with a `Response`', () => startFastify(execstream)],
  ['Node with the body as a stream', () => startPipe(execstream)],
])('%s', (_, start) => {
  test('logs no rotation as a problem, and the response is unfinished', async () => {
    await using host = await start();
    await execstream.publisher().begin({ kind: 'agent', id: 'a1' });
    using stream = await openSse(host.url + STREAM);
    await stream.take(1);
    execstream.streams.rotateAll();
    expect(await stream.ended()).toBe('aborted');
    expect(stream.text).not.toContain('unfinished');
    expect(host.problems).toEqual([]);
  });

  test('logs no rejected reconnect as a problem, and passes its `retry:` on', async () => {
    await using host = await start();
    await execstream.publisher().begin({ kind: 'agent', id: 'a1' });
    await execstream.close({ drainMs: 0 });
    using stream = await openSse(host.url + STREAM, { lastEventId: '1-k3f9ab01zz' });
    expect(await stream.ended()).toBe('aborted');
    expect([stream.status, stream.retryMs]).toEqual([200, 5_000]);
    expect(host.problems).toEqual([]);
  });
});
