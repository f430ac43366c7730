// Summaries and details that a codec has encoded, without a server.
import { expect, test, vi } from 'vitest';
import type { Payload } from '../../../src/temporal/shared/payloads.ts';
import { decodeUserMetadata } from '../../../src/temporal/source/encoded-metadata.ts';

const payload = (text: string): Payload => ({ data: Buffer.from(text) });

test('all summaries and details of a page are decoded in one request, in place', async () => {
  const events = [
    { userMetadata: { summary: payload('a'), details: payload('b') } },
    {},
    { userMetadata: { details: payload('c') } },
  ];
  const decode = vi.fn(async (all: readonly Payload[]) => all.map(({ data }) => payload(`plain ${data}`)));
  await decodeUserMetadata(events, decode);
  expect(decode).toHaveBeenCalledOnce();
  expect(events).toEqual([
    { userMetadata: { summary: payload('plain a'), details: payload('plain b') } },
    {},
    { userMetadata: { details: payload('plain c') } },
  ]);
});

test('without metadata no codec is called, and a failure of the codec is reported', async () => {
  const decode = vi.fn(() => Promise.reject(new Error('no codec')));
  await decodeUserMetadata([{}, { userMetadata: null }, { userMetadata: {} }], decode);
  expect(decode).not.toHaveBeenCalled();
  await expect(decodeUserMetadata([{ userMetadata: { summary: payload('a') } }], decode)).rejects.toThrow(
    'no codec',
  );
});
