// Envelopes in Redis, which other clients may have written.
import { expect, test } from 'vitest';
import { toEvent } from '../../src/log/redis/envelope.ts';

const EPOCH = 'k3f9ab01zz';
const envelope = (change: object) => ({
  ...{ id: `2-${EPOCH}`, seq: 2, type: 'llm_chunk', ts: '2026-11-05T10:00:00.000Z', attempt: 1 },
  ...{ data: { content: '\n' } },
  ...change,
});

test.each(['\r', '\ud83d'])('the half that a chunk completes is kept: %j', (completes) => {
  expect(toEvent(envelope({ completes }), 'a1')).toMatchObject({ completes });
});

test.each(['', '\n', '\ude00', 'a\r', 5, null, ['\r']])(
  'any other value of `completes` is ignored: %j',
  (completes) => {
    expect(toEvent(envelope({ completes }), 'a1')).toEqual({ ...envelope({}), executionId: 'a1' });
  },
);
