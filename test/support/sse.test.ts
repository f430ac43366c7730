// The raw client receives a server's bytes unchanged, and detects how the stream ends.
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { openSse } from './sse.ts';
import { until } from './wait.ts';

let server: Server | undefined;
afterEach(() => server?.closeAllConnections());

async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}/stream`;
}

const head = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });

test('opens once the response head has arrived, before any byte of the body', async () => {
  const url = await serve((_, response) => head(response).flushHeaders());
  using stream = await openSse(url);
  expect(stream.status).toBe(200);
  expect(stream.headers['content-type']).toBe('text/event-stream');
  expect(stream.end).toBeUndefined();
});

test('keeps the raw bytes in addition to the parsed frames, comments and retry', async () => {
  const body = 'retry: 500\n: hello\n\nid: 1-a\nevent: next\ndata: é\ndata: b\n\ndata: c\n\nid: 3-a\n\n';
  const url = await serve((_, response) => {
    head(response);
    // Byte by byte, so that a character is split.
    for (const byte of Buffer.from(body)) response.write(Buffer.of(byte));
    response.end();
  });
  using stream = await openSse(url);
  expect(await stream.ended()).toBe('clean');
  expect(stream.text).toBe(body);
  expect(stream.frames).toEqual([
    { id: '1-a', event: 'next', data: 'é\nb' },
    { id: undefined, event: undefined, data: 'c' },
  ]);
  expect(stream.comments).toEqual(['hello']);
  expect(stream.retryMs).toBe(500);
  expect(stream.lastEventId).toBe('3-a');
});

test('distinguishes a broken connection from a clean end', async () => {
  const url = await serve((_, response) => {
    head(response).write('data: 1\n\n', () => response.destroy());
  });
  using stream = await openSse(url);
  expect(await stream.ended()).toBe('aborted');
  expect(stream.frames).toHaveLength(1);
});

test('fails a wait immediately if the stream ends first, and shows the received data', async () => {
  const url = await serve((_, response) => head(response).end('data: only\n\n'));
  using stream = await openSse(url);
  await expect(stream.take(2, 60_000)).rejects.toThrow(
    /the stream ended \(clean\) before 2 frames; received 12 bytes, status 200, 1 frames:\ndata: only/,
  );
});

test('fails a wait after its timeout', async () => {
  const url = await serve((_, response) => head(response).flushHeaders());
  using stream = await openSse(url);
  await expect(stream.frame((frame) => frame.id === '7-a', 'seq 7', 50)).rejects.toThrow(
    '50 ms passed before seq 7',
  );
});

test('sends its cursor, its headers and its body', async () => {
  const url = await serve((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const { method, headers } = request;
      response.writeHead(400).end(JSON.stringify({ method, headers, body }));
    });
  });
  using stream = await openSse(url, { body: { a: 1 }, lastEventId: '3-a', headers: { 'x-test': 'y' } });
  await stream.ended();
  expect(stream.status).toBe(400);
  expect(stream.json()).toMatchObject({
    method: 'POST',
    headers: { 'last-event-id': '3-a', 'x-test': 'y', 'content-type': 'application/json' },
    body: '{"a":1}',
  });
});

test('causes backpressure in the server while paused, and reads everything after resuming', async () => {
  const size = 32 * 1024 * 1024;
  let response: ServerResponse | undefined;
  const url = await serve((_, res) => {
    response = res;
    head(res).flushHeaders();
  });
  using stream = await openSse(url);
  stream.pause();
  for (let sent = 0; sent < size; sent += 1024 * 1024) response!.write(Buffer.alloc(1024 * 1024, 'a'));
  // Megabytes stay in the server: the kernel's buffers are full, and this client reads nothing.
  await until(() => stream.received === 0 && response!.writableLength > 1024 * 1024);
  response!.end();
  stream.resume();
  expect(await stream.ended(10_000)).toBe('clean');
  expect(stream.received).toBe(size);
});

test('closes the connection when destroyed, which the server notices', async () => {
  let closed = false;
  const url = await serve((_, response) => {
    head(response).flushHeaders();
    response.once('close', () => {
      closed = true;
    });
  });
  const stream = await openSse(url);
  stream.destroy();
  expect(await stream.ended()).toBe('destroyed');
  await until(() => closed, { what: 'the server to notice' });
});

test('rejects if no server listens', async () => {
  const url = await serve(() => {});
  await new Promise((resolve) => server!.close(resolve));
  await expect(openSse(url)).rejects.toThrow('ECONNREFUSED');
});
