// One stream from its first bytes to its end, on fake time and without sockets.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EventStream, type FrameSource } from '../../src/sse/event-stream.ts';
import { EventStreams } from '../../src/sse/event-streams.ts';
import type { Frame } from '../../src/sse/frame.ts';
import { streamResponse } from '../../src/sse/responses.ts';
import { SSE_FORMAT } from '../../src/sse/stream-format.ts';
import { DEFAULT_STREAM_SETTINGS, type EventStreamSettings } from '../../src/sse/stream-settings.ts';
import { collect, settled } from '../support/app.ts';

const SETTINGS = { retryMs: 1_000, heartbeatMs: 15_000, lifetimeMs: 600_000 };

function frameOf(text: string | undefined): Frame | undefined {
  if (text === undefined) return undefined;
  return {
    length: text.length,
    bytes: Buffer.from(text),
    chunk: Buffer.from(`${text.length.toString(16)}\r\n${text}\r\n`),
  };
}

/** A source that a test fills by hand. */
class ManualSource implements FrameSource {
  readonly format = SSE_FORMAT;
  waiter: FrameSource['waiter'];
  ended = false;
  closed = 0;
  cursor: string | undefined;
  final: string | undefined = 'event: complete\ndata: \n\n';
  readonly queue: string[] = [];

  give(...frames: string[]): void {
    this.queue.push(...frames);
    const { waiter } = this;
    this.waiter = undefined;
    waiter?.wake();
  }

  finish(): void {
    this.ended = true;
    this.give();
  }

  take(): Frame | undefined {
    return frameOf(this.queue.shift());
  }

  takeSkippedCursor(): string | undefined {
    const cursor = this.cursor;
    this.cursor = undefined;
    return cursor;
  }

  finalFrame(): Frame | undefined {
    return frameOf(this.final);
  }

  close(): void {
    this.closed += 1;
  }
}

function open(settings: Partial<typeof SETTINGS> = {}) {
  const streams = new EventStreams({ ...SETTINGS, ...settings });
  const source = new ManualSource();
  const client = new AbortController();
  const body = collect(streamResponse(streams, source, client.signal));
  return { streams, source, client, body };
}

async function pass(ms: number): Promise<void> {
  await settled(3);
  await vi.advanceTimersByTimeAsync(ms);
  await settled(3);
}

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('the headers of a stream', () => {
  test('the headers of a stream forbid caching, transformation and buffering by nginx', () => {
    const { body } = open();
    expect(Object.fromEntries(body.response.headers)).toEqual({
      'cache-control': 'no-cache, no-transform',
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
    });
  });
});

describe('first bytes and heartbeats', () => {
  test('the first bytes are sent immediately, although nothing was published', async () => {
    const { body } = open();
    await settled();
    expect(body.text).toBe('retry: 1000\n:\n\n');
  });

  test('a comment is sent after every 15 s without a frame, and not earlier', async () => {
    const { body } = open();
    await pass(14_999);
    expect(body.text).toBe('retry: 1000\n:\n\n');
    await pass(1);
    expect(body.text).toBe('retry: 1000\n:\n\n:\n\n');
    await pass(30_000);
    expect(body.text).toBe('retry: 1000\n:\n\n:\n\n:\n\n:\n\n');
  });

  test('a frame delays the heartbeat', async () => {
    const { body, source } = open();
    await pass(14_000);
    source.give('data: 1\n\n');
    await pass(14_000);
    expect(body.text).toBe('retry: 1000\n:\n\ndata: 1\n\n');
    await pass(1_000);
    expect(body.text).toBe('retry: 1000\n:\n\ndata: 1\n\n:\n\n');
  });

  test('a heartbeat that a client was too slow to read is not sent after later frames', async () => {
    const streams = new EventStreams(SETTINGS);
    const source = new ManualSource();
    const response = streamResponse(streams, source, new AbortController().signal);
    await pass(46_000); // The client does not read.
    source.give('data: 1\n\n');
    const body = collect(response);
    await settled();
    expect(body.text).toBe('retry: 1000\n:\n\ndata: 1\n\n');
  });

  test('heartbeats do not depend on NODE_ENV', async () => {
    const texts: string[] = [];
    for (const environment of ['test', 'production', 'development']) {
      vi.stubEnv('NODE_ENV', environment);
      const { body, source } = open();
      await pass(31_000);
      source.give('data: 1\n\n');
      await pass(16_000);
      texts.push(body.text);
    }
    vi.unstubAllEnvs();
    expect(new Set(texts)).toEqual(new Set(['retry: 1000\n:\n\n:\n\n:\n\ndata: 1\n\n:\n\n']));
  });
});

describe('a cursor that was advanced by the filter', () => {
  test('a cursor that was advanced by the filter is sent once, instead of the comment of a heartbeat', async () => {
    const { body, source } = open();
    source.cursor = '7-e';
    await pass(15_000);
    expect(body.text).toBe('retry: 1000\n:\n\nid: 7-e\n\n');
    await pass(15_000);
    expect(body.text).toBe('retry: 1000\n:\n\nid: 7-e\n\n:\n\n');
  });

  test('a cursor that was advanced by the filter is sent before the final frame and the end', async () => {
    const { body, source } = open();
    source.give('data: 1\n\n');
    await settled();
    source.cursor = '9-e';
    source.finish();
    await settled();
    expect(body.done).toBe(true);
    expect(body.text).toBe('retry: 1000\n:\n\ndata: 1\n\nid: 9-e\n\nevent: complete\ndata: \n\n');
  });
});

describe('the end of a stream', () => {
  test('an execution that ends sends its frames, the final frame and a clean end, and releases everything', async () => {
    const { streams, body, source } = open();
    source.give('data: 1\n\n', 'data: 2\n\n');
    source.finish();
    await settled();
    expect(body.text).toBe('retry: 1000\n:\n\ndata: 1\n\ndata: 2\n\nevent: complete\ndata: \n\n');
    expect(body.done).toBe(true);
    expect(source.closed).toBe(1);
    expect(streams.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a source without a final frame ends with its last frame', async () => {
    const { body, source } = open();
    source.final = undefined;
    source.give('event: complete\ndata: {}\n\n');
    source.finish();
    await settled();
    expect(body.done).toBe(true);
    expect(body.text).toBe('retry: 1000\n:\n\nevent: complete\ndata: {}\n\n');
  });

  test('a rotation sends the advanced cursor and breaks the connection, without a final frame', async () => {
    const { streams, body, source } = open();
    source.give('data: 1\n\n');
    await settled();
    source.cursor = '5-e';
    streams.rotateAll();
    await settled();
    expect([body.done, body.broken]).toEqual([false, true]);
    expect(body.text).toBe('retry: 1000\n:\n\ndata: 1\n\nid: 5-e\n\n');
    expect(source.closed).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a rotation leaves frames that were not taken for the next connection', async () => {
    const streams = new EventStreams(SETTINGS);
    const source = new ManualSource();
    source.give('data: 1\n\n', 'data: 2\n\n');
    const response = streamResponse(streams, source, new AbortController().signal);
    streams.rotateAll();
    const body = collect(response);
    await settled();
    expect(body.text).toBe('retry: 1000\n:\n\n');
    expect(source.queue.length).toBe(2);
  });

  test('a rotation sends no final frame, even if the execution has ended: the client has not received its events', async () => {
    const streams = new EventStreams(SETTINGS);
    const source = new ManualSource();
    source.queue.push('data: 1\n\n');
    source.ended = true;
    const response = streamResponse(streams, source, new AbortController().signal);
    streams.rotateAll();
    const body = collect(response);
    await settled();
    expect([body.done, body.broken, body.text, source.queue.length]).toEqual([
      false,
      true,
      'retry: 1000\n:\n\n',
      1,
    ]);
  });

  test.each([
    [0, 480_000],
    [0.5, 540_000],
    [0.999_999, 600_000],
  ])('with a jitter of %d a connection is rotated after %d ms', async (random, ms) => {
    vi.spyOn(Math, 'random').mockReturnValue(random);
    const { body } = open({ heartbeatMs: 10_000_000 });
    await pass(ms - 2);
    expect(body.broken).toBe(false);
    await pass(4);
    expect([body.done, body.broken]).toEqual([false, true]);
    expect(body.text).toBe('retry: 1000\n:\n\n');
  });

  test('a stream that is opened while the server drains is rotated immediately', async () => {
    const streams = new EventStreams(SETTINGS);
    streams.drain();
    const source = new ManualSource();
    source.give('data: 1\n\n');
    const body = collect(streamResponse(streams, source, new AbortController().signal));
    await settled();
    expect([body.done, body.broken]).toEqual([false, true]);
    expect(body.text).toBe('retry: 1000\n:\n\n');
    expect(source.closed).toBe(1);
  });
});

describe('a source that throws', () => {
  test('a source that throws breaks its own stream so that the client reconnects, and the error is reported', async () => {
    const errors: unknown[] = [];
    const streams = new EventStreams(SETTINGS, (error) => errors.push(error));
    const [broken, fine] = [new ManualSource(), new ManualSource()];
    const bodies = [broken, fine].map((source) =>
      collect(streamResponse(streams, source, new AbortController().signal)),
    );
    await settled();
    const error = new Error('no cursor');
    broken.take = () => {
      throw error;
    };
    broken.give('data: 1\n\n');
    fine.give('data: 2\n\n');
    await settled();
    expect(bodies.map(({ broken, text }) => [broken, text])).toEqual([
      [true, 'retry: 1000\n:\n\n'],
      [false, 'retry: 1000\n:\n\ndata: 2\n\n'],
    ]);
    expect(errors).toEqual([error]);
    expect([broken.closed, fine.closed, streams.size]).toEqual([1, 0, 1]);
  });
});

describe('a stream releases what it holds', () => {
  test('a stream releases what it holds when the client disconnects', async () => {
    const { streams, client, source } = open();
    await settled();
    client.abort();
    await settled();
    expect(source.closed).toBe(1);
    expect(streams.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a stream releases what it holds when the client has disconnected before it opens', async () => {
    const streams = new EventStreams(SETTINGS);
    const source = new ManualSource();
    streamResponse(streams, source, AbortSignal.abort());
    await settled();
    expect(source.closed).toBe(1);
    expect(streams.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a stream releases what it holds when the body is cancelled', async () => {
    const { streams, body, source } = open();
    await settled();
    await body.cancel();
    await settled();
    expect(source.closed).toBeGreaterThan(0);
    expect(streams.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a stream takes nothing from its source for a client that does not read', async () => {
    const streams = new EventStreams(SETTINGS);
    const source = new ManualSource();
    source.give(...Array.from({ length: 100 }, (_, i) => `data: ${i}\n\n`));
    streamResponse(streams, source, new AbortController().signal);
    await settled();
    expect(source.queue.length).toBe(100);
    await pass(60_000);
    expect(source.queue.length).toBe(100);
  });
});

/** A stream that is driven by hand, and records what its sink and its owner receive. */
function openByHand(settings: Partial<EventStreamSettings> = {}) {
  const source = new ManualSource();
  const calls: string[] = [];
  const stream = new EventStream(
    source,
    { ...DEFAULT_STREAM_SETTINGS, ...settings },
    {
      schedule: () => void calls.push('schedule'),
      onClosed: () => void calls.push('closed'),
      onWritten: (bytes) => void calls.push(`${bytes} bytes`),
      onError: (error) => void calls.push(`error ${error}`),
    },
  );
  const sink = {
    ready: true,
    write: ({ bytes }: Frame) => void calls.push(Buffer.from(bytes).toString()),
    end: () => void calls.push('end'),
    interrupt: () => void calls.push('interrupt'),
    abort: () => void calls.push('abort'),
  };
  return { source, stream, sink, calls, taken: () => calls.splice(0) };
}

describe('a stream and its sink', () => {
  const OPENING = 'retry: 1000\n:\n\n';

  test('a stream that closed before its sink was ready breaks the connection and writes nothing', () => {
    const { stream, sink, calls } = openByHand();
    stream.close();
    stream.attach(sink);
    expect(calls).toEqual(['closed', 'abort']);
  });

  test('a rotation of a stream whose client is not reading writes nothing more', () => {
    const { source, stream, sink, taken } = openByHand();
    stream.attach(sink);
    taken();
    sink.ready = false;
    source.cursor = '5-e';
    stream.rotate();
    expect([taken(), source.cursor]).toEqual([['closed', 'abort'], '5-e']);
  });

  test('a stream is closed once, however often `close` is called', () => {
    const { source, stream, sink, taken } = openByHand();
    stream.attach(sink);
    stream.close();
    stream.close();
    source.queue.push('data: 1\n\n');
    stream.advance();
    stream.rotate();
    expect([taken(), source.closed]).toEqual([[OPENING, 'closed'], 1]);
    expect(source.queue.length).toBe(1);
  });

  test('a stream whose sink closes it during the last write sends no final frame', () => {
    const { source, stream, sink, taken } = openByHand();
    stream.attach(sink);
    taken();
    source.queue.push('data: 1\n\n');
    source.ended = true;
    stream.advance();
    expect(taken()).toEqual(['data: 1\n\n', '9 bytes', 'event: complete\ndata: \n\n', 'closed', 'end']);

    const broken = openByHand();
    broken.stream.attach(broken.sink);
    broken.taken();
    broken.source.queue.push('data: 1\n\n');
    broken.source.ended = true;
    broken.sink.write = () => {
      broken.stream.close();
    };
    broken.stream.advance();
    expect(broken.taken()).toEqual(['closed', '9 bytes']);
  });

  test('a stream writes nothing while its sink is not ready, and is no longer woken once it is closed', () => {
    const { source, stream, sink, taken } = openByHand();
    stream.attach(sink);
    expect(source.waiter).toBe(stream);
    sink.ready = false;
    source.give('data: 1\n\n');
    stream.advance();
    expect(taken()).toEqual([OPENING, 'schedule']);
    sink.ready = true;
    stream.advance();
    expect(taken()).toEqual(['data: 1\n\n', '9 bytes']);
    stream.close();
    expect(source.waiter).toBeUndefined();
  });

  test('a heartbeat that is due is sent once', () => {
    const { stream, sink, taken } = openByHand();
    stream.attach(sink);
    taken();
    vi.advanceTimersByTime(15_000);
    stream.advance();
    expect(taken()).toEqual([':\n\n']);
  });

  test('a frame that is written before a late heartbeat replaces it', () => {
    const { source, stream, sink, taken } = openByHand();
    stream.attach(sink);
    sink.ready = false;
    vi.advanceTimersByTime(15_000);
    sink.ready = true;
    source.queue.push('data: 1\n\n');
    taken();
    stream.advance();
    expect(taken()).toEqual(['data: 1\n\n', '9 bytes']);
  });
});

describe('a client that stalls', () => {
  test('a client that stalls is disconnected at the first heartbeat after 60 s, and only if the sink was never ready in between', () => {
    const { source, stream, sink, taken } = openByHand();
    stream.attach(sink);
    sink.ready = false;
    source.queue.push('data: 1\n\n');
    stream.advance();
    vi.advanceTimersByTime(59_000);
    sink.ready = true;
    stream.advance();
    sink.ready = false;
    stream.advance();
    taken();
    vi.advanceTimersByTime(59_999);
    expect(taken()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(taken()).toEqual(['closed', 'abort']);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the rate limit of a stream', () => {
  const frames = (count: number) => Array.from({ length: count }, () => 'x'.repeat(100));

  test('the rate limit of a stream holds frames back until the next second, and continues then', () => {
    const { source, stream, sink } = openByHand({ bytesPerSecond: 250 });
    source.queue.push(...frames(10));
    stream.attach(sink);
    const left = () => source.queue.length;
    expect(left()).toBe(7);
    stream.advance();
    vi.advanceTimersByTime(999);
    expect(left()).toBe(7);
    vi.advanceTimersByTime(1);
    expect(left()).toBe(4);
    vi.advanceTimersByTime(1_000);
    expect(left()).toBe(1);
    stream.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('the rate limit of a stream does not apply to a stream that took longer than a second to reach it', () => {
    const { source, stream, sink } = openByHand({ bytesPerSecond: 250, heartbeatMs: 100_000 });
    source.queue.push(...frames(2));
    stream.attach(sink);
    vi.advanceTimersByTime(1_500);
    source.queue.push(...frames(2));
    stream.advance();
    expect(source.queue.length).toBe(0);
    // The next second is counted from now on, not from the opening.
    source.queue.push(...frames(4));
    stream.advance();
    expect(source.queue.length).toBe(2);
    vi.advanceTimersByTime(999);
    expect(source.queue.length).toBe(2);
    vi.advanceTimersByTime(1);
    expect(source.queue.length).toBe(0);
    stream.close();
  });

  test('the rate limit of a stream does not delay a rotation', () => {
    const { source, stream, sink, taken } = openByHand({ bytesPerSecond: 250 });
    source.queue.push(...frames(10));
    stream.attach(sink);
    taken();
    stream.rotate();
    expect([taken(), vi.getTimerCount()]).toEqual([['closed', 'interrupt'], 0]);
  });
});

describe('the streams of a process', () => {
  test('the streams of a process are counted while they are open, and so are their bytes', async () => {
    const { streams, source, client, body } = open();
    await settled();
    source.give('data: 1\n\n');
    await settled();
    expect([streams.size, streams.opened, streams.bytes, streams.draining]).toEqual([1, 1, 9, false]);
    client.abort();
    await settled();
    expect([streams.size, streams.opened, body.text.length]).toEqual([0, 1, 24]);
  });

  test('the streams of a process drain at 500 per second, or faster if there is less time', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    for (const [withinMs, halfMs] of [
      [60_000, 100],
      [20, 10],
    ] as const) {
      const streams = new EventStreams({ ...SETTINGS, directWrites: true });
      for (let i = 0; i < 100; i += 1) {
        void collect(streamResponse(streams, new ManualSource(), new AbortController().signal));
      }
      await settled();
      streams.drain(withinMs);
      expect([streams.size, streams.draining]).toEqual([100, true]);
      await vi.advanceTimersByTimeAsync(halfMs - 1);
      expect(streams.size).toBe(100);
      await vi.advanceTimersByTimeAsync(1);
      expect(streams.size).toBe(0);
    }
  });

  test('the streams of a process drain immediately without a deadline', async () => {
    const { streams, body } = open();
    await settled();
    streams.drain();
    await settled();
    expect([streams.size, body.broken]).toEqual([0, true]);
  });
});

test('a stream with much to write yields to others after 256 KiB, and continues in the next turn', () => {
  const source = new ManualSource();
  const frames = Array.from({ length: 20 }, () => 'x'.repeat(50 * 1024));
  source.queue.push(...frames);
  const turns: EventStream[] = [];
  const stream = new EventStream(source, DEFAULT_STREAM_SETTINGS, {
    schedule: (scheduled) => void turns.push(scheduled),
    onClosed: () => {},
    onWritten: () => {},
    onError: () => {},
  });
  let written = 0;
  const write = (frame: Frame) => {
    written += frame.length;
  };
  stream.attach({ ready: true, write, end: () => {}, interrupt: () => {}, abort: () => {} });
  for (let turn = 1; turn <= 3; turn += 1) {
    expect(written).toBeGreaterThan(turn * 256 * 1024);
    expect(written).toBeLessThan(turn * 310 * 1024);
    expect(turns.splice(0)).toEqual([stream]);
    stream.advance();
  }
  expect(source.queue).toEqual([]);
  expect(turns).toEqual([]);
  stream.close();
});
