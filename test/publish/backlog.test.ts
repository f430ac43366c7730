// The backlog without a log: what is sent, in which order, and what counts as waiting.
import { expect, test } from 'vitest';
import { type NewEvent, timestamp } from '../../src/event/events.ts';
import { DEFAULT_SIZE_LIMITS } from '../../src/event/size-limits.ts';
import { createBacklog } from '../../src/publish/backlog.ts';

const KIB = 1024;
const text = (content: string): NewEvent => ({ type: 'llm_chunk', ts: timestamp(), data: { content } });

test('a large resend does not count as waiting, queued or in flight, so it cannot overflow the backlog itself', () => {
  const published: string[] = [];
  let overflows = 0;
  const backlog = createBacklog({
    maxBytes: 64 * KIB,
    sizes: DEFAULT_SIZE_LIMITS,
    startEvent: { type: 'agent_start', ts: timestamp(), data: { agentId: 'a' } },
    resendEvents: (queuedUnits) => [
      text(published.join('').slice(0, queuedUnits === 0 ? undefined : -queuedUnits)),
    ],
    onOverflow: () => {
      overflows += 1;
    },
  });
  const publish = (content: string) => {
    published.push(content);
    backlog.push(text(content), true);
  };
  backlog.next();
  for (let i = 0; i < 20; i += 1) publish('x'.repeat(8 * KIB));
  expect(overflows).toBeGreaterThan(0);
  backlog.acknowledge();
  const waiting = backlog.bytes;
  const resend = backlog.next()!;
  // More than `maxBytes`.
  expect(resend.items.reduce((sum, { bytes }) => sum + bytes, 0)).toBeGreaterThan(64 * KIB);
  expect(backlog.bytes).toBe(waiting);
  const before = overflows;
  publish('y');
  expect(overflows).toBe(before);
});

/** A backlog whose published text is `text`, and the events of its next batch by type and text. */
function setUp(maxBytes = 64 * KIB) {
  const published: string[] = [];
  const dropped: number[] = [];
  const backlog = createBacklog({
    maxBytes,
    sizes: DEFAULT_SIZE_LIMITS,
    startEvent: { type: 'agent_start', ts: timestamp(), data: { agentId: 'a' } },
    resendEvents: (queuedUnits) => {
      const content = published.join('');
      return [text(content.slice(0, content.length - queuedUnits))];
    },
    onOverflow: (count) => dropped.push(count),
  });
  const brief = ({ type, data }: NewEvent): string => ('content' in data ? `text ${data.content}` : type);
  return {
    backlog,
    dropped,
    publish(content: string) {
      published.push(content);
      backlog.push(text(content));
    },
    warn: () => backlog.push({ type: 'warning', ts: timestamp(), data: { code: 'W', message: 'w' } }),
    next: () => backlog.next()?.items.map(({ event }) => brief(event)),
  };
}

test('the first batch begins with the start event, and a batch stays the same until it is acknowledged', () => {
  const { backlog, publish, next } = setUp();
  publish('a');
  const first = backlog.next();
  publish('b');
  expect(backlog.next()).toBe(first);
  backlog.acknowledge();
  expect(next()).toEqual(['text b']);
  backlog.acknowledge();
  expect(backlog.isEmpty).toBe(true);
  expect(next()).toBeUndefined();
});

test('after a restart the start event and the published text come first, then the batch that was in flight', () => {
  const { backlog, publish, warn, next } = setUp();
  publish('acknowledged ');
  next();
  backlog.acknowledge();
  publish('in flight ');
  warn();
  next();
  publish('queued');
  backlog.restart();
  expect(next()).toEqual(['agent_start', 'text acknowledged ', 'text in flight ', 'warning', 'text queued']);
});

test('an overflow resends text after a reset, and counts the other events that it dropped', () => {
  const { backlog, publish, warn, next, dropped } = setUp(2_000);
  next();
  backlog.acknowledge();
  warn();
  publish('x'.repeat(2_000));
  publish(' after');
  expect(dropped).toEqual([1]);
  expect(next()).toEqual(['reset', `text ${'x'.repeat(2_000)}`, 'text  after']);
});

test('an overflow before the first batch still sends the start event first, once', () => {
  const { publish, next } = setUp(2_000);
  publish('x'.repeat(2_000));
  publish('y'.repeat(2_000));
  publish('z');
  expect(next()).toEqual(['agent_start', 'reset', `text ${'x'.repeat(2_000)}${'y'.repeat(2_000)}`, 'text z']);
});

test('a restart after an overflow resends each text once, and drops the reset of the overflow', () => {
  const { backlog, publish, next } = setUp(2_000);
  publish('in flight ');
  next();
  publish('x'.repeat(2_000));
  publish('queued');
  backlog.restart();
  expect(next()).toEqual(['agent_start', `text in flight ${'x'.repeat(2_000)}`, 'text queued']);
});

test('a cleared backlog is empty and sends nothing', () => {
  const { backlog, publish, next } = setUp();
  publish('a');
  backlog.clear();
  expect(backlog).toMatchObject({ isEmpty: true, bytes: 0 });
  expect(next()).toBeUndefined();
});
