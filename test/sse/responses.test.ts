// Responses to requests for a stream, without Node's HTTP and over it: some end cleanly, others are left unfinished.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { lineFrame } from '../../src/sse/frame.ts';
import { abortResponse, interruptResponse } from '../../src/sse/interrupt.ts';
import { InterruptedBody } from '../../src/sse/response-body.ts';
import { completeStream, noContent, retryLater } from '../../src/sse/responses.ts';
import { isPingRequested, pingFormat, SSE_FORMAT } from '../../src/sse/stream-format.ts';

const text = ({ bytes }: { bytes: Uint8Array }) => new TextDecoder().decode(bytes);

describe('a response', () => {
  test('that is complete has the opening, its frames and a clean end', async () => {
    const response = completeStream(SSE_FORMAT, lineFrame('1-a', 'complete', '{}'));
    expect(await response.text()).toBe('retry: 1000\n:\n\nid: 1-a\nevent: complete\ndata: {}\n\n');
    expect([...response.headers]).toEqual([
      ['cache-control', 'no-cache, no-transform'],
      ['content-type', 'text/event-stream; charset=utf-8'],
      ['x-accel-buffering', 'no'],
    ]);
  });

  test('without content is 204', () => {
    const { status, body } = noContent();
    expect([status, body]).toEqual([204, null]);
  });

  test.each([
    [undefined, 'retry: 5000\n: Redis is gone\n\n'],
    [30, 'retry: 30000\n: Redis is gone\n\n'],
  ])('that defers a client by %s s has one frame, and breaks afterwards', async (seconds, frame) => {
    const response = retryLater('Redis is gone', seconds);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const reader = response.body!.getReader();
    const first = await reader.read();
    expect(text({ bytes: first.value! })).toBe(frame);
    await expect(reader.read()).rejects.toThrow('the response is unfinished: reconnect with the last cursor');
  });
});

describe('a connection', () => {
  /** The bytes that a client receives, and how its connection ends. */
  async function receive(version: '1.0' | '1.1', respond: (response: ServerResponse) => void) {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      respond(response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let received = '';
    let error: unknown;
    socket.setEncoding('utf8').on('data', (piece) => {
      received += piece;
    });
    socket.on('error', (reason) => {
      error = reason;
    });
    socket.write(`GET / HTTP/${version}\r\nHost: x\r\n\r\n`);
    await once(socket, 'close').catch(() => {});
    server.close();
    return { body: received.split('\r\n\r\n').slice(1).join('\r\n\r\n'), error };
  }

  const body = () => new InterruptedBody(lineFrame('1-a', 'llm_chunk', 'one'));
  const FRAME = 'id: 1-a\nevent: llm_chunk\ndata: one\n\n';

  test('of HTTP/1.1 is closed after the frame and without the last chunk', async () => {
    const { body: received, error } = await receive('1.1', (response) => body().pipe(response));
    expect(received).toBe(`${FRAME.length.toString(16)}\r\n${FRAME}\r\n`);
    expect(error).toBeUndefined();
  });

  test('of HTTP/1.0, where the end of the connection is the end of the body, is reset after the frame', async () => {
    const { body: received, error } = await receive('1.0', (response) => body().pipe(response));
    expect(received).toBe(FRAME);
    expect(error).toMatchObject({ code: 'ECONNRESET' });
  });

  test('of HTTP/1.1 that is aborted has no last chunk', async () => {
    const { body: received } = await receive('1.1', (response) =>
      response.write('x', () => abortResponse(response)),
    );
    expect(received).not.toContain('0\r\n');
  });

  test('of HTTP/1.0 that is aborted is reset', () => {
    const calls: string[] = [];
    const socket = { resetAndDestroy: () => calls.push('reset') };
    abortResponse({ socket, chunkedEncoding: false } as unknown as ServerResponse);
    expect(calls).toEqual(['reset']);
  });

  test('that its client has closed is left alone', () => {
    const response = { socket: null, chunkedEncoding: true } as unknown as ServerResponse;
    expect(() => interruptResponse(response)).not.toThrow();
    const old = { socket: null, chunkedEncoding: false } as unknown as ServerResponse;
    expect(() => abortResponse(old)).not.toThrow();
  });
});

describe('heartbeats', () => {
  test('are comments, or the cursor after skipped events', () => {
    expect(text(SSE_FORMAT.heartbeat(undefined))).toBe(':\n\n');
    expect(text(SSE_FORMAT.heartbeat('7-a'))).toBe('id: 7-a\n\n');
  });

  test('are messages if the client requests pings, with the cursor after skipped events', () => {
    const format = pingFormat('ping', '{}');
    expect(format.contentType).toBe('text/event-stream; charset=utf-8');
    expect(text(format.heartbeat(undefined))).toBe('event: ping\ndata: {}\n\n');
    expect(text(format.heartbeat('7-a'))).toBe('id: 7-a\nevent: ping\ndata: {}\n\n');
  });

  test('are requested as messages by ping=event alone', () => {
    const at = (query: string) => isPingRequested(`http://x/stream${query}`);
    expect(at('')).toBe(false);
    expect(at('?ping=event')).toBe(true);
    expect(() => at('?ping=yes')).toThrow('ping: expected event, got "yes"');
    expect(() => at(`?ping=${'x'.repeat(50)}`)).toThrow(`got "${'x'.repeat(40)}"`);
  });
});
