// Bodies of REST requests: invalid JSON, requests for executions and tokens, batches of events.
import fc from 'fast-check';
import { EVENT_TYPES } from '../../../src/event/events.ts';
import type { World } from '../world.ts';
import { type HostileInput, requestBytes } from './input.ts';
import { asHeader, hostileJson, hostileText, hostileValue } from './text.ts';

const type = fc.oneof(fc.constantFrom<string>(...EVENT_TYPES, 'nope', '__proto__', 'toString'), hostileText);

const operation = fc.record(
  {
    op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', '_get', 'constructor', ''),
    path: fc.oneof(
      fc.constantFrom(
        '',
        '/',
        '/a',
        '/-',
        '/__proto__/x',
        '/constructor/prototype/x',
        '/a~2',
        'a',
        '/1e9',
        '/4294967295',
      ),
      hostileText,
    ),
    from: fc.constantFrom('', '/a', '/__proto__', '/nope'),
    value: hostileValue,
  },
  { requiredKeys: ['op', 'path'] },
);

const number = fc.constantFrom(-1, 0, 1, 1.5, 2 ** 31, 2 ** 53, 1e300);

/** Data like that of each event type, mostly with something invalid. */
const data: fc.Arbitrary<unknown> = fc.oneof(
  fc.record(
    {
      content: fc.oneof(hostileText, hostileValue),
      patch: fc.array(operation, { maxLength: 5 }),
      seq: number,
      id: hostileText,
    },
    { requiredKeys: [] },
  ),
  fc.record({ content: hostileText }),
  fc.record({ patch: fc.array(operation, { maxLength: 8 }) }),
  fc.record({ code: hostileText, message: hostileText }),
  fc.record(
    {
      status: fc.constantFrom('SUCCESS', 'FAILED', 'RUNNING', 'NOPE', ''),
      result: hostileValue,
      message: hostileText,
      durationMs: number,
      usage: hostileValue,
    },
    { requiredKeys: [] },
  ),
  fc.record({
    toolCallId: hostileText,
    toolName: hostileText,
    status: fc.constantFrom('started', 'failed'),
    args: hostileValue,
    durationMs: number,
  }),
  fc.record({ fromSeq: number, toSeq: number, reason: hostileText }, { requiredKeys: [] }),
  hostileValue,
);

const event = fc.record(
  {
    type,
    data,
    ts: fc.oneof(
      hostileText,
      fc.constantFrom('2026-01-01T00:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59+23:59'),
    ),
    seq: number,
    id: hostileText,
  },
  { requiredKeys: ['type', 'data'] },
);

const batch = fc.oneof(
  { weight: 8, arbitrary: fc.array(event, { maxLength: 6 }).map((events) => JSON.stringify({ events })) },
  { weight: 2, arbitrary: hostileJson },
  { weight: 2, arbitrary: hostileValue.map((events) => JSON.stringify({ events })) },
  {
    weight: 1,
    // A client that sends more than 8 MiB is disconnected, and may not get the response.
    arbitrary: fc
      .tuple(fc.constantFrom(1, 900, 1_001, 6_000), data)
      .map(([count, each]) =>
        JSON.stringify({ events: Array.from({ length: count }, () => ({ type: 'llm_chunk', data: each })) }),
      )
      .filter((text) => text.length < 1_000_000),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(60_000, 200_000, 300_000, 1_000_000)
      .map((length) =>
        JSON.stringify({ events: [{ type: 'llm_chunk', data: { content: 'é'.repeat(length / 2) } }] }),
      ),
  },
);

const parent = fc.constantFrom('globex-live', 'globex-flow', 'acme-flow', 'acme-begun-1');

const begin = fc.oneof(
  fc
    .record(
      {
        mode: fc.constantFrom<unknown>('TEXT', 'STRUCTURED', 'NOPE', null),
        attempt: fc.oneof(number, hostileValue),
        name: hostileText,
        agentId: hostileText,
        action: hostileText,
        parentId: fc.oneof(parent, hostileText),
        input: hostileValue,
        tenant: fc.constantFrom<unknown>('acme', 'globex', '', null, '__proto__'),
        nope: hostileValue,
      },
      { requiredKeys: ['mode'] },
    )
    .map((value) => JSON.stringify(value)),
  // Well-formed except for one field.
  fc
    .tuple(
      fc.constantFrom('name', 'action', 'input', 'parentId', 'tenant', 'attempt', 'agentId'),
      hostileValue,
      parent,
    )
    .map(([field, value, parentId]) => JSON.stringify({ mode: 'TEXT', parentId, [field]: value })),
  fc
    .tuple(hostileText, hostileValue)
    .map(([name, input]) => JSON.stringify({ mode: 'STRUCTURED', name, input })),
  hostileJson,
);

const tokenRequest = fc.oneof(
  hostileJson,
  fc
    .subarray(['acme-live', 'acme-done', 'acme-flow', 'globex-live', 'nope'])
    .map((executions) => JSON.stringify({ executions, cookie: executions.length % 2 === 0 })),
  fc
    .record(
      {
        executions: fc.oneof(fc.array(hostileText, { maxLength: 120 }), hostileValue),
        cookie: hostileValue,
        token: hostileValue,
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value)),
);

const encoding = fc.constantFrom<(text: string) => Buffer>(
  (text) => Buffer.from(text),
  (text) => Buffer.from(text),
  (text) => Buffer.from(text),
  (text) => Buffer.from(text, 'utf16le'),
  (text) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]),
  (text) => Buffer.concat([Buffer.from(text), Buffer.from([0xc3, 0x28, 0xff, 0x00])]),
  (text) => Buffer.from(text, 'latin1'),
);

export function publishing(world: World): fc.Arbitrary<HostileInput> {
  const json = { Authorization: `Bearer ${world.jwt}`, 'Content-Type': 'application/json' };
  const rest = (kind: string, method: string, path: string, body: Buffer, headers = {}): HostileInput => ({
    kind,
    api: 'rest',
    pieces: [requestBytes({ method, path, headers: { ...json, ...headers }, body })],
  });

  const appending = fc
    .tuple(
      fc.nat({ max: 1 }),
      batch,
      encoding,
      fc.oneof(fc.constantFrom('k1', 'k2', 'k3'), fc.uuid(), hostileText),
      fc.integer({ min: 0, max: 9 }),
      hostileText,
    )
    .map(([which, text, encoded, key, chance, wrong]): HostileInput => {
      // Looked up for each input, because every batch of inputs has other executions.
      const { path, token } = world.published[which]!;
      const [keyHeader, tokenHeader] = [asHeader(key), asHeader(chance === 0 ? wrong : token)];
      const headers = { 'Idempotency-Key': keyHeader.value, 'Publisher-Token': tokenHeader.value };
      const input = rest(
        'batch of events',
        'POST',
        `/api/v0/executions/${path}/events`,
        encoded(text),
        headers,
      );
      return { ...input, isBroken: keyHeader.isBroken || tokenHeader.isBroken };
    });
  const beginning = fc
    .tuple(begin, encoding, fc.constantFrom('agents', 'tasks', 'workflows'), fc.nat({ max: 40 }))
    .map(([text, encoded, kind, n]) =>
      rest('begin', 'PUT', `/api/v0/executions/${kind}/acme-begun-${n}`, encoded(text)),
    );
  const tokens = fc
    .tuple(tokenRequest, encoding, fc.constantFrom('', '/revoke', '/nope'))
    .map(([text, encoded, end]) =>
      rest('stream token', 'POST', `/api/v0/stream-tokens${end}`, encoded(text)),
    );

  return fc.oneof(
    { weight: 4, arbitrary: appending },
    { weight: 2, arbitrary: beginning },
    { weight: 1, arbitrary: tokens },
  );
}
