// Checks JSON Web Tokens (RFC 7519) against a JWKS or a shared key.
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { ExecstreamError } from '../../event/errors.ts';
import type { Caller } from '../../execution/permission.ts';
import { type ClaimNames, callerOf } from './claims.ts';
import { isSecureUrl } from './loopback.ts';

export interface JwtOptions extends ClaimNames {
  /** Where the public keys are (`https:`, or a loopback host), or the key that signer and server share. */
  readonly key: { readonly jwksUrl: string } | { readonly shared: string };
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  /**
   * Tolerated difference between the clocks of issuer and server.
   * @default 30
   */
  readonly clockSkewSeconds?: number | undefined;
  /**
   * Minimum time between two requests for the JWKS, regardless of how many tokens name unknown keys.
   * @default 30_000
   */
  readonly jwksCooldownMs?: number | undefined;
}

export const DEFAULT_CLOCK_SKEW_SECONDS = 30;

/** Shorter keys can be guessed (RFC 7518, 3.2). */
export const MIN_KEY_BYTES = 32;

/** Pinned by the kind of key: a public key must never be taken for the secret of an HMAC, and `none` for a signature. */
const SYMMETRIC = ['HS256', 'HS384', 'HS512'];
const ASYMMETRIC = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/**
 * Makes a check of tokens. Keys of a JWKS are kept for ten minutes, and read again where a token names an unknown one.
 * The check throws `UNAUTHENTICATED`, saying why, and `SOURCE_UNAVAILABLE` where the JWKS cannot be read.
 * @throws ExecstreamError `BAD_USER_INPUT` for a shared key that is too short, or a JWKS that is read without TLS
 */
export function createJwtCheck(options: JwtOptions): (token: string) => Promise<Caller> {
  const {
    key,
    issuer,
    audience,
    clockSkewSeconds = DEFAULT_CLOCK_SKEW_SECONDS,
    jwksCooldownMs = 30_000,
  } = options;
  const checks: JWTVerifyOptions = {
    algorithms: 'shared' in key ? SYMMETRIC : ASYMMETRIC,
    clockTolerance: clockSkewSeconds,
    requiredClaims: ['sub', 'exp'],
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
  };
  const verify = verifier(key, jwksCooldownMs, checks);
  return async (token) => {
    let claims: JWTPayload;
    try {
      claims = await verify(token);
    } catch (error) {
      throw refusalOf(error);
    }
    return callerOf(claims, options);
  };
}

function verifier(key: JwtOptions['key'], cooldownDuration: number, checks: JWTVerifyOptions) {
  if ('shared' in key) {
    const secret = new TextEncoder().encode(key.shared);
    if (secret.length < MIN_KEY_BYTES) {
      throw new ExecstreamError('BAD_USER_INPUT', `a shared key has at least ${MIN_KEY_BYTES} bytes`);
    }
    return async (token: string) => (await jwtVerify(token, secret, checks)).payload;
  }
  if (!isSecureUrl(key.jwksUrl)) {
    throw new ExecstreamError('BAD_USER_INPUT', 'jwksUrl: expected https:, or http: to a loopback host');
  }
  const keys = createRemoteJWKSet(new URL(key.jwksUrl), { cooldownDuration });
  return async (token: string) => (await jwtVerify(token, keys, checks)).payload;
}

/** The words are ours: they stand in a header, and the library's may quote the token. */
function refusalOf(error: unknown): ExecstreamError {
  const refuse = (why: string) => new ExecstreamError('UNAUTHENTICATED', why);
  if (error instanceof errors.JWTExpired) return refuse('the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refuse(`the token's claim ${error.claim} is not accepted`);
  }
  const isUnknownKey =
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys;
  if (isUnknownKey) return refuse('the token is signed by no key that is known here');
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return refuse('the algorithm of the token is not accepted');
  }
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    return refuse('the token is no JWT');
  }
  const message = 'the keys that tokens are checked with cannot be read';
  return new ExecstreamError('SOURCE_UNAVAILABLE', message, { cause: error });
}
