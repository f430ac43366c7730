// JSON Web Tokens: which are accepted, by which key, and how their claims become the caller.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  exportJWK,
  type GenerateKeyPairOptions,
  generateKeyPair,
  type JWK,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createJwtCheck } from '../../src/server/auth/jwt.ts';
import { SHARED_KEY, tokenOf } from './guarded.ts';

const now = () => Math.floor(Date.now() / 1_000);
const unauthenticated = (message: RegExp | string) =>
  expect.objectContaining({ code: 'UNAUTHENTICATED', message: expect.stringMatching(message) });

describe('a shared key', () => {
  const check = createJwtCheck({ key: { shared: SHARED_KEY }, issuer: 'idp', audience: 'streams' });
  const sound = { iss: 'idp', aud: 'streams' };

  test('claims become the caller', async () => {
    const token = await tokenOf({ ...sound, sub: 'ann', tenant: 'acme', scope: 'openid read publish' });
    expect(await check(token)).toMatchObject({ id: 'ann', tenant: 'acme', scopes: ['read', 'publish'] });
    const narrow = await tokenOf({ ...sound, executions: ['a1', 'u7/*'], scope: 'execstream:read' });
    expect(await check(narrow)).toMatchObject({ executions: ['a1', 'u7/*'], scopes: ['read'] });
    expect((await check(await tokenOf(sound))).scopes).toEqual(['read']);
    expect((await check(await tokenOf({ ...sound, scope: 'openid' }))).scopes).toEqual([]);
  });

  test('the names of the tenant and executions claims are configurable', async () => {
    const named = createJwtCheck({
      key: { shared: SHARED_KEY },
      tenantClaim: 'https://x.example/org',
      executionsClaim: 'runs',
    });
    const caller = await named(
      await tokenOf({ 'https://x.example/org': 'acme', tenant: 'no', runs: ['a1'] }),
    );
    expect(caller).toMatchObject({ tenant: 'acme', executions: ['a1'] });
  });

  test.each([
    [
      'a signature by another key',
      () => tokenOf(sound, new TextEncoder().encode('x'.repeat(40))),
      /does not match any known key/,
    ],
    [
      'a token without a signature',
      () => new UnsecuredJWT({ ...sound, sub: 'ann', exp: now() + 9 }).encode(),
      /algorithm|JWT/,
    ],
    ['a string that is not a JWT', () => 'abc', /not a valid JWT/],
    ['expired', () => tokenOf({ ...sound, exp: now() - 40 }), /expired/],
    ['a token that is not valid yet', () => tokenOf({ ...sound, nbf: now() + 40 }), /nbf/],
    ['a token without an expiry', () => tokenOf({ ...sound, exp: undefined as never }), /exp/],
    ['a token without a subject', () => tokenOf({ ...sound, sub: undefined as never }), /sub/],
    ['an empty subject', () => tokenOf({ ...sound, sub: '' }), /sub/],
    ['another issuer', () => tokenOf({ ...sound, iss: 'other' }), /iss/],
    ['another audience', () => tokenOf({ ...sound, aud: 'other' }), /aud/],
    ['a tenant that is not a string', () => tokenOf({ ...sound, tenant: ['acme'] }), /tenant/],
    ['an empty tenant', () => tokenOf({ ...sound, tenant: '' }), /^token claim "tenant": expected/],
    ['a tenant of null', () => tokenOf({ ...sound, tenant: null }), /^token claim "tenant"/],
    ['U+0000 in the tenant', () => tokenOf({ ...sound, tenant: 'ac\0me' }), /^token claim "tenant".*U\+0000/],
    [
      'a lone surrogate in the tenant',
      () => tokenOf({ ...sound, tenant: '\ud800' }),
      /^token claim "tenant".*surrogate/,
    ],
    [
      'a lone surrogate at the end of the tenant',
      () => tokenOf({ ...sound, tenant: 'a\udc00' }),
      /^token claim "tenant"/,
    ],
    [
      'a tenant of 257 characters',
      () => tokenOf({ ...sound, tenant: 'x'.repeat(257) }),
      /^token claim "tenant".*256/,
    ],
    ['U+0000 in the subject', () => tokenOf({ ...sound, sub: 'a\0' }), /^token claim "sub"/],
    ['a lone surrogate in the subject', () => tokenOf({ ...sound, sub: '\udfff' }), /^token claim "sub"/],
    ['a subject of 257 characters', () => tokenOf({ ...sound, sub: 'x'.repeat(257) }), /^token claim "sub"/],
    ['a subject that is a number', () => tokenOf({ ...sound, sub: 1 as never }), /sub/],
    ['executions that are not a list', () => tokenOf({ ...sound, executions: 'a1' }), /executions/],
    [
      'an execution that is a number',
      () => tokenOf({ ...sound, executions: [1] }),
      /^token claim "executions"/,
    ],
    [
      'U+0000 in an execution',
      () => tokenOf({ ...sound, executions: ['a', '\0'] }),
      /^token claim "executions"/,
    ],
    ['a scope that is not a string', () => tokenOf({ ...sound, scope: ['read'] }), /scope/],
    ['an expiry that is not a number', () => tokenOf({ ...sound, exp: 'soon' as never }), /exp/],
    ['a start that is not a number', () => tokenOf({ ...sound, nbf: {} as never }), /nbf/],
  ])('%s is rejected with a reason', async (_, createToken, reason) => {
    const token = await createToken();
    await expect(check(token)).rejects.toEqual(unauthenticated(reason));
    await expect(check(token)).rejects.not.toThrow(token);
  });

  test('names in other alphabets, with surrogate pairs and of 256 characters are accepted', async () => {
    for (const name of ['Ångström', '株式会社', '🚀', 'x'.repeat(256), 'a"b\\c', '__proto__']) {
      expect(await check(await tokenOf({ ...sound, sub: name, tenant: name }))).toMatchObject({
        id: name,
        tenant: name,
      });
    }
  });

  test('the expiry of the token is the expiry of the caller’s credentials', async () => {
    const exp = now() + 77;
    expect(await check(await tokenOf({ ...sound, exp }))).toMatchObject({ expiresAt: exp * 1_000 });
  });

  test('a clock skew of up to 30 s is accepted', async () => {
    expect(await check(await tokenOf({ ...sound, exp: now() - 20 }))).toMatchObject({ id: 'ann' });
    expect(await check(await tokenOf({ ...sound, nbf: now() + 20 }))).toMatchObject({ id: 'ann' });
  });

  test('a key that is too short is rejected at start', () => {
    expect(() => createJwtCheck({ key: { shared: 'short' } })).toThrow(/at least 32 bytes/);
  });
});

describe('a JWKS', () => {
  let keys: JWK[];
  let requests: number;
  let isUnavailable: boolean;
  const server = createServer((_, response) => {
    requests += 1;
    if (isUnavailable) return void response.writeHead(500).end();
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ keys }));
  });
  let jwksUrl: string;

  beforeEach(async () => {
    keys = [];
    requests = 0;
    isUnavailable = false;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  /** Creates a signer whose public key is in the JWKS. */
  async function signer(kid: string | undefined, alg = 'RS256', options: GenerateKeyPairOptions = {}) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { ...options, extractable: true });
    const id = kid === undefined ? {} : { kid };
    const jwk: JWK = { ...(await exportJWK(publicKey)), ...id, use: 'sig' };
    const sign = (claims = {}) =>
      new SignJWT({ sub: 'ann', exp: now() + 300, ...claims })
        .setProtectedHeader({ alg, ...id })
        .sign(privateKey);
    return { jwk, publicKey, sign };
  }

  test.each(['RS256', 'PS256', 'ES256', 'EdDSA'])(
    'a token signed by a key of the JWKS is accepted: %s',
    async (alg) => {
      const { jwk, sign } = await signer('k1', alg);
      keys = [jwk];
      expect(await createJwtCheck({ key: { jwksUrl } })(await sign())).toMatchObject({ id: 'ann' });
    },
  );

  test('a JWKS must be read over TLS or from this machine', () => {
    for (const url of ['http://idp.example/keys', 'http://10.0.0.1/keys', 'ftp://127.0.0.1/keys']) {
      expect(() => createJwtCheck({ key: { jwksUrl: url } })).toThrow(/^key.jwksUrl: expected https:/);
    }
    for (const url of ['https://idp.example/keys', 'http://localhost:1/keys', 'http://[::1]:1/keys']) {
      expect(() => createJwtCheck({ key: { jwksUrl: url } })).not.toThrow();
    }
  });

  test('a public key is not accepted as the secret of an HMAC', async () => {
    const { jwk } = await signer('k1');
    keys = [jwk];
    const check = createJwtCheck({ key: { jwksUrl } });
    const forged = await tokenOf({}, new TextEncoder().encode(JSON.stringify(jwk)));
    await expect(check(forged)).rejects.toEqual(unauthenticated('algorithm'));
  });

  test('an added key is read with the first token that names it, but not during the cooldown', async () => {
    const [one, two, three] = [await signer('k1'), await signer('k2'), await signer('k3')];
    keys = [one.jwk];
    const check = createJwtCheck({ key: { jwksUrl }, jwksCooldownMs: 300 });
    await check(await one.sign());
    expect(requests).toBe(1);

    keys = [one.jwk, two.jwk];
    for (let i = 0; i < 20; i += 1) {
      await expect(check(await three.sign())).rejects.toEqual(unauthenticated('any known key'));
    }
    expect(requests).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 320));
    expect(await check(await two.sign())).toMatchObject({ id: 'ann' });
    expect(requests).toBe(2);
    expect(await check(await one.sign())).toMatchObject({ id: 'ann' });
  });

  test.each(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'])(
    'of several keys, a token without a key id is verified by the one that fits: %s',
    async (alg) => {
      const kinds = ['RS256', 'ES256', 'ES384', 'EdDSA', alg];
      const others = await Promise.all(kinds.map((kind, i) => signer(`k${i}`, kind)));
      const { jwk, sign } = await signer(undefined, alg);
      const encrypting = { ...(await signer('e1', alg)).jwk, use: 'enc' };
      const damaged: JWK = {
        kty: jwk.kty!,
        ...(jwk.crv && { crv: jwk.crv }),
        kid: 'd1',
        n: '!',
        x: '!',
        y: '!',
      };
      // As providers publish them: with and without `alg`, and among keys of other uses and unknown types.
      keys = [damaged, encrypting, { kty: 'unknown' }, ...others.map((other) => other.jwk), jwk];
      const check = createJwtCheck({ key: { jwksUrl } });
      expect(await check(await sign())).toMatchObject({ id: 'ann' });
      keys = [
        { ...others.at(-1)!.jwk, alg },
        { ...jwk, alg },
      ];
      expect(await createJwtCheck({ key: { jwksUrl } })(await sign())).toMatchObject({ id: 'ann' });
      await expect(check(await sign({ exp: now() - 60 }))).rejects.toEqual(unauthenticated('expired'));
      expect(requests).toBe(2);
      keys = [encrypting];
      const stranger = await signer(undefined, alg);
      await expect(check(await stranger.sign())).rejects.toEqual(unauthenticated('any known key'));
      expect(requests).toBe(2);
    },
  );

  test('a key for encryption verifies nothing', async () => {
    const { jwk, sign } = await signer(undefined);
    keys = [{ ...jwk, use: 'enc' }, (await signer('k2')).jwk, (await signer('k3')).jwk];
    const check = createJwtCheck({ key: { jwksUrl } });
    await expect(check(await sign())).rejects.toEqual(unauthenticated('any known key'));
  });

  test('keys that share an id are tried in turn', async () => {
    const [one, two] = [await signer('default', 'ES256'), await signer('default', 'ES256')];
    keys = [one.jwk, two.jwk];
    const check = createJwtCheck({ key: { jwksUrl } });
    for (const { sign } of [one, two]) expect(await check(await sign())).toMatchObject({ id: 'ann' });
  });

  test('up to 20 keys are tried for one token', async () => {
    const signers = await Promise.all(Array.from({ length: 21 }, () => signer(undefined, 'ES256')));
    keys = signers.map(({ jwk }) => jwk);
    const check = createJwtCheck({ key: { jwksUrl } });
    expect(await check(await signers[19]!.sign())).toMatchObject({ id: 'ann' });
    await expect(check(await signers[20]!.sign())).rejects.toEqual(unauthenticated('any known key'));
  });

  test('a key that was replaced without a new id is read again, but not during the cooldown', async () => {
    for (const kid of [undefined, 'default']) {
      const [one, two] = [await signer(kid, 'ES256'), await signer(kid, 'ES256')];
      keys = [one.jwk];
      requests = 0;
      const check = createJwtCheck({ key: { jwksUrl }, jwksCooldownMs: 300 });
      await check(await one.sign());
      keys = [two.jwk];
      await expect(check(await two.sign())).rejects.toEqual(unauthenticated('any known key'));
      expect(requests).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 320));
      expect(await check(await two.sign())).toMatchObject({ id: 'ann' });
      expect(requests).toBe(2);
    }
  });

  test('a JWKS that cannot be read is requested once per second, however many tokens arrive', async () => {
    const [one, two] = [await signer('k1'), await signer('k2')];
    keys = [one.jwk];
    const check = createJwtCheck({ key: { jwksUrl }, jwksCooldownMs: 0 });
    await check(await one.sign());
    isUnavailable = true;
    for (let i = 0; i < 20; i += 1) {
      await expect(check(await two.sign())).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    }
    expect(requests).toBeLessThanOrEqual(3);
    expect(await check(await one.sign())).toMatchObject({ id: 'ann' });
  });

  test('an unavailable JWKS is 503, not 401', async () => {
    const { sign } = await signer('k1');
    isUnavailable = true;
    const check = createJwtCheck({ key: { jwksUrl } });
    await expect(check(await sign())).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
  });
});
