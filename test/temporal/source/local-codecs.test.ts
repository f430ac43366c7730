// Payloads that the codecs of a data converter have encoded.
import type { PayloadCodec } from '@temporalio/common';
import { expect, test } from 'vitest';
import type { Payload } from '../../../src/temporal/shared/payloads.ts';
import { addCodecs, type Codec, NO_CODEC } from '../../../src/temporal/source/codec.ts';

const payloadOf = (text: string): Payload => ({ data: Buffer.from(text) });
const textsOf = (payloads: readonly Payload[]) => payloads.map(({ data }) => Buffer.from(data!).toString());

/** A codec that encodes by a prefix. */
const prefix = (name: string): PayloadCodec => ({
  encode: async (payloads) => payloads.map(({ data }) => payloadOf(`${name}(${Buffer.from(data!)}`)),
  decode: async (payloads) =>
    payloads.map(({ data }) => {
      const text = Buffer.from(data!).toString();
      if (!text.startsWith(`${name}(`)) throw new Error(`${text} does not start with ${name}`);
      return payloadOf(text.slice(name.length + 1));
    }),
});

test('codecs decode in the opposite order, after the codec server', async () => {
  const server: Codec = async (namespace, payloads) =>
    payloads.map(({ data }) => payloadOf(Buffer.from(data!).toString().replace(`${namespace}:`, '')));
  const codec = addCodecs(server, [prefix('zip'), prefix('seal')]);
  expect(textsOf(await codec('ns', [payloadOf('ns:seal(zip(a'), payloadOf('ns:seal(zip(b')]))).toEqual([
    'a',
    'b',
  ]);
});

test('without codecs, payloads stay as they are', async () => {
  expect(textsOf(await addCodecs(NO_CODEC)('ns', [payloadOf('a')]))).toEqual(['a']);
});

test.each([
  ['throws', prefix('zip')],
  ['returns fewer payloads', { encode: async () => [], decode: async () => [] }],
])('a codec that %s makes the payloads undecodable', async (_, codec) => {
  await expect(addCodecs(NO_CODEC, [codec])('ns', [payloadOf('a')])).rejects.toMatchObject({
    name: 'TemporalError',
    condition: 'undecodable',
  });
});
