// One subscription's response stream: which frames it takes from a viewer, and which cursor it has sent.
import { describe, expect, test, vi } from 'vitest';
import type { EventType } from '../../src/event/events.ts';
import { frame } from '../../src/sse/frame.ts';
import { SSE_FORMAT } from '../../src/sse/stream-format.ts';
import type { Encoder, EventExecutor } from '../../src/stream/encoder.ts';
import { SharedEncoding } from '../../src/stream/shared-encoding.ts';
import { ViewerFrames } from '../../src/stream/viewer-frames.ts';
import { chunk, settled, setUp, warning } from '../tail/harness.ts';

const executor: EventExecutor = {
  result: ({ seq }) => ({ data: { seq } }),
  json: ({ seq, type }) => `${seq} ${type}`,
};
const encoder: Encoder = {
  name: 'test',
  format: SSE_FORMAT,
  next: (event, { json }) => frame(event.id, 'next', json(event)),
  complete: (id) => frame(id, 'complete', ''),
};

async function open(events?: readonly EventType[]) {
  const world = await setUp();
  await world.publisher.append(chunk(), warning(), chunk());
  const viewer = await world.open(events && { events: new Set(events) });
  const encoding = new SharedEncoding(viewer.tail, executor, { executions: 0 }, 'all');
  const release = vi.fn();
  const frames = new ViewerFrames(viewer, encoding, encoder, release);
  /** The data of the frames that are taken in one call. */
  const take = (bytes: number) => {
    const taken = frames.take(bytes);
    return (
      taken &&
      [
        ...Buffer.from(taken.bytes)
          .toString()
          .matchAll(/^data: (.*)$/gm),
      ].map(([, data]) => data)
    );
  };
  return { ...world, viewer, frames, release, take };
}

describe('the frames of a viewer', () => {
  test('the frames of a viewer are taken as a span if no event is filtered out', async () => {
    const { take, frames } = await open();
    expect([take(1), take(1)]).toEqual([['1 llm_chunk', '2 warning', '3 llm_chunk'], undefined]);
    expect(frames.takeSkippedCursor()).toBeUndefined();
  });

  test('the frames of a viewer are taken one by one up to a size if events are filtered out', async () => {
    const { publisher, take } = await open(['llm_chunk']);
    await publisher.chunks(4);
    const size = frame(`1-${publisher.epoch}`, 'next', '1 llm_chunk').length;
    expect([take(1), take(size), take(size + 1), take(1_000)]).toEqual([
      ['1 llm_chunk'],
      ['3 llm_chunk'],
      ['4 llm_chunk', '5 llm_chunk'],
      ['6 llm_chunk', '7 llm_chunk'],
    ]);
    expect(take(1_000)).toBeUndefined();
  });

  test('the frames of a viewer report a cursor that has advanced past filtered events, once', async () => {
    const { publisher, take, frames } = await open(['warning']);
    expect(frames.takeSkippedCursor()).toBeUndefined();
    expect(take(1)).toEqual(['2 warning']);
    expect(frames.takeSkippedCursor()).toBeUndefined();
    expect(take(1)).toBeUndefined();
    expect(frames.takeSkippedCursor()).toBe(`3-${publisher.epoch}`);
    expect(frames.takeSkippedCursor()).toBeUndefined();
  });

  test('the frames of a viewer end with the cursor of the terminal event, even if it is filtered out', async () => {
    const { publisher, take, frames } = await open(['warning']);
    await publisher.complete();
    take(1_000);
    take(1_000);
    expect(frames.ended).toBe(true);
    expect(Buffer.from(frames.finalFrame()!.bytes).toString()).toContain(`id: 4-${publisher.epoch}\n`);
  });

  test('the frames of a viewer wake their waiter when an event is available', async () => {
    const { publisher, take, frames } = await open();
    take(1_000);
    const wake = vi.fn();
    frames.waiter = { wake };
    await publisher.chunks(1);
    await settled();
    expect(wake).toHaveBeenCalledTimes(1);
  });

  test('the frames of a viewer release their viewer and their encoding once', async () => {
    const { frames, viewer, release, tails } = await open();
    frames.close();
    frames.close();
    expect([viewer.closed, release.mock.calls.length, tails.size]).toEqual([true, 1, 0]);
  });
});

describe('the results of a viewer', () => {
  test('the results of a viewer are iterated over to the end of the execution', async () => {
    const { publisher, frames, release } = await open();
    await publisher.complete();
    const results: unknown[] = [];
    for await (const { data } of frames) results.push(data?.seq);
    expect([results, release.mock.calls.length]).toEqual([[1, 2, 3, 4], 1]);
  });

  test('the results of a viewer release everything if the iteration stops before its first result', async () => {
    const { frames, release, tails } = await open();
    expect(await frames[Symbol.asyncIterator]().return!()).toEqual({ done: true, value: undefined });
    expect([release.mock.calls.length, tails.size]).toEqual([1, 0]);
  });
});
