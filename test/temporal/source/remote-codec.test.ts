// Payloads that a codec has encoded are decoded by a codec server, over HTTP.
import { expect, test } from 'vitest';
import type { Payload } from '../../../src/temporal/shared/payloads.ts';
import { createRemoteCodec } from '../../../src/temporal/source/remote-codec.ts';
import { encryption, startCodecServer } from './codec-server.ts';

const encoder = new TextEncoder();
const json = (value: unknown): Payload => ({
  metadata: { encoding: encoder.encode('json/plain') },
  data: encoder.encode(JSON.stringify(value)),
});
const textOf = ({ data }: Payload) => new TextDecoder().decode(data!);

function recordingLogger() {
  const lines: string[] = [];
  const log = (_fields: object, line: string) => void lines.push(line);
  return { lines, logger: { error: log, info: log } };
}

test('sends encoded payloads alone, in one request, and keeps the order', async () => {
  await using server = await startCodecServer();
  const headers = { authorization: 'Bearer t', 'x-team': 'a' };
  const codec = createRemoteCodec(
    { endpoint: `${server.url}/{namespace}/`, headers },
    recordingLogger().logger,
  );
  const [first, second] = await encryption.encode([json('one'), json({ two: 'ü' })]);
  const decoded = await codec('a b', [first!, json('plain'), second!]);
  expect(decoded.map(textOf)).toEqual(['"one"', '"plain"', '{"two":"ü"}']);
  expect(server.requests).toMatchObject([
    {
      path: '/a%20b/decode',
      headers: { ...headers, 'x-namespace': 'a b', 'content-type': 'application/json' },
    },
  ]);
});

test('sends nothing if every payload is plain', async () => {
  await using server = await startCodecServer();
  const codec = createRemoteCodec({ endpoint: server.url, headers: {} }, recordingLogger().logger);
  const payloads = [json(1), { metadata: { encoding: encoder.encode('binary/null') } }, {}];
  expect(await codec('default', payloads)).toEqual(payloads);
  expect(server.requests).toEqual([]);
});

test.each([
  [401, '', /status 401/],
  [200, '<html>', /JSON/],
  [200, 'null', /expected a list of 1 payloads/],
  [200, '{"payloads":[]}', /expected a list of 1 payloads/],
])('rejects, and logs once, when the codec server responds with %i %s', async (status, body, cause) => {
  await using server = await startCodecServer();
  const { lines, logger } = recordingLogger();
  const codec = createRemoteCodec({ endpoint: server.url, headers: {} }, logger);
  const encoded = await encryption.encode([json(1)]);
  server.failure = { status, body };
  for (let i = 0; i < 2; i += 1) {
    await expect(codec('default', encoded)).rejects.toMatchObject({ condition: 'undecodable' });
  }
  expect(lines).toEqual([expect.stringMatching(/^codec server unavailable: /)]);
  expect(lines[0]).toMatch(cause);
  server.failure = undefined;
  expect((await codec('default', encoded)).map(textOf)).toEqual(['1']);
  expect(lines[1]).toMatch(/^codec server available again/);
});

test('payloads without data or with unreadable fields decode to empty ones', async () => {
  await using server = await startCodecServer();
  const codec = createRemoteCodec({ endpoint: server.url, headers: {} }, recordingLogger().logger);
  const encoded = { metadata: { encoding: encoder.encode('binary/other') } };
  server.failure = { status: 200, body: '{"payloads":[null]}' };
  expect(await codec('default', [encoded])).toEqual([{ metadata: {}, data: Buffer.alloc(0) }]);
});
