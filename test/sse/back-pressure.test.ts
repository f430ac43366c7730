// A client that does not read costs a cursor, not a queue.
import { queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { DEFAULT_BOUNDS } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import type { FrameSource } from '../../src/sse/event-stream.ts';
import { EventStreams } from '../../src/sse/event-streams.ts';
import { chunk, directLog, graphqlPath, range, startApp } from '../support/app.ts';
import { openSse, type SseStream } from '../support/sse.ts';
import { until } from '../support/wait.ts';

setFlagsFromString('--expose-gc');
const gc: () => void = runInNewContext('gc');
const EVENTS = 10_000;
const FILLER = 'x'.repeat(2_000);
const PRODUCED = EVENTS * FILLER.length;

/** Counts the bytes that each stream, in the order of their opening, takes from its source. */
function countTaken(streams: EventStreams): number[] {
  const taken: number[] = [];
  const { open } = streams;
  streams.open = function (source: FrameSource, signal) {
    const viewer = taken.push(0) - 1;
    const take = source.take.bind(source);
    source.take = (bytes) => {
      const frames = take(bytes);
      taken[viewer]! += frames?.bytes.length ?? 0;
      return frames;
    };
    return open.call(this, source, signal);
  };
  return taken;
}

function used(): number {
  gc();
  // The second collection frees buffers that were released by the first.
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const numbersOf = ({ frames }: SseStream) =>
  frames.filter(({ data }) => data.includes(FILLER)).map(({ data }) => Number(/\d+/.exec(data)![0]));

describe('a viewer that stops reading for 10,000 events', () => {
  test.each([
    ['GraphQL', graphqlPath('subscription { agentStream(id: "a1") { ... on LlmChunkEvent { content } } }')],
    ['REST', '/api/v0/executions/agents/a1/stream'],
  ])('%s: costs little memory, then receives all of them, while other viewers continue', async (_, path) => {
    /** Publishes everything to a client that reads and one that does not; returns how much memory that took. */
    async function run(hasSlowViewer: boolean): Promise<number> {
      // Otherwise the release of an earlier run's server would be counted.
      await until(() => queryObjects(EventStreams, { format: 'count' }) === 0);
      await using memory = createMemoryLog({ ...DEFAULT_BOUNDS, maxBytes: 2 ** 26 });
      await using app = await startApp({ log: memory });
      const log = await directLog(app);
      const taken = countTaken(app.services.streams);
      using quick = await openSse(app.url + path);
      using slow = await openSse(app.url + path);
      await Promise.all([quick, slow].map((stream) => stream.until(() => stream.comments.length > 0)));
      if (hasSlowViewer) slow.pause();
      else slow.destroy();

      const before = used();
      for (let sent = 0; sent < EVENTS; sent += 50) {
        await log.append(...range(sent + 1, sent + 50).map((i) => chunk(`${i} ${FILLER}`)));
        if (sent % 1_000 === 0) await quick.until(() => quick.frames.length > sent, `event ${sent}`);
      }
      await quick.until(() => quick.frames.length >= EVENTS, 'the quick viewer to have all events', 15_000);
      const grown = used() - before;
      expect(numbersOf(quick)).toEqual(range(1, EVENTS));
      if (!hasSlowViewer) return grown;

      expect(taken[0]).toBeGreaterThan(PRODUCED);
      // The slow viewer was sent what the kernel's buffers hold, and one write that waits.
      expect(taken[1]).toBeLessThan(PRODUCED / 2);
      slow.resume();
      await log.complete();
      expect(await slow.ended(15_000)).toBe('clean');
      expect(numbersOf(slow)).toEqual(range(1, EVENTS));
      return grown;
    }

    await run(false); // Warm-up.
    const without = await run(false);
    const withSlow = await run(true);
    expect(withSlow - without).toBeLessThan(PRODUCED / 4);
  });
});
