// From the claims of a token that was checked to a caller.
import { ExecstreamError } from '../../event/errors.ts';
import type { Caller, Scope } from '../../execution/permission.ts';

export interface ClaimNames {
  /**
   * The claim that names the tenant.
   * @default 'tenant'
   */
  readonly tenantClaim?: string | undefined;
  /**
   * The claim that lists the only executions that may be read or published.
   * @default 'executions'
   */
  readonly executionsClaim?: string | undefined;
}

export const DEFAULT_CLAIM_NAMES = { tenantClaim: 'tenant', executionsClaim: 'executions' };

const SCOPES: readonly Scope[] = ['read', 'publish'];

/** OpenID Connect allows a `sub` 255 characters; a limit spares every table of callers one of its own. */
const MAX_NAME_LENGTH = 256;

/**
 * The caller that claims speak of. Scopes are the words `read` and `publish` in `scope` (also with `execstream:` in
 * front); a token without `scope` reads.
 * @throws ExecstreamError `UNAUTHENTICATED`, naming the claim that is not of the shape: a claim that would limit the
 *   caller and cannot be read must not be passed over.
 */
export function callerOf(claims: Readonly<Record<string, unknown>>, names: ClaimNames): Caller {
  const {
    tenantClaim = DEFAULT_CLAIM_NAMES.tenantClaim,
    executionsClaim = DEFAULT_CLAIM_NAMES.executionsClaim,
  } = names;
  const { sub, scope, exp } = claims;
  const tenant = claims[tenantClaim];
  const executions = claims[executionsClaim];
  if (!isName(sub)) throw wrongClaim('sub', A_NAME);
  if (tenant !== undefined && !isName(tenant)) throw wrongClaim(tenantClaim, A_NAME);
  if (executions !== undefined && !(Array.isArray(executions) && executions.every(isName))) {
    throw wrongClaim(executionsClaim, `a list, each ${A_NAME}`);
  }
  if (scope !== undefined && typeof scope !== 'string') throw wrongClaim('scope', 'a string');
  return {
    id: sub,
    ...(tenant !== undefined && { tenant }),
    ...(executions !== undefined && { executions: executions as string[] }),
    scopes: scopesOf(scope),
    ...(typeof exp === 'number' && { expiresAt: exp * 1_000 }),
    claims,
  };
}

/**
 * Checks a caller that an embedder's own authentication returned: its names go into keys, queries and logs.
 * @throws ExecstreamError `UNAUTHENTICATED`, naming the property.
 */
export function checkCaller(caller: Caller): Caller {
  const { id, tenant } = caller;
  if (!isName(id)) throw new ExecstreamError('UNAUTHENTICATED', `id of the caller: expected ${A_NAME}`);
  if (tenant !== undefined && !isName(tenant)) {
    throw new ExecstreamError('UNAUTHENTICATED', `tenant of the caller: expected ${A_NAME}`);
  }
  return caller;
}

function scopesOf(scope: string | undefined): Scope[] {
  if (scope === undefined) return ['read'];
  const words = scope.split(' ');
  return SCOPES.filter((word) => words.includes(word) || words.includes(`execstream:${word}`));
}

const A_NAME = `a string of 1 to ${MAX_NAME_LENGTH} characters without U+0000 or unpaired surrogates`;

/** Postgres stores neither U+0000 nor an unpaired surrogate, so that a name with one would fail in a query. */
function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= MAX_NAME_LENGTH &&
    !value.includes('\0') &&
    isWellFormed(value)
  );
}

function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function wrongClaim(name: string, expected: string): ExecstreamError {
  return new ExecstreamError('UNAUTHENTICATED', `claim "${name}" of the token: expected ${expected}`);
}
