// Frames are written to Node's sockets past its streams; the bytes are those that a ReadableStream would produce.
import { createServer, ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { constants } from 'node:os';
import { setImmediate as immediate } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import type { FrameSource } from '../../src/sse/event-stream.ts';
import { EventStreams } from '../../src/sse/event-streams.ts';
import { frame } from '../../src/sse/frame.ts';
import { handleOf } from '../../src/sse/socket-handle.ts';
import { SocketSink } from '../../src/sse/socket-sink.ts';
import { SSE_FORMAT } from '../../src/sse/stream-format.ts';
import { chunk, chunks, directLog, graphqlPath, type ListeningApp, startApp } from '../support/app.ts';
import { until } from '../support/wait.ts';

const REST = '/api/v0/executions/agents/a1/stream';
const GRAPHQL = graphqlPath(
  'subscription { agentStream(id: "a1") { seq type ... on LlmChunkEvent { content } } }',
);

/** A client that records the bytes on the wire. */
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

/** Decodes a chunked body; throws if its framing is wrong. */
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
  ])("%s: headers and body equal those of Node's streams", async (_, path) => {
    const wires: { head: string; body: string }[] = [];
    for (const directWrites of [true, false]) {
      await using app = await startApp({ settings: { directWrites } });
      const log = await directLog(app);
      const write = vi.spyOn(ServerResponse.prototype, 'write');
      await log.append(...chunks(3), chunk('läßt 👩‍🚀\r\nzwei'));
      const { socket, text } = await openRaw(app);
      socket.write(request(path));
      await until(() => text().includes('zwei'));
      await log.append(...chunks(300, 4));
      await log.complete();
      await until(() => text().endsWith('0\r\n\r\n'));
      expect(write.mock.calls.length === 0).toBe(directWrites);
      write.mockRestore();
      wires.push({ head: headOf(text()), body: log.masked(unchunked(bodyOf(text()))) });
      socket.destroy();
    }
    expect(wires[0]).toEqual(wires[1]);
    expect(wires[0]!.body).toMatch(/^retry: 1000\n:\n\nid: 1-EPOCH\n/);
  });

  test('an HTTP/1.0 client receives the same body without chunks', async () => {
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

  test('a connection serves further requests after a stream has ended, pipelined ones in order', async () => {
    await using app = await startApp();
    const log = await directLog(app);
    await log.append(...chunks(2));
    const { socket, text } = await openRaw(app);
    // The second response has no socket while the first stream is open.
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
      .map((response) => unchunked(bodyOf(response)));
    expect(streams[0]).toBe(streams[1]);
    socket.destroy();
  });

  test('a client that disconnects is released', async () => {
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

  test('events of one tick are written in one write', async () => {
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

describe('a client that has not read the last write', () => {
  const FILLER = 'x'.repeat(60_000);

  /** Opens a stream whose client reads nothing, and fills its buffers. */
  async function openHeldUp(app: ListeningApp) {
    const log = await directLog(app);
    const raw = await openRaw(app);
    raw.socket.pause();
    raw.socket.write(request(REST));
    await until(() => app.services.streams.size === 1);
    const written = vi.spyOn(SocketSink.prototype, 'write');
    await until(async () => {
      const before = written.mock.calls.length;
      await log.append(chunk(FILLER));
      await immediate();
      return written.mock.calls.length === before;
    });
    written.mockRestore();
    return { ...raw, log };
  }

  test('a client that has not read the last write receives no further write until it has, and then everything in order', async () => {
    await using app = await startApp();
    const { socket, text, log } = await openHeldUp(app);
    await log.append(...chunks(20));
    await log.complete();
    expect(app.services.streams.size).toBe(1);
    socket.resume();
    await until(() => text().endsWith('0\r\n\r\n'));
    const seqs = [...unchunked(bodyOf(text())).matchAll(/^id: (\d+)-/gm)].map(([, seq]) => Number(seq));
    expect(seqs).toEqual(seqs.map((_, i) => i + 1));
    expect(unchunked(bodyOf(text()))).toMatch(/event: complete\ndata: \{.*\}\n\n$/);
    socket.destroy();
  });

  test('a client that has not read the last write is disconnected by a rotation', async () => {
    await using app = await startApp();
    const { socket, text } = await openHeldUp(app);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    app.services.streams.rotateAll();
    expect(app.services.streams.size).toBe(0);
    socket.resume();
    await closed;
    expect(text()).not.toMatch(/0\r\n\r\n$/);
  });

  test('a client that has not read the last write is released when it resets the connection', async () => {
    await using app = await startApp();
    const { socket } = await openHeldUp(app);
    socket.resetAndDestroy();
    await until(() => app.services.streams.size === 0 && app.services.tails.size === 0);
    expect((await fetch(`${app.url}/health/live`)).status).toBe(200);
  });
});

describe('the socket of a response', () => {
  /** Streams two frames on a socket that was prepared by `before`; returns what its client received. */
  async function twoFrames(before: (socket: Socket) => void, after: (socket: Socket) => void = () => {}) {
    const server = createServer((_, response) => {
      const socket = response.socket!;
      before(socket);
      const frames = [frame('1-a', 'next', 'one'), frame('2-a', 'next', 'two')];
      const source: FrameSource = {
        ...{ format: SSE_FORMAT, take: () => frames.shift(), waiter: undefined, close: () => {} },
        ...{ ended: true, takeSkippedCursor: () => undefined, finalFrame: () => undefined },
      };
      new EventStreams({ directWrites: 'everywhere' })
        .open(source, new AbortController().signal)
        .pipe(response);
      after(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (piece) => {
      text += piece;
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(request('/', '1.1', 'Connection: close\r\n'));
    await closed;
    server.close();
    return text;
  }

  test('a socket that buffers the headers receives the body after them', async () => {
    const corked = await twoFrames(
      (socket) => socket.cork(),
      (socket) => socket.uncork(),
    );
    expect(corked).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    const body = unchunked(bodyOf(corked));
    expect(body).toBe(unchunked(bodyOf(await twoFrames(() => {}))));
    expect(body).toMatch(/^retry: 1000\n:\n\nid: 1-a\n.*\n.*\n\nid: 2-a\n.*\n.*\n\n$/);
  });

  test('a socket that fails to write is closed, even if no other event reports the failure', async () => {
    const text = await twoFrames((socket) => {
      vi.spyOn(handleOf(socket)!, 'writeBuffer').mockReturnValue(-constants.errno.EPIPE);
    });
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(bodyOf(text)).toBe('');
  });
});

describe('a response that is rotated', () => {
  /** Rotates a stream after its second event; returns everything that its client received, and how the end looked. */
  async function rotated(version: string, directWrites: boolean) {
    await using app = await startApp({ settings: { directWrites } });
    const log = await directLog(app);
    await log.append(...chunks(2));
    const { socket, text } = await openRaw(app);
    socket.write(request(REST, version));
    await until(() => text().includes('data: 2 \n'));
    let error: NodeJS.ErrnoException | undefined;
    socket.once('error', (failure) => {
      error = failure;
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    app.services.streams.rotateAll();
    await closed;
    return { body: bodyOf(text()), code: error?.code };
  }

  test.each([true, false])('over HTTP/1.1 lacks the last chunk, with direct writes %s', async (direct) => {
    const { body, code } = await rotated('1.1', direct);
    expect(code).toBeUndefined();
    expect(body).toMatch(/data: 2 \n\n\r\n$/);
  });

  test('over HTTP/1.0, where the end of the connection ends the body, is reset', async () => {
    const { body, code } = await rotated('1.0', true);
    expect(code).toBe('ECONNRESET');
    expect(body).toMatch(/data: 2 \n\n$/);
  });
});

describe('limits of a stream', () => {
  test('a client that reads nothing is disconnected, and may reconnect for the rest', async () => {
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

  test('a client that waits for events is not disconnected', async () => {
    await using app = await startApp({ settings: { heartbeatMs: 20, stalledMs: 50 } });
    await directLog(app);
    const { socket, text } = await openRaw(app);
    socket.write(request(REST));
    await until(() => text().split(':\n\n').length > 20);
    expect(app.services.streams.size).toBe(1);
    socket.destroy();
  });

  test('a stream above its rate limit waits for the next second, and is delivered completely', async () => {
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
    // 400 kB: at least two full pauses.
    expect(performance.now() - began).toBeGreaterThan(1_500);
    expect(unchunked(bodyOf(text())).split(filler).length).toBe(9);
    socket.destroy();
  });
});
