// Writes past a socket's stream: completion is reported, and no request object serves two writes at the same time.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { handleOf, writeTo } from '../../src/sse/socket-handle.ts';
import { until } from '../support/wait.ts';

/** The two ends of a connection. The client reads once it is resumed. */
async function pair() {
  const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[socket]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [
    [Socket],
    unknown,
  ];
  server.close();
  const pieces: Buffer[] = [];
  client.on('data', (piece: Buffer) => pieces.push(piece)).pause();
  const got = () => Buffer.concat(pieces).toString();
  const end = () => {
    socket.destroy();
    client.destroy();
  };
  return { socket, handle: handleOf(socket)!, client, got, [Symbol.dispose]: end };
}

/** Writes until a write does not complete synchronously; returns what was written. */
function fill(
  handle: ReturnType<typeof handleOf>,
  letter: string,
  onWritten: (error?: Error) => void,
): string {
  let all = '';
  for (;;) {
    const piece = letter.repeat(100_000);
    all += piece;
    if (!writeTo(handle!, Buffer.from(piece), onWritten)) return all;
  }
}

describe('writeTo', () => {
  test('writeTo returns true for a write that completes, and calls no callback', async () => {
    using one = await pair();
    const onWritten = vi.fn();
    one.client.resume();
    expect(writeTo(one.handle, Buffer.from('one '), onWritten)).toBe(true);
    expect(writeTo(one.handle, Buffer.from('two'), onWritten)).toBe(true);
    await until(() => one.got() === 'one two');
    expect(onWritten).not.toHaveBeenCalled();
  });

  test('writeTo calls the callback of each socket when its own write has completed', async () => {
    using one = await pair();
    using two = await pair();
    using ready = await pair();
    const [onOne, onTwo, onReady] = [vi.fn(), vi.fn(), vi.fn()];
    const ofOne = fill(one.handle, '1', onOne);
    const ofTwo = fill(two.handle, '2', onTwo);
    ready.client.resume();
    expect(writeTo(ready.handle, Buffer.from('3'), onReady)).toBe(true);
    await until(() => ready.got() === '3');
    expect([onOne.mock.calls, onTwo.mock.calls]).toEqual([[], []]);

    two.client.resume();
    await until(() => two.got() === ofTwo);
    await until(() => onTwo.mock.calls.length > 0);
    expect([onOne.mock.calls, onTwo.mock.calls]).toEqual([[], [[undefined]]]);
    expect(writeTo(two.handle, Buffer.from('!'), onTwo)).toBe(true);

    one.client.resume();
    await until(() => one.got() === ofOne);
    await until(() => onOne.mock.calls.length > 0);
    expect([onOne.mock.calls, onReady.mock.calls]).toEqual([[[undefined]], []]);
    await until(() => two.got() === `${ofTwo}!`);
  });

  test('writeTo passes the error of a pending write to its callback', async () => {
    using one = await pair();
    const onWritten = vi.fn();
    fill(one.handle, 'x', onWritten);
    one.socket.destroy();
    await until(() => onWritten.mock.calls.length > 0);
    expect(onWritten.mock.calls).toEqual([[new Error('write ECANCELED')]]);
  });

  test('writeTo passes an immediate error to the callback', async () => {
    using one = await pair();
    const { handle } = one;
    one.socket.destroy();
    await once(one.socket, 'close');
    const onWritten = vi.fn();
    expect(writeTo(handle, Buffer.from('x'), onWritten)).toBe(false);
    expect(onWritten.mock.calls).toEqual([[new Error('write EINVAL')]]);
  });
});

describe('without a usable handle', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.resetModules();
  });

  test('a closed socket has no handle', async () => {
    using one = await pair();
    one.socket.destroy();
    expect(handleOf(one.socket)).toBeUndefined();
  });

  test.each([
    ['provides no binding', () => ({})],
    [
      'denies access to it',
      () => {
        throw new Error('ERR_ACCESS_DENIED');
      },
    ],
  ])(
    'if Node %s, sockets have no handle, and a stream is written by its response with the same bytes',
    async (_, binding) => {
      const bytes = [await streamed()];
      vi.resetModules();
      vi.spyOn(process as unknown as { binding(): unknown }, 'binding').mockImplementation(binding);
      const { handleOf: reloadedHandleOf } = await import('../../src/sse/socket-handle.ts');
      using one = await pair();
      expect(reloadedHandleOf(one.socket)).toBeUndefined();
      bytes.push(await streamed());
      expect(bytes[1]).toBe(bytes[0]);
      expect(bytes[0]).toContain('id: 2-a\n');
    },
  );
});

/** The bytes that the client of a stream of two frames receives. Each call imports the modules again. */
async function streamed(): Promise<string> {
  const { createServer: createHttpServer } = await import('node:http');
  const { EventStreams } = await import('../../src/sse/event-streams.ts');
  const { frame } = await import('../../src/sse/frame.ts');
  const { SSE_FORMAT } = await import('../../src/sse/stream-format.ts');
  const frames = [frame('1-a', 'next', 'one'), frame('2-a', 'next', 'two')];
  const server = createHttpServer((_, response) => {
    response.setHeader('Date', '');
    const source = {
      ...{ format: SSE_FORMAT, take: () => frames.shift(), waiter: undefined, close: () => {} },
      ...{ ended: true, takeSkippedCursor: () => undefined, finalFrame: () => undefined },
    };
    new EventStreams({ directWrites: 'everywhere' })
      .open(source, new AbortController().signal)
      .pipe(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (piece) => {
    text += piece;
  });
  socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');
  await once(socket, 'close');
  server.close();
  return text;
}
