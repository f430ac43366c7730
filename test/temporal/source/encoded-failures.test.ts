// The messages of encoded failures are decoded wherever a history event has a failure.
import { expect, test } from 'vitest';
import type { Payload } from '../../../src/temporal/shared/payloads.ts';
import { decodeFailures } from '../../../src/temporal/source/encoded-failures.ts';

const encoder = new TextEncoder();
const encoded = (attributes: unknown, cause?: object) => ({
  message: 'Encoded failure',
  encodedAttributes: {
    metadata: { encoding: encoder.encode('json/plain') },
    data: encoder.encode(JSON.stringify(attributes)),
  },
  ...(cause && { cause }),
});
const asTheyAre = async (payloads: readonly Payload[]) => payloads;

test('in attributes of events, pending activities, outcomes and causes, with one call', async () => {
  const items = [
    { eventId: 1, activityTaskFailedEventAttributes: { failure: encoded({ message: 'one' }) } },
    { workflowExecutionStartedEventAttributes: { continuedFailure: encoded({ message: 'two' }) } },
    {
      workflowExecutionUpdateCompletedEventAttributes: {
        outcome: { failure: encoded({ message: 'three' }) },
      },
    },
    { lastFailure: { message: 'outer', cause: encoded({ message: 'four' }, encoded({ message: 'five' })) } },
    { timerFiredEventAttributes: { timerId: '1' } },
  ];
  let calls = 0;
  await decodeFailures(items, (payloads) => {
    calls += 1;
    return asTheyAre(payloads);
  });
  expect(calls).toBe(1);
  const text = JSON.stringify(items);
  for (const word of ['one', 'two', 'three', 'four', 'five']) expect(text).toContain(`"message":"${word}"`);
  expect(text).not.toContain('Encoded failure');
});

test('nothing is decoded without an encoded failure', async () => {
  const fail = () => Promise.reject(new Error('called'));
  await decodeFailures([{ activityTaskFailedEventAttributes: { failure: { message: 'm' } } }, {}], fail);
});

test.each([null, 'text', { message: 7 }, {}])(
  "a failure whose attributes are %j keeps Temporal's message",
  async (attributes) => {
    const item = { failure: encoded(attributes) };
    await decodeFailures([item], asTheyAre);
    expect(item.failure.message).toBe('Encoded failure');
  },
);

test('fails if the codec fails, because the message must be the same at every read', async () => {
  const fail = () => Promise.reject(new Error('codec server down'));
  await expect(decodeFailures([{ failure: encoded({ message: 'm' }) }], fail)).rejects.toThrow(
    'codec server',
  );
});
