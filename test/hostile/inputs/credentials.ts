// Invalid credentials: forged and mangled tokens, and valid ones in the wrong place.
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { sharedKey, type World } from '../world.ts';
import { type HostileInput, requestBytes } from './input.ts';
import { asHeader, encode, hostileText, hostileValue } from './text.ts';

const b64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toString('base64url');

/** A JWT signed with a key, or with an empty signature. */
function signed(header: unknown, claims: unknown, key: string | undefined): string {
  const content = `${b64(header)}.${b64(claims)}`;
  return `${content}.${key === undefined ? '' : createHmac('sha256', key).update(content).digest('base64url')}`;
}

const header = fc.oneof(
  fc.constantFrom<unknown>(
    { alg: 'none' },
    { alg: 'None' },
    { alg: 'HS256', typ: 'JWT' },
    { alg: 'RS256' },
    { alg: 'HS256', b64: false, crit: ['b64'] },
    { alg: 'HS256', jwk: { kty: 'oct', k: 'AAAA' } },
    { alg: 'HS256', kid: '../../../../dev/null', jku: 'http://127.0.0.1:1/' },
    { alg: 'HS256', crit: ['nope'], nope: true },
    { alg: ['HS256'] },
    { alg: '__proto__' },
    'not an object',
  ),
  hostileValue,
);

const EXP = Math.floor(Date.now() / 1_000) + 86_400;
const claims = fc.oneof(
  fc.record(
    {
      sub: fc.constantFrom<unknown>('bob', 1, '', null, {}),
      exp: fc.constantFrom<unknown>(EXP, 1, '2030', 1e99, null),
      tenant: fc.constantFrom<unknown>('globex', 'acme', 1, [], {}, ''),
      scope: hostileValue,
      executions: hostileValue,
    },
    { requiredKeys: [] },
  ),
  hostileValue,
);

/** Tokens signed with the right key that must be rejected for their claims; `sub` or `exp` is invalid in each. */
const rightKey = fc
  .record({
    sub: fc.constantFrom<unknown>('', 1, null, [], {}, undefined),
    exp: fc.constantFrom<unknown>(EXP, 1, 'x', null),
    tenant: fc.constantFrom<unknown>('globex', 1, null),
    nbf: fc.constantFrom<unknown>(EXP, 'x', undefined),
  })
  .map((invalidClaims) => signed({ alg: 'HS256' }, invalidClaims, sharedKey));

function mangled(token: string): fc.Arbitrary<string> {
  return fc
    .tuple(fc.nat({ max: token.length - 1 }), fc.constantFrom('cut', 'flip', 'swap', 'strip', 'again'))
    .map(([at, mutation]) => {
      if (mutation === 'cut') return token.slice(0, at);
      if (mutation === 'strip') return `${token.slice(0, token.lastIndexOf('.'))}.`;
      if (mutation === 'again') return `${token}.${token}`;
      if (mutation === 'swap') return token.split('.').reverse().join('.');
      return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
    });
}

const TARGETS = [
  '/api/v0/executions/agents/globex-live',
  '/api/v0/executions/agents/globex-live/stream',
  '/graphql?query={__typename}',
  '/api/v0/stream-tokens',
  '/graphql/stream',
];

export function credentials(world: World): fc.Arbitrary<HostileInput> {
  const token = fc.oneof(
    fc
      .tuple(header, claims, fc.constantFrom(undefined, '', 'another key', 'secret'))
      .map(([h, c, key]) => signed(h, c, key)),
    rightKey,
    mangled(world.jwt),
    mangled(world.streamToken),
    hostileText,
    fc.constantFrom(
      '.',
      '..',
      '...',
      'e30.e30.',
      `${'A'.repeat(7_000)}.${'A'.repeat(7_000)}.A`,
      '.'.repeat(10_000),
    ),
    fc.stringMatching(/^[\w-]{43}$/),
  );
  return fc
    .tuple(
      token,
      fc.constantFrom('bearer', 'bearer', 'bearer', 'scheme', 'query', 'cookie', 'two'),
      fc.constantFrom(...TARGETS),
      hostileText,
    )
    .map(([value, way, path, scheme]) => {
      const shown = asHeader(value);
      if (value.length > 30) world.secrets.add(value);
      const ways: Record<string, Record<string, string>> = {
        bearer: { Authorization: `Bearer ${shown.value}` },
        scheme: { Authorization: `${asHeader(scheme).value} ${shown.value}` },
        query: {},
        cookie: { Cookie: `execstream_token=${shown.value}; execstream_token=${shown.value}` },
        two: { Authorization: `Bearer ${shown.value}`, authorization: `Bearer ${shown.value}` },
      };
      const target =
        way === 'query'
          ? `${path}${path.includes('?') ? '&' : '?'}access_token=${encode(value).slice(0, 9_000)}`
          : path;
      const isBroken = (way !== 'query' && shown.isBroken) || (way === 'scheme' && asHeader(scheme).isBroken);
      const headers = { ...ways[way]!, Origin: 'http://evil.example' };
      return {
        kind: 'credentials',
        api: path.startsWith('/graphql') ? 'graphql' : 'rest',
        isBroken,
        pieces: [requestBytes({ path: target, headers })],
      };
    });
}
