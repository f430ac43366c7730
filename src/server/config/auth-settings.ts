// Settings of authentication.
import { DEFAULT_CLAIM_NAMES } from '../auth/claims.ts';
import { DEFAULT_CLOCK_SKEW_SECONDS, type JwtOptions, MIN_KEY_BYTES } from '../auth/jwt.ts';
import { isSecureUrl } from '../auth/loopback.ts';
import { DEFAULT_SESSION_MS } from '../auth/stream-tokens.ts';
import {
  type Environment,
  integer,
  invalid,
  listOf,
  optionalText,
  optionalUrl,
  readAll,
  readEach,
  readSettings,
  text,
} from './env.ts';

/** Settings that have no effect without a key. */
const JWT_SETTINGS = {
  issuer: optionalText('AUTH_ISSUER', { unset: 'any', doc: 'The required `iss` of a token.' }),
  audience: optionalText('AUTH_AUDIENCE', { unset: 'any', doc: 'The required `aud` of a token.' }),
  clockSkewSeconds: integer('AUTH_CLOCK_SKEW_SECONDS', {
    default: DEFAULT_CLOCK_SKEW_SECONDS,
    min: 0,
    max: 600,
    doc: 'The tolerated difference between the clocks of issuer and server.',
  }),
  tenantClaim: text('AUTH_TENANT_CLAIM', {
    default: DEFAULT_CLAIM_NAMES.tenantClaim,
    doc: 'The claim that names the tenant.',
  }),
  executionsClaim: text('AUTH_EXECUTIONS_CLAIM', {
    default: DEFAULT_CLAIM_NAMES.executionsClaim,
    doc: 'The claim that lists the only executions a caller may access.',
  }),
};

const POLICY_CLAIMS = listOf('AUTH_POLICY_CLAIMS', {
  doc: 'Claims that a stream token keeps for a policy of your own, separated by commas.',
});

export const AUTH_SETTINGS = {
  jwksUrl: optionalUrl('AUTH_JWKS_URL', {
    protocols: ['https:', 'http:'],
    unset: 'none',
    doc:
      'The JWKS of your identity provider: `https:`, or `http:` to a loopback host. Requires `AUTH_ISSUER` and' +
      ' `AUTH_AUDIENCE`.',
  }),
  sharedKey: optionalText('AUTH_SHARED_KEY', {
    unset: 'none',
    isSecret: true,
    doc: `Instead of a JWKS: the secret of an HMAC, at least ${MIN_KEY_BYTES} bytes.`,
  }),
  ...JWT_SETTINGS,
  sessionMs: integer('AUTH_SESSION_MS', {
    default: DEFAULT_SESSION_MS,
    min: 1_000,
    max: 86_400_000,
    doc: 'The lifetime of a stream token; never longer than that of the JWT that created it.',
  }),
  policyClaims: POLICY_CLAIMS,
};

/** Reads how tokens are checked; undefined if no key is configured. */
export function readAuthentication(env: Environment): JwtOptions | undefined {
  const { key, settings } = readAll({
    settings: () => readSettings(AUTH_SETTINGS, env),
    key: () => readKey(env),
    companions: () => checkCompanions(env),
  });
  if (!key) return undefined;
  const { issuer, audience, clockSkewSeconds, tenantClaim, executionsClaim } = settings;
  return { key, issuer, audience, clockSkewSeconds, tenantClaim, executionsClaim };
}

function readKey(env: Environment): JwtOptions['key'] | undefined {
  const jwksUrl = AUTH_SETTINGS.jwksUrl.read(env);
  const sharedKey = AUTH_SETTINGS.sharedKey.read(env);
  if (jwksUrl && sharedKey) throw invalid('AUTH_SHARED_KEY', 'cannot be combined with AUTH_JWKS_URL');
  if (jwksUrl) {
    if (isSecureUrl(jwksUrl)) return { jwksUrl };
    const reason = 'keys could be replaced in transit';
    throw invalid('AUTH_JWKS_URL', `expected https://, or http:// to a loopback host: ${reason}`);
  }
  if (!sharedKey) return undefined;
  if (Buffer.byteLength(sharedKey) >= MIN_KEY_BYTES) return { shared: sharedKey };
  throw invalid('AUTH_SHARED_KEY', `expected at least ${MIN_KEY_BYTES} bytes`);
}

/** Checks the settings that only have a meaning together with a key. */
function checkCompanions(env: Environment): void {
  const hasJwks = Boolean(env[AUTH_SETTINGS.jwksUrl.name]);
  const hasKey = hasJwks || Boolean(env[AUTH_SETTINGS.sharedKey.name]);
  readEach([...Object.values(JWT_SETTINGS), POLICY_CLAIMS], ({ name }) => {
    // An operator who sets one of these expects that callers are authenticated.
    if (env[name] && !hasKey) throw invalid(name, 'requires AUTH_JWKS_URL or AUTH_SHARED_KEY');
  });
  // An identity provider's keys also sign tokens for other services.
  readEach([JWT_SETTINGS.issuer, JWT_SETTINGS.audience], ({ name }) => {
    if (hasJwks && !env[name]) throw invalid(name, 'is required with AUTH_JWKS_URL');
  });
}
