// What waits for the log, without a log: what counts as waiting.
import { expect, test } from 'vitest';
import { type NewEvent, timestamp } from '../../src/event/events.ts';
import { createBacklog } from '../../src/publish/backlog.ts';

const KIB = 1024;
const text = (content: string): NewEvent => ({ type: 'llm_chunk', ts: timestamp(), data: { content } });

test('a fold on its way out does not count, in flight neither: it would overflow by itself, and never get through', () => {
  const said: string[] = [];
  let overflows = 0;
  const backlog = createBacklog({
    maxBytes: 64 * KIB,
    startEvent: { type: 'agent_start', ts: timestamp(), data: { agentId: 'a' } },
    resendEvents: (queuedUnits) => [
      text(said.join('').slice(0, queuedUnits === 0 ? undefined : -queuedUnits)),
    ],
    onOverflow: () => {
      overflows += 1;
    },
  });
  const say = (content: string) => {
    said.push(content);
    backlog.push(text(content), true);
  };
  backlog.next();
  for (let i = 0; i < 20; i += 1) say('x'.repeat(8 * KIB));
  expect(overflows).toBeGreaterThan(0);
  backlog.acknowledge();
  const waiting = backlog.bytes;
  const fold = backlog.next()!;
  // More than may wait.
  expect(fold.items.reduce((sum, { bytes }) => sum + bytes, 0)).toBeGreaterThan(64 * KIB);
  expect(backlog.bytes).toBe(waiting);
  const before = overflows;
  say('y');
  expect(overflows).toBe(before);
});
