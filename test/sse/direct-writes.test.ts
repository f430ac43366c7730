// Streams are written to Node's sockets past its streams; the bytes are those that a ReadableStream would bring
// (issue 6, "the hot road").
import { connect, type Socket } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { SocketSink } from '../../src/sse/socket-sink.ts';
import { chunk, chunks, directLog, graphqlPath, type ListeningApp, startApp } from '../support/app.ts';
import { until } from '../support/wait.ts';

const REST = '/api/v0/executions/agents/a1/stream';
const GRAPHQL = graphqlPath(
  'subscription { agentStream(id: "a1") { seq type ... on LlmChunk { content } } }',
);

/** A client that shows what is on the wire. */
async function openRaw({ url }: ListeningApp): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return { socket, text: () => text };
}

function request(path: string, version = '1.1', headers = ''): string {
  return `GET ${path} HTTP/${version}\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n${headers}\r\n`;
}

/** A chunked body taken apart: throws where its framing is wrong. */
function unchunked(body: string): string {
  let rest = Buffer.from(body);
  let text = '';
  for (;;) {
    const end = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.subarray(0, end).toString(), 16);
    if (!(end > 0) || Number.isNaN(size)) throw new Error(`no chunk at ${rest.toString().slice(0, 40)}`);
    if (size === 0) return text;
    text += rest.subarray(end + 2, end + 2 + size).toString();
    expect(rest.subarray(end + 2 + size, end + 4 + size).toString()).toBe('\r\n');
    rest = rest.subarray(end + 4 + size);
  }
}

const bodyOf = (text: string) => text.slice(text.indexOf('\r\n\r\n') + 4);
const headOf = (text: string) => text.slice(0, text.indexOf('\r\n\r\n')).replace(/Date: .*/i, 'Date');

describe('direct writes', () => {
  test.each([
    ['GraphQL', GRAPHQL],
    ['REST', REST],
  ])('%s: headers and body are those of a ReadableStream', async (_, path) => {
    const wires: { head: string; body: string }[] = [];
    for (const directWrites of [true, false]) {
      await using app = await startApp({ settings: { directWrites } });
      const log = await directLog(app);
      const write = vi.spyOn(SocketSink.prototype, 'write');
      await log.append(...chunks(3), chunk('läßt 👩‍🚀\r\nzwei'));
      const { socket, text } = await openRaw(app);
      socket.write(request(path));
      await until(() => text().includes('zwei'));
      await log.append(...chunks(300, 4));
      await log.complete();
      await until(() => text().endsWith('0\r\n\r\n'));
      expect(write.mock.calls.length > 0).toBe(directWrites);
      write.mockRestore();
      wires.push({ head: headOf(text()), body: log.masked(unchunked(bodyOf(text()))) });
      socket.destroy();
    }
    expect(wires[0]).toEqual(wires[1]);
    expect(wires[0]!.body).toMatch(/^retry: 1000\n:\n\nid: 1-EPOCH\n/);
  });

  test('HTTP/1.0, which knows no chunks, gets the same body as it is', async () => {
    await using app = await startApp();
    const log = await directLog(app);
    await log.append(...chunks(2));
    await log.complete();
    const { socket, text } = await openRaw(app);
    socket.write(request(REST, '1.0'));
    await new Promise((resolve) => socket.once('end', resolve));
    expect(bodyOf(text())).toMatch(/^retry: 1000\n:\n\nid: 1-/);
    expect(bodyOf(text())).toMatch(/event: complete\ndata: \{.*\}\n\n$/);
  });

  test('a connection that a stream has ended on serves the next request, and a pipelined one in its turn', async () => {
    await using app = await startApp();
    const log = await directLog(app);
    await log.append(...chunks(2));
    const { socket, text } = await openRaw(app);
    // The second is answered while the first one's stream is still open: it has no socket yet.
    socket.write(request(REST) + request(REST));
    await until(() => text().includes('data: 2 \n'));
    await log.complete();
    await until(() => text().split('event: complete').length === 3);
    const drains = socket.listenerCount('drain');
    socket.write('GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await until(() => text().split('HTTP/1.1 200').length === 4);
    expect(socket.listenerCount('drain')).toBe(drains);
    const streams = text()
      .split('HTTP/1.1 200')
      .slice(1, 3)
      .map((answer) => unchunked(bodyOf(answer)));
    expect(streams[0]).toBe(streams[1]);
    socket.destroy();
  });

  test('a client that breaks off is let go of', async () => {
    await using app = await startApp();
    const log = await directLog(app);
    await log.append(...chunks(1));
    const { socket, text } = await openRaw(app);
    socket.write(request(REST));
    await until(() => text().includes('data: 1'));
    expect([app.services.streams.size, app.services.tails.size]).toEqual([1, 1]);
    socket.destroy();
    await until(() => app.services.streams.size === 0 && app.services.tails.size === 0);
  });

  test('events of one tick are one write', async () => {
    await using app = await startApp();
    const log = await directLog(app);
    const { socket, text } = await openRaw(app);
    socket.write(request(REST));
    await until(() => text().includes(':\n\n'));
    const write = vi.spyOn(SocketSink.prototype, 'write');
    await Promise.all(chunks(20).map((event) => log.append(event)));
    await until(() => text().includes('data: 20 \n'));
    expect(write).toHaveBeenCalledTimes(1);
    write.mockRestore();
    socket.destroy();
  });
});

describe('limits of a stream', () => {
  test('a client that reads nothing is cut off, and may come back for the rest', async () => {
    await using app = await startApp({ settings: { heartbeatMs: 50, stalledMs: 200 } });
    const log = await directLog(app);
    const { socket } = await openRaw(app);
    socket.pause();
    socket.write(request(REST));
    await until(() => app.services.streams.size === 1);
    const filler = 'x'.repeat(60_000);
    await until(async () => {
      await log.append(chunk(filler));
      return app.services.streams.size === 0;
    });
    expect(app.services.tails.size).toBe(0);
    socket.destroy();
  });

  test('one that only waits for events is not', async () => {
    await using app = await startApp({ settings: { heartbeatMs: 20, stalledMs: 50 } });
    await directLog(app);
    const { socket, text } = await openRaw(app);
    socket.write(request(REST));
    await until(() => text().split(':\n\n').length > 20);
    expect(app.services.streams.size).toBe(1);
    socket.destroy();
  });

  test('more than its share of a second waits for the next one, and comes whole', async () => {
    await using app = await startApp({ settings: { bytesPerSecond: 100_000 } });
    const log = await directLog(app);
    const filler = 'x'.repeat(50_000);
    await log.append(chunk(filler), chunk(filler), chunk(filler), chunk(filler));
    await log.append(chunk(filler), chunk(filler), chunk(filler), chunk(filler));
    await log.complete();
    const began = performance.now();
    const { socket, text } = await openRaw(app);
    socket.write(request(REST));
    await until(() => text().endsWith('0\r\n\r\n'), { timeoutMs: 20_000 });
    // 400 kB: at the least two whole pauses.
    expect(performance.now() - began).toBeGreaterThan(1_500);
    expect(unchunked(bodyOf(text())).split(filler).length).toBe(9);
    socket.destroy();
  });
});
