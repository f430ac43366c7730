// Verifies JSON Web Tokens (RFC 7519) with a JWKS or a shared key.
import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { ExecstreamError } from '../../event/errors.ts';
import type { Caller } from '../../execution/permission.ts';
import { type ClaimNames, callerOf } from './claims.ts';
import { createJwksVerifier } from './jwks.ts';
import { isSecureUrl } from './loopback.ts';

export interface JwtOptions extends ClaimNames {
  /** The URL of a JWKS (`https:`, or a loopback host), or a key that issuer and server share. */
  readonly key: { readonly jwksUrl: string } | { readonly shared: string };
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  /**
   * Tolerated difference between the clocks of issuer and server.
   * @default 30
   */
  readonly clockSkewSeconds?: number | undefined;
  /**
   * Minimum time between two requests for the JWKS, regardless of how many tokens no key fits.
   * @default 30_000
   */
  readonly jwksCooldownMs?: number | undefined;
}

export const DEFAULT_CLOCK_SKEW_SECONDS = 30;

/** Shorter keys are insecure (RFC 7518, 3.2). */
export const MIN_KEY_BYTES = 32;

/** Fixed by the kind of key: a public key must never be used as an HMAC secret, and `none` never accepted. */
const SYMMETRIC = ['HS256', 'HS384', 'HS512'];
const ASYMMETRIC = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/**
 * Creates a function that verifies a token. It throws `UNAUTHENTICATED` with the reason, and `SOURCE_UNAVAILABLE` if
 * the JWKS cannot be read. Keys of a JWKS are cached for ten minutes, and fetched again if no key fits a token.
 * @throws ExecstreamError `CONFIG` for a shared key that is too short, or a JWKS without TLS
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
      throw toAuthError(error);
    }
    return callerOf(claims, options);
  };
}

function verifier(key: JwtOptions['key'], cooldownMs: number, checks: JWTVerifyOptions) {
  if ('shared' in key) {
    const secret = new TextEncoder().encode(key.shared);
    if (secret.length < MIN_KEY_BYTES) {
      throw new ExecstreamError('CONFIG', `key.shared: expected at least ${MIN_KEY_BYTES} bytes`);
    }
    return async (token: string) => (await jwtVerify(token, secret, checks)).payload;
  }
  if (!isSecureUrl(key.jwksUrl)) {
    throw new ExecstreamError('CONFIG', 'key.jwksUrl: expected https:, or http: to a loopback host');
  }
  return createJwksVerifier(new URL(key.jwksUrl), cooldownMs, checks);
}

/** Uses our own messages: they are sent in a header, and the library's may quote the token. */
function toAuthError(error: unknown): ExecstreamError {
  const unauthenticated = (message: string) => new ExecstreamError('UNAUTHENTICATED', message);
  if (error instanceof errors.JWTExpired) return unauthenticated('token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return unauthenticated(`token claim "${error.claim}" is not accepted`);
  }
  const isUnknownKey =
    error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey;
  if (isUnknownKey) return unauthenticated('token signature does not match any known key');
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return unauthenticated('token algorithm is not accepted');
  }
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    return unauthenticated('not a valid JWT');
  }
  const message = 'JWKS unavailable: tokens cannot be verified';
  return new ExecstreamError('SOURCE_UNAVAILABLE', message, { cause: error });
}
