// The backlog without a log: what is sent, in which order, and what counts as waiting.
import { expect, test } from 'vitest';
import { type NewEvent, timestamp } from '../../src/event/events.ts';
import { eventBytes } from '../../src/event/json.ts';
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

test('an overflow begins at exactly `maxBytes`', () => {
  const bytes = eventBytes(text('xy'));
  const at = (maxBytes: number) => {
    const { backlog, publish, dropped } = setUp(maxBytes);
    backlog.next();
    backlog.acknowledge();
    publish('xy');
    expect(backlog.bytes).toBe(bytes);
    publish('z');
    return dropped;
  };
  expect(at(bytes)).toEqual([0]);
  expect(at(bytes + 1)).toEqual([]);
});

test('an overflow does not count text, values and resent events as dropped', () => {
  const { backlog, publish, warn, next, dropped } = setUp(2_000);
  next();
  backlog.acknowledge();
  backlog.restart();
  warn();
  warn();
  publish('x'.repeat(2_000));
  backlog.push({ type: 'structured_delta', ts: timestamp(), data: { patch: [] } });
  expect(dropped).toEqual([2]);
});

test('the batch in flight counts as waiting, and its events are not dropped by an overflow', () => {
  const { backlog, publish, next, dropped } = setUp(2_000);
  publish('x'.repeat(2_000));
  next();
  expect(backlog.bytes).toBeGreaterThan(2_000);
  publish('y');
  expect(dropped).toEqual([0]);
  backlog.acknowledge();
  expect(next()?.[0]).toBe('reset');
});

test('`since` is the time of the oldest queued event, and 0 if something must be sent immediately', () => {
  const { backlog, next } = setUp();
  expect(backlog.since).toBe(0);
  expect(next()).toEqual(['agent_start']);
  expect(backlog.since).toBe(0);
  backlog.acknowledge();
  const ts = '2026-01-01T00:00:00.000Z';
  backlog.push({ ...text('a'), ts });
  backlog.push({ ...text('b'), ts: '2026-01-01T00:00:01.000Z' }, true);
  expect(backlog.since).toBe(Date.parse(ts));
  backlog.next();
  expect(backlog.since).toBe(0);
  backlog.acknowledge();
  expect(backlog.since).toBe(0);
  backlog.push(text('c'));
  backlog.restart();
  expect(backlog.since).toBe(0);
});

test('a queue of a full batch is sent immediately', () => {
  const { backlog, next } = setUp(Number.POSITIVE_INFINITY);
  next();
  backlog.acknowledge();
  const warning: NewEvent = { type: 'warning', ts: timestamp(), data: { code: 'W', message: '' } };
  const padded = (bytes: number): NewEvent => {
    const message = 'x'.repeat(bytes - eventBytes(warning));
    return { ...warning, data: { code: 'W', message } } as NewEvent;
  };
  for (let i = 0; i < 7; i += 1) backlog.push(padded(32 * KIB));
  backlog.push(padded(32 * KIB - 1));
  expect(backlog.since).toBeGreaterThan(0);
  backlog.push(padded(300));
  expect(backlog.since).toBe(0);
});

test('a resend of a value drops the queued patches, which the value includes', () => {
  const { backlog, publish, warn, next } = setUp();
  next();
  backlog.push({ type: 'structured_delta', ts: timestamp(), data: { patch: [] } });
  warn();
  publish('queued');
  backlog.restart();
  expect(next()).toEqual(['agent_start', 'text ', 'warning', 'text queued']);
});

test('a cleared backlog sends nothing of the batch that was in flight', () => {
  const { backlog, publish, next } = setUp();
  publish('a');
  next();
  backlog.clear();
  expect(backlog).toMatchObject({ isEmpty: true, bytes: 0, since: 0 });
  expect(next()).toBeUndefined();
});
