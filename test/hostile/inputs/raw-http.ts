// Invalid or nearly valid HTTP: request lines, headers, lengths, chunks, requests within requests, incomplete requests.
import fc from 'fast-check';
import type { World } from '../world.ts';
import { type HostileInput, requestBytes } from './input.ts';
import { hostileText, raw } from './text.ts';

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const HOST = 'Host: localhost\r\n';
const CLOSE = 'Connection: close\r\n';

const broken = (kind: string, pieces: readonly Buffer[], more: Partial<HostileInput> = {}): HostileInput => ({
  ...{ kind, api: 'http', pieces, isBroken: true },
  // After an invalid start, a request may never be complete, so the client ends the connection.
  ...{ isIncomplete: true, ...more },
});

const METHODS = [
  ...['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'M-SEARCH', 'PRI'],
  ...['get', '', 'G E T', 'GET\0', 'ÄTZEND', 'A'.repeat(5_000), 'QUERY', 'SOURCE', 'PURGE'],
];
const TARGETS = [
  ...[
    '*',
    'localhost:80',
    'http://localhost/',
    'http://[::1',
    'http://user:pass@evil.example/',
    '//evil.example/x',
  ],
  ...[
    '///',
    '/\\evil',
    'javascript:alert(1)',
    'file:///etc/passwd',
    '?',
    '#',
    '/#a',
    '/a b',
    '',
    '/%',
    '/./..//..',
  ],
  ...[`/${'a'.repeat(15_000)}`, `/${'a'.repeat(40_000)}`, `/?${'a=1&'.repeat(5_000)}`, '/\x7f', '/\xff'],
];
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/0.9',
  'HTTP/2.0',
  'HTTP/9.9',
  'http/1.1',
  'HTTP/1.',
  'ICE/1.0',
  '',
];

const requestLine = fc
  .tuple(
    fc.constantFrom(...METHODS),
    fc.oneof(fc.constantFrom(...TARGETS), hostileText.map(raw)),
    fc.constantFrom(...VERSIONS),
    fc.constantFrom('\r\n', '\n', '\r', '\r\n\r\n', '\0\r\n'),
  )
  .map(([method, target, version, end]) =>
    broken('request line', [latin1(`${method} ${target} ${version}${end}${HOST}${CLOSE}\r\n`)], {
      maxResponses: 2,
    }),
  );

const HEADERS = [
  ...[
    'Host: ',
    'Host: a b',
    'Host: evil.example:99999',
    'Host: localhost\r\nHost: evil.example',
    'Host: [::1',
  ],
  ...[
    'NoColon',
    ': empty',
    'Bad Name: x',
    'X\0: y',
    'X: a\0b',
    'X: a\r\n folded',
    'X: a\rb',
    'X: a\nEvil: b',
  ],
  ...[`X: ${'x'.repeat(15_000)}`, `X: ${'x'.repeat(100_000)}`, 'Cookie: '.padEnd(9_000, 'a=b; ')],
  ...['Expect: 100-continue', 'Expect: the-unexpected', 'Max-Forwards: -1', 'Range: bytes=0-,0-,0-'],
  ...['X-Forwarded-Host: evil.example', 'X-Forwarded-For: 127.0.0.1', 'X-HTTP-Method-Override: DELETE'],
  ...['Origin: null', 'Origin: \xff', 'If-None-Match: *', 'Accept-Encoding: gzip;q=0, *;q=0', 'Te: trailers'],
  ...['__proto__: x', 'constructor: y', 'Content-Type: \xff\xfe', 'Connection: Authorization, Host'],
];

const headers = fc
  .tuple(
    fc.array(
      fc.oneof(
        fc.constantFrom(...HEADERS),
        hostileText.map((text) => `X-T: ${text}`),
      ),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
    fc.constantFrom('/', '/graphql', '/api/v0/executions/agents/acme-live', '/health/live'),
    fc.constantFrom(0, 0, 0, 200, 3_000),
  )
  .map(([lines, path, many]) => {
    const flood = Array.from({ length: many }, (_, i) => `X-${i}: ${i}\r\n`).join('');
    const text = `GET ${path} HTTP/1.1\r\n${lines.some((l) => l.startsWith('Host')) ? '' : HOST}`;
    return broken('header', [Buffer.from(`${text}${lines.join('\r\n')}\r\n${flood}${CLOSE}\r\n`)]);
  });

const INNER = `GET /api/v0/executions/agents/globex-live HTTP/1.1\r\n${HOST}${CLOSE}\r\n`;
const LENGTHS = [
  '-1',
  '+5',
  '5, 5',
  '5\r\nContent-Length: 6',
  '0x5',
  '5 ',
  '',
  '99999999999999999999',
  '1e3',
  'five',
];
const ENCODINGS = [
  ...[
    'chunked',
    'Chunked',
    'chunked, identity',
    'identity',
    ' chunked',
    'x chunked',
    '\x0bchunked',
    'gzip, chunked',
  ],
  ...['chunked\r\nTransfer-Encoding: identity', 'chunked, chunked'],
];
const BODIES = [
  ...['0\r\n\r\n', '5\r\nhello\r\n0\r\n\r\n', '5\r\nhello', '-1\r\n', 'fffffffffffffffff\r\n', 'ZZ\r\n'],
  ...[
    '5;ext="\n"\r\nhello\r\n0\r\n\r\n',
    '0\r\nX: y\r\n\r\n',
    '5\nhello\n0\n\n',
    '0x5\r\nhello\r\n0\r\n\r\n',
  ],
  ...[`1;${'e'.repeat(20_000)}\r\na\r\n0\r\n\r\n`, '1\r\na\r\n'.repeat(3_000), '', 'hello'],
];

/** Parsers that use the length and parsers that use the chunks must not see different requests. */
const smuggling = fc
  .tuple(
    fc.option(fc.constantFrom(...LENGTHS, '5', '60', '0'), { nil: undefined }),
    fc.option(fc.constantFrom(...ENCODINGS), { nil: undefined }),
    fc.constantFrom(...BODIES),
    fc.boolean(),
    fc.constantFrom('/graphql', '/api/v0/stream-tokens', '/', '/api/v0/executions/agents/x/events'),
  )
  .map(([length, encoding, body, isFollowed, path]) => {
    const head = [
      ...[`POST ${path} HTTP/1.1`, 'Host: localhost', 'Content-Type: application/json'],
      ...(length === undefined ? [] : [`Content-Length: ${length}`]),
      ...(encoding === undefined ? [] : [`Transfer-Encoding: ${encoding}`]),
    ];
    const bytes = latin1(`${head.join('\r\n')}\r\n\r\n${body}${isFollowed ? INNER : ''}`);
    // After an unambiguous body, the inner request is separate and has a response; with two framings, it must not.
    const isAmbiguous = length !== undefined && encoding !== undefined;
    return broken('framing', [bytes], { maxResponses: isFollowed && !isAmbiguous ? 2 : 1 });
  });

/** The default of MAX_PIPELINED_REQUESTS (docs/configuration.md). */
const MAX_PIPELINED = 16;

const pipelining = (world: World) =>
  fc
    .tuple(
      fc.integer({ min: 2, max: 40 }),
      fc.constantFrom('/', '/nope', '/health/live', '/api/v0/executions/agents/x'),
    )
    .map(([count, path]): HostileInput => {
      const head = `GET ${path} HTTP/1.1\r\n${HOST}Authorization: Bearer ${world.jwt}\r\n`;
      const text = [...Array<string>(count - 1).fill(head), head + CLOSE]
        .map((lines) => `${lines}\r\n`)
        .join('');
      return {
        ...{ kind: 'pipelining', api: 'rest', pieces: [latin1(text)], maxResponses: count },
        // A server may close a connection that has too many pending requests.
        isBroken: count > MAX_PIPELINED,
      };
    });

const partialRequest = (world: World) =>
  fc
    .tuple(
      fc.constantFrom(
        requestBytes({
          headers: { Authorization: `Bearer ${world.jwt}` },
          path: `/api/v0/executions/${world.own[0]}`,
        }),
        requestBytes({ path: '/graphql', body: '{"query":"{ __typename }"}' }),
        requestBytes({ method: 'PUT', path: '/api/v0/executions/agents/half', body: '{"mode":"TEXT"}' }),
      ),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1, max: 5 }),
    )
    .map(([complete, share, parts]) => {
      const cut = complete.subarray(0, Math.floor(share * (complete.length - 1)));
      const size = Math.ceil(cut.length / parts);
      const pieces = Array.from({ length: parts }, (_, i) => cut.subarray(i * size, (i + 1) * size));
      return broken('partial request', pieces);
    });

const UPGRADES = ['websocket', 'h2c', 'TLS/1.0', 'foo/2, bar', '\xff', 'websocket, websocket'];
const upgrade = fc
  .tuple(
    fc.constantFrom(...UPGRADES),
    fc.constantFrom('/graphql', '/', '/graphql/stream', '/api/v0/executions/agents/x/stream'),
  )
  .map(([protocol, path]) => {
    const lines = [
      `GET ${path} HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings, close`,
      `Upgrade: ${protocol}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13`,
      'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
    ];
    return broken('upgrade', [latin1(`${lines.join('\r\n')}\r\n\r\n\x81\x05hello`)]);
  });

const noise = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    // A TLS hello, the preface of HTTP/2, and greetings of other protocols.
    fc.constantFrom(
      Buffer.from('16030100c8010000c40303', 'hex'),
      latin1('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      latin1('EHLO evil.example\r\n'),
      latin1('*1\r\n$4\r\nPING\r\n'),
    ),
  )
  .map((bytes) => broken('noise', [bytes]));

export function rawHttp(world: World): fc.Arbitrary<HostileInput> {
  return fc.oneof(requestLine, headers, smuggling, pipelining(world), partialRequest(world), upgrade, noise);
}
