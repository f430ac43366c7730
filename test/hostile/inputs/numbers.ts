// Numbers and times at the limits of JSON, JavaScript, Postgres and RFC 3339.
import fc from 'fast-check';
import type { World } from '../world.ts';
import { type HostileInput, requestBytes } from './input.ts';
import { encode } from './text.ts';

/** Numbers as JSON, and texts that only look like it. */
const number = fc.constantFrom(
  ...['0', '-0', '-1', '1.5', '1e0', '1E+2', '2147483646', '2147483647', '2147483648', '4294967296'],
  ...['9007199254740991', '9007199254740993', '1e308', '-1e308', '1e309', '1e-400', '5e-324', '1e400'],
  ...['NaN', 'Infinity', '-Infinity', '"NaN"', '"1"', '0x10', '01', '.5', '5.', '+1', '1_000', '1n', '--1'],
  ...['1'.repeat(400), `0.${'1'.repeat(400)}`, '1e99999', 'null', 'true', '[]', '""', '٣', '"1e3"'],
);

/** Times too far from now for an event: they must not be stored. */
const FAR_TIMES = [
  ...['0000-01-01T00:00:00Z', '0000-12-31T23:59:59.999Z', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z'],
  ...[
    '9999-12-31T23:59:59-23:59',
    '0000-01-01T00:00:00+23:59',
    '+275760-09-13T00:00:00Z',
    '1969-12-31T23:59:59Z',
  ],
  ...['-000001-01-01T00:00:00Z', '+010000-01-01T00:00:00Z', '10000-01-01T00:00:00Z', '1970-01-01T00:00:00Z'],
];
const OTHER_TIMES = [
  ...['2016-12-31T23:59:60Z', '2026-06-30T23:59:60+00:00', '2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z'],
  ...[
    '2026-11-28T24:00:00Z',
    '2026-11-28T00:00:00+99:99',
    '2026-11-28T00:00:00+24:00',
    '2026-11-28T00:00:00-00:00',
  ],
  ...[
    '2026-11-28T00:00:00+14:00',
    '2026-11-28T00:00:00',
    '2026-11-28',
    '20261128T000000Z',
    '2026-W48-6',
    '1e3',
  ],
  ...[
    '2026-11-28t00:00:00z',
    '2026-11-28 00:00:00Z',
    '2026-11-28T00:00Z',
    `2026-11-28T00:00:00.${'1'.repeat(300)}Z`,
  ],
  ...['٢٠٢٦-11-28T00:00:00Z', '', ' ', 'now', 'Invalid Date', '\0', '2026-11-28T00:00:00Z\n'],
];

const expectRejected = (allowed: readonly number[]) => (statuses: readonly number[]) =>
  statuses.some((status) => allowed.includes(status)) ? `was accepted (${statuses.join(', ')})` : undefined;

export function numbers(world: World): fc.Arbitrary<HostileInput> {
  const auth = { Authorization: `Bearer ${world.jwt}` };
  const json = { ...auth, 'Content-Type': 'application/json' };
  const target = (which: number) => {
    const { path, token } = world.published[which]!;
    return { path: `/api/v0/executions/${path}/events`, token };
  };
  const append = (
    which: number,
    key: string,
    event: string,
    more: Partial<HostileInput> = {},
  ): HostileInput => {
    const { path, token } = target(which);
    const headers = { ...json, 'Idempotency-Key': key, 'Publisher-Token': token };
    const body = `{"events":[${event}]}`;
    return { kind: 'odd number', api: 'rest', pieces: [requestBytes({ path, headers, body })], ...more };
  };

  const times = fc
    .tuple(fc.constantFrom(...FAR_TIMES, ...FAR_TIMES, ...OTHER_TIMES), fc.uuid())
    .map(([ts, key]) =>
      append(0, key, JSON.stringify({ type: 'llm_chunk', data: { content: 'x' }, ts }), {
        kind: 'odd time',
        ...(FAR_TIMES.includes(ts) && { expects: expectRejected([200]) }),
      }),
    );
  const fields = fc
    .tuple(
      number,
      fc.uuid(),
      fc.constantFrom<(value: string) => string>(
        (value) =>
          `{"type":"tool_call","data":{"toolCallId":"t","toolName":"n","status":"failed","durationMs":${value}}}`,
        (value) =>
          `{"type":"tool_call","data":{"toolCallId":"t","toolName":"n","status":"started","args":${value}}}`,
        (value) => `{"type":"complete","data":{"durationMs":${value}}}`,
        (value) => `{"type":"complete","data":{"result":${value}}}`,
        (value) =>
          `{"type":"complete","data":{"usage":{"inputTokens":${value},"outputTokens":1,"totalTokens":1,"costUsd":${value}}}}`,
        (value) => `{"type":"llm_chunk","data":{"content":"x"},"ts":${value}}`,
        (value) => `{"type":"structured_delta","data":{"patch":[{"op":"add","path":"","value":${value}}]}}`,
        (value) =>
          `{"type":"structured_delta","data":{"patch":[{"op":"add","path":"","value":[${value}]},{"op":"test","path":"/0","value":${value}}]}}`,
      ),
    )
    .map(([value, key, make]) => append(make('1').includes('structured') ? 1 : 0, key, make(value)));
  const attempts = fc.tuple(number, fc.nat({ max: 9_999 })).map(([value, n]): HostileInput => {
    const path = `/api/v0/executions/agents/acme-attempt-${n}`;
    const isFar = ['2147483646', '2147483647'].includes(value);
    return {
      kind: 'odd number',
      api: 'rest',
      pieces: [
        requestBytes({ method: 'PUT', path, headers: json, body: `{"mode":"TEXT","attempt":${value}}` }),
      ],
      // A next attempt would exceed the range of the number.
      ...(isFar && { expects: expectRejected([201]) }),
    };
  });
  const headers = fc
    .tuple(number, fc.uuid(), fc.constantFrom('Publisher-Head', 'Content-Length', 'Last-Event-ID'))
    .map(([value, key, name]): HostileInput => {
      const { path, token } = target(0);
      const text = value.replaceAll('"', '');
      const sent = { ...json, 'Idempotency-Key': key, 'Publisher-Token': token };
      if (name === 'Content-Length') {
        const lines = [`POST ${path} HTTP/1.1`, 'Host: localhost', `Content-Length: ${text}`, '', '{}'];
        const pieces = [Buffer.from(lines.join('\r\n'))];
        return {
          kind: 'odd number',
          api: 'rest',
          pieces,
          isBroken: true,
          isIncomplete: true,
          maxResponses: 2,
        };
      }
      const bytes =
        name === 'Last-Event-ID'
          ? requestBytes({
              path: `/api/v0/executions/${world.own[0]}/stream`,
              headers: { ...auth, [name]: ascii(text) },
            })
          : requestBytes({ path, headers: { ...sent, [name]: ascii(text) }, body: '{"events":[]}' });
      return { kind: 'odd number', api: 'rest', pieces: [bytes] };
    });
  const queries = fc
    .tuple(
      number,
      fc.constantFrom<(value: string) => { query: string; variables?: string }>(
        (value) => ({ query: `{executions(first:${value}){edges{cursor}}}` }),
        (value) => ({
          query: 'query($n:Int){executions(first:$n){edges{cursor}}}',
          variables: `{"n":${value}}`,
        }),
        (value) => ({ query: `subscription{agentStream(id:"acme-live",pollMs:${value}){id}}` }),
        (value) => ({
          query: 'subscription($a:Cursor,$p:Int){agentStream(id:"acme-live",after:$a,pollMs:$p){id}}',
          variables: `{"a":${value},"p":${value}}`,
        }),
      ),
    )
    .map(([value, make]): HostileInput => {
      const { query, variables } = make(value);
      const body = `{"query":${JSON.stringify(query)}${variables ? `,"variables":${variables}` : ''}}`;
      const sent = { ...json, Accept: query.startsWith('sub') ? 'text/event-stream' : 'application/json' };
      return {
        kind: 'odd number',
        api: 'graphql',
        pieces: [requestBytes({ path: '/graphql', headers: sent, body })],
      };
    });
  const parameters = fc
    .tuple(number, fc.constantFrom('poll_ms', 'last_event_id'))
    .map(([value, name]): HostileInput => {
      const path = `/api/v0/executions/${world.own[0]}/stream?${name}=${encode(value.replaceAll('"', ''))}`;
      return { kind: 'odd number', api: 'rest', pieces: [requestBytes({ path, headers: auth })] };
    });

  return fc.oneof(times, times, fields, fields, attempts, headers, queries, parameters);
}

/** Removes the characters outside ASCII, which a header cannot contain. */
function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '');
}
