// Verifies tokens with the keys of a JWKS (RFC 7517), which identity providers replace while the server runs.
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';

/** Keys that are tried for one token. */
const MAX_TRIED = 20;

/** While the JWKS cannot be read, requests for it are this far apart. */
const RETRY_MS = 1_000;

/**
 * Creates a function that verifies a token, and returns its claims. A key fits a token by `kid`, algorithm and use; if
 * several fit, because the token has no `kid` or keys share one, they are tried in turn. If none verifies the token, the
 * JWKS may have changed: it is read again, unless it was within the cooldown.
 */
export function createJwksVerifier(url: URL, cooldownMs: number, checks: JWTVerifyOptions) {
  const keys = createRemoteJWKSet(url, { cooldownDuration: cooldownMs, [customFetch]: createRareFetch() });

  async function verify(token: string): Promise<JWTPayload> {
    try {
      return (await jwtVerify(token, keys, checks)).payload;
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return tryKeys(token, error);
      throw error;
    }
  }

  async function tryKeys(token: string, candidates: errors.JWKSMultipleMatchingKeys): Promise<JWTPayload> {
    let tried = 0;
    for await (const key of candidates) {
      tried += 1;
      try {
        return (await jwtVerify(token, key, checks)).payload;
      } catch (error) {
        if (isVerified(error)) throw error;
      }
      if (tried === MAX_TRIED) break;
    }
    throw new errors.JWSSignatureVerificationFailed();
  }

  return async (token: string): Promise<JWTPayload> => {
    try {
      return await verify(token);
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed) || keys.coolingDown) throw error;
      await keys.reload();
      return verify(token);
    }
  };
}

/** Whether the signature was right, and a claim was not. */
function isVerified(error: unknown): boolean {
  return (
    error instanceof errors.JWTExpired ||
    error instanceof errors.JWTClaimValidationFailed ||
    error instanceof errors.JWTInvalid
  );
}

/** Fails without a request for a moment after one that failed: the cooldown starts only with a response. */
function createRareFetch(): FetchImplementation {
  let failure: { readonly error: unknown; readonly until: number } | undefined;
  return async (url, options) => {
    if (failure && performance.now() < failure.until) throw failure.error;
    try {
      const response = await fetch(url, options);
      if (!response.ok) throw new Error(`JWKS: expected the status 200, got ${response.status}`);
      return response;
    } catch (error) {
      failure = { error, until: performance.now() + RETRY_MS };
      throw error;
    }
  };
}
