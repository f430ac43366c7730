// The queue of an outbox: merging of chunks, sizes, order.
import { expect, test } from 'vitest';
import { type NewEvent, timestamp } from '../../src/event/events.ts';
import { eventBytes } from '../../src/event/json.ts';
import { DEFAULT_SIZE_LIMITS } from '../../src/event/size-limits.ts';
import { contentBytes, maxContentBytes } from '../../src/event/text.ts';
import { createEventQueue } from '../../src/publish/event-queue.ts';

const chunk = (content: string): NewEvent => ({ type: 'llm_chunk', ts: timestamp(), data: { content } });
const warning = (message: string): NewEvent => {
  return { type: 'warning', ts: timestamp(), data: { code: 'W', message } };
};

/** The queued events, chunks by their text and warnings by their message. */
function contents(queue: ReturnType<typeof createEventQueue>): string[] {
  return queue.take(Number.MAX_SAFE_INTEGER).map(({ event }) => {
    if (event.type === 'llm_chunk') return event.data.content;
    return event.type === 'warning' ? `! ${event.data.message}` : event.type;
  });
}

test('neighbouring chunks are merged, chunks with an event in between are not', () => {
  const queue = createEventQueue();
  for (const event of [chunk('a'), chunk('b'), warning('w'), chunk('c'), chunk('d')]) queue.push(event);
  expect(queue.textUnits()).toBe(4);
  expect(contents(queue)).toEqual(['ab', '! w', 'cd']);
});

test('a chunk marked noMerge is merged with neither neighbour', () => {
  const queue = createEventQueue();
  queue.push(chunk('a'));
  queue.push(chunk('b'), true);
  queue.push(chunk('c'));
  expect(contents(queue)).toEqual(['a', 'b', 'c']);
});

test('a resent chunk is not merged with the chunk that follows', () => {
  const queue = createEventQueue();
  queue.unshift([{ event: chunk('resent'), bytes: 100, resent: true }]);
  queue.push(chunk('new'));
  expect(contents(queue)).toEqual(['resent', 'new']);
});

test.each(['"', '\n'])('merged chunks stay within the size limit of an event: %j', (unit) => {
  const queue = createEventQueue();
  const text = unit.repeat(2_000);
  for (let i = 0; i < 30; i += 1) queue.push(chunk(text));
  const items = queue.take(Number.MAX_SAFE_INTEGER);
  expect(items.length).toBeGreaterThan(1);
  expect(items.length).toBeLessThan(30);
  for (const { event } of items) {
    const { content } = (event as NewEvent<'llm_chunk'>).data;
    expect(contentBytes(content)).toBeLessThanOrEqual(maxContentBytes(DEFAULT_SIZE_LIMITS));
  }
});

test('bytes count what waits, without resent events, and return to 0', () => {
  const queue = createEventQueue();
  const event = warning('w');
  queue.push(event);
  queue.unshift([{ event: warning('again'), bytes: 500, resent: true }]);
  expect(queue.bytes).toBe(eventBytes(event));
  queue.push(chunk('a'));
  queue.push(chunk('b'));
  expect(queue.bytes).toBe(eventBytes(event) + eventBytes(chunk('ab')));
  expect(queue.retain((item) => item.event.type === 'llm_chunk')).toHaveLength(2);
  expect(queue.bytes).toBe(eventBytes(chunk('ab')));
  queue.take(1);
  expect(queue).toMatchObject({ bytes: 0, length: 0, since: 0 });
});

test('take() returns events up to a size, at least one, in their order', () => {
  const queue = createEventQueue();
  for (const message of ['1', '2', '3']) queue.push(warning(message));
  const size = eventBytes(warning('1'));
  expect(queue.take(1)).toHaveLength(1);
  expect(queue.take(2 * size)).toHaveLength(2);
  expect(queue.take(size)).toEqual([]);
});

test('chunks are merged up to the size of an event, counted with its envelope, and no further', () => {
  const merged = (bytes: number) => {
    const queue = createEventQueue();
    const first = chunk('x');
    queue.push(first);
    queue.push(chunk('y'.repeat(bytes - eventBytes(first))));
    return queue.length;
  };
  const max = maxContentBytes(DEFAULT_SIZE_LIMITS);
  expect(merged(max)).toBe(1);
  expect(merged(max + 1)).toBe(2);
});

test('a merged chunk has the time of its first part', () => {
  const queue = createEventQueue();
  const ts = '2026-01-01T00:00:00.000Z';
  queue.push({ ...chunk('a'), ts });
  queue.push({ ...chunk('b'), ts: '2026-01-01T00:00:01.000Z' });
  expect(queue.since).toBe(Date.parse(ts));
  expect(queue.take(1)).toMatchObject([{ event: { ts, data: { content: 'ab' } } }]);
});

test('items that are inserted in front keep their order, and count as waiting unless they are resent', () => {
  const queue = createEventQueue();
  queue.push(warning('last'));
  const waiting = queue.bytes;
  queue.unshift([
    { event: warning('1'), bytes: 10, resent: false },
    { event: warning('2'), bytes: 100, resent: true },
  ]);
  expect(queue.bytes).toBe(waiting + 10);
  expect(queue.length).toBe(3);
  expect(contents(queue)).toEqual(['! 1', '! 2', '! last']);
});

test('take() counts resent events, and stops before the first event that does not fit', () => {
  const queue = createEventQueue();
  for (const bytes of [10, 20, 30]) queue.unshift([{ event: warning(`${bytes}`), bytes, resent: true }]);
  expect(queue.take(49)).toHaveLength(1);
  expect(queue.take(30)).toHaveLength(2);
});
