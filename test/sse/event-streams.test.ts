// One stream from its first bytes to its end, on false time and without sockets.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EventStream, type FrameSource } from '../../src/sse/event-stream.ts';
import { DEFAULT_STREAM_SETTINGS, EventStreams } from '../../src/sse/event-streams.ts';
import type { Frame } from '../../src/sse/frame.ts';
import { streamResponse } from '../../src/sse/responses.ts';
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
  waiter: FrameSource['waiter'];
  ended = false;
  closed = 0;
  cursor: string | undefined;
  words: string | undefined = 'event: complete\ndata: \n\n';
  readonly queue: string[] = [];

  give(...frames: string[]): void {
    this.queue.push(...frames);
    const { waiter: waiting } = this;
    this.waiter = undefined;
    waiting?.wake();
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
    return frameOf(this.words);
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

describe('PROTOCOL.md, REST aliases: the headers of a stream', () => {
  test('no cache, no transformation, no buffering by nginx', () => {
    const { body } = open();
    expect(Object.fromEntries(body.response.headers)).toEqual({
      'cache-control': 'no-cache, no-transform',
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
    });
  });
});

describe('PROTOCOL.md, GraphQL: first bytes and heartbeat', () => {
  test('the first bytes come at once, though nothing was published', async () => {
    const { body } = open();
    await settled();
    expect(body.text).toBe('retry: 1000\n:\n\n');
  });

  test('a comment comes after every 15 s without a frame, and none sooner', async () => {
    const { body } = open();
    await pass(14_999);
    expect(body.text).toBe('retry: 1000\n:\n\n');
    await pass(1);
    expect(body.text).toBe('retry: 1000\n:\n\n:\n\n');
    await pass(30_000);
    expect(body.text).toBe('retry: 1000\n:\n\n:\n\n:\n\n:\n\n');
  });

  test('a frame puts the heartbeat off', async () => {
    const { body, source } = open();
    await pass(14_000);
    source.give('data: 1\n\n');
    await pass(14_000);
    expect(body.text).toBe('retry: 1000\n:\n\ndata: 1\n\n');
    await pass(1_000);
    expect(body.text).toBe('retry: 1000\n:\n\ndata: 1\n\n:\n\n');
  });

  test('a heartbeat that a client was too slow for is not made up for after frames', async () => {
    const streams = new EventStreams(SETTINGS);
    const source = new ManualSource();
    const response = streamResponse(streams, source, new AbortController().signal);
    await pass(46_000); // Nobody reads.
    source.give('data: 1\n\n');
    const body = collect(response);
    await settled();
    expect(body.text).toBe('retry: 1000\n:\n\ndata: 1\n\n');
  });

  test('is the same whatever NODE_ENV says', async () => {
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

describe('PROTOCOL.md, Filters: the cursor that moved on', () => {
  test('is told at a heartbeat instead of the comment, once', async () => {
    const { body, source } = open();
    source.cursor = '7-e';
    await pass(15_000);
    expect(body.text).toBe('retry: 1000\n:\n\nid: 7-e\n\n');
    await pass(15_000);
    expect(body.text).toBe('retry: 1000\n:\n\nid: 7-e\n\n:\n\n');
  });

  test('is told before the close, and before the last words', async () => {
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

describe('PROTOCOL.md, GraphQL and Reconnecting: how a stream ends', () => {
  test('the end of the execution: what is there, the last words, a clean end, nothing left behind', async () => {
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

  test('a source without last words ends with its last frame', async () => {
    const { body, source } = open();
    source.words = undefined;
    source.give('event: complete\ndata: {}\n\n');
    source.finish();
    await settled();
    expect(body.done).toBe(true);
    expect(body.text).toBe('retry: 1000\n:\n\nevent: complete\ndata: {}\n\n');
  });

  test('rotation: a clean end without last words, and with the moved cursor', async () => {
    const { streams, body, source } = open();
    source.give('data: 1\n\n');
    await settled();
    source.cursor = '5-e';
    streams.rotateAll();
    await settled();
    expect(body.done).toBe(true);
    expect(body.text).toBe('retry: 1000\n:\n\ndata: 1\n\nid: 5-e\n\n');
    expect(source.closed).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a rotation leaves frames that were not taken to the next connection', async () => {
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

  test.each([
    [0, 480_000],
    [0.5, 540_000],
    [0.999_999, 600_000],
  ])('with a jitter of %d a connection lives %d ms', async (random, ms) => {
    vi.spyOn(Math, 'random').mockReturnValue(random);
    const { body } = open({ heartbeatMs: 10_000_000 });
    await pass(ms - 2);
    expect(body.done).toBe(false);
    await pass(4);
    expect(body.done).toBe(true);
    expect(body.text).toBe('retry: 1000\n:\n\n');
  });

  test('once the server drains, a stream that only now opens is rotated at once too', async () => {
    const streams = new EventStreams(SETTINGS);
    streams.drain();
    const source = new ManualSource();
    source.give('data: 1\n\n');
    const body = collect(streamResponse(streams, source, new AbortController().signal));
    await settled();
    expect(body.done).toBe(true);
    expect(body.text).toBe('retry: 1000\n:\n\n');
    expect(source.closed).toBe(1);
  });
});

describe('a source that throws', () => {
  test('ends its own stream so that the client comes back, and is told', async () => {
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
    expect(bodies.map(({ done, text }) => [done, text])).toEqual([
      [true, 'retry: 1000\n:\n\n'],
      [false, 'retry: 1000\n:\n\ndata: 2\n\n'],
    ]);
    expect(errors).toEqual([error]);
    expect([broken.closed, fine.closed, streams.size]).toEqual([1, 0, 1]);
  });
});

describe('ARCHITECTURE.md, invariant 8: what a stream holds is let go of', () => {
  test('when the client has gone', async () => {
    const { streams, client, source } = open();
    await settled();
    client.abort();
    await settled();
    expect(source.closed).toBe(1);
    expect(streams.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('when the client had gone before it opened', async () => {
    const streams = new EventStreams(SETTINGS);
    const source = new ManualSource();
    streamResponse(streams, source, AbortSignal.abort());
    await settled();
    expect(source.closed).toBe(1);
    expect(streams.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('when the body is cancelled', async () => {
    const { streams, body, source } = open();
    await settled();
    await body.cancel();
    await settled();
    expect(source.closed).toBeGreaterThan(0);
    expect(streams.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a client that does not read costs what it was sent, and no more is taken for it', async () => {
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

test('a stream with much to write leaves others their turn after 256 KiB, and goes on in the next one', () => {
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
  stream.attach({ ready: true, write, end: () => {}, abort: () => {} });
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
