// A sink that has no handle to write to, and so writes to the response.
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, test, vi } from 'vitest';
import type { EventStream } from '../../src/sse/event-stream.ts';
import { frame } from '../../src/sse/frame.ts';
import { SocketSink } from '../../src/sse/socket-sink.ts';

/** A response, as far as a sink uses it, whose buffer a test fills. */
class ManualResponse extends EventEmitter {
  readonly flushHeaders = vi.fn();
  readonly write = vi.fn(() => true);
  readonly end = vi.fn();
  readonly destroy = vi.fn();
  chunkedEncoding = true;
  /** A response that waits for another one of its pipeline has no socket. */
  readonly socket = null;
}

function setUp() {
  const response = new ManualResponse();
  const stream = { wake: vi.fn() };
  const sink = new SocketSink(response as unknown as ServerResponse, stream as unknown as EventStream, true);
  return { response, stream, sink };
}

test('a sink without a socket sends the headers, and then frames without chunk framing', () => {
  const { response, sink } = setUp();
  expect(response.flushHeaders).toHaveBeenCalledTimes(1);
  const one = frame('1-a', 'next', 'one');
  sink.write(one);
  expect(response.write.mock.calls).toEqual([[one.bytes]]);
  expect(sink.ready).toBe(true);
});

test('a sink whose response is full is ready again, and wakes its stream, when the response has drained', () => {
  const { response, stream, sink } = setUp();
  response.write.mockReturnValue(false);
  sink.write(frame('1-a', 'next', 'one'));
  expect([sink.ready, stream.wake.mock.calls.length]).toEqual([false, 0]);
  response.emit('drain');
  expect([sink.ready, stream.wake.mock.calls.length]).toEqual([true, 1]);
});

test.each(['end', 'abort'] as const)(
  'a sink that has called %s no longer listens to its response',
  (call) => {
    const { response, stream, sink } = setUp();
    sink[call]();
    response.emit('drain');
    expect([stream.wake.mock.calls.length, response.listenerCount('drain')]).toEqual([0, 0]);
    expect([response.end.mock.calls.length, response.destroy.mock.calls.length]).toEqual(
      call === 'end' ? [1, 0] : [0, 1],
    );
  },
);
