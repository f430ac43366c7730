// The backlog without a log: what is sent, in which order, and what counts as waiting.
import { expect, test } from 'vitest';
import { type NewEvent, timestamp } from '../../src/event/events.ts';
import { createBacklog } from '../../src/publish/backlog.ts';

const KIB = 1024;
const text = (content: string): NewEvent => ({ type: 'llm_chunk', ts: timestamp(), data: { content } });

test('a large resend does not count as waiting, queued or in flight, so it cannot overflow the backlog itself', () => {
  const published: string[] = [];
  let overflows = 0;
  const backlog = createBacklog({
    maxBytes: 64 * KIB,
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
