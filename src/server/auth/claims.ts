// Converts the claims of a verified token to a caller.
import { ExecstreamError } from '../../event/errors.ts';
import { isStorable } from '../../event/text.ts';
import { MAX_PATTERN_LENGTH } from '../../execution/id-patterns.ts';
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

/** OpenID Connect allows 255 characters for `sub`. One limit here bounds every table that is keyed by callers. */
const MAX_NAME_LENGTH = 256;

/**
 * The caller that claims describe. Scopes are the words `read` and `publish` in `scope`, optionally prefixed with
 * `execstream:`. A token without `scope` may read.
 * @throws ExecstreamError `UNAUTHENTICATED`, naming an invalid claim. Ignoring a claim that restricts the caller would
 *   grant more than intended.
 */
export function callerOf(claims: Readonly<Record<string, unknown>>, names: ClaimNames): Caller {
  const {
    tenantClaim = DEFAULT_CLAIM_NAMES.tenantClaim,
    executionsClaim = DEFAULT_CLAIM_NAMES.executionsClaim,
  } = names;
  const { sub, scope, exp } = claims;
  const tenant = claims[tenantClaim];
  const executions = claims[executionsClaim];
  if (!isName(sub)) throw invalidClaim('sub', NAME_RULE);
  if (tenant !== undefined && !isName(tenant)) throw invalidClaim(tenantClaim, NAME_RULE);
  if (executions !== undefined && !(Array.isArray(executions) && executions.every(isPattern))) {
    throw invalidClaim(executionsClaim, `a list, each ${textRule(MAX_PATTERN_LENGTH)}`);
  }
  if (scope !== undefined && typeof scope !== 'string') throw invalidClaim('scope', 'a string');
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
 * Validates a caller returned by an embedder's authentication: its names are used in keys, queries and logs.
 * @throws ExecstreamError `UNAUTHENTICATED`, naming the property.
 */
export function checkCaller(caller: Caller): Caller {
  const { id, tenant } = caller;
  if (!isName(id)) throw new ExecstreamError('UNAUTHENTICATED', `caller.id: expected ${NAME_RULE}`);
  if (tenant !== undefined && !isName(tenant)) {
    throw new ExecstreamError('UNAUTHENTICATED', `caller.tenant: expected ${NAME_RULE}`);
  }
  return caller;
}

function scopesOf(scope: string | undefined): Scope[] {
  if (scope === undefined) return ['read'];
  const words = scope.split(' ');
  return SCOPES.filter((word) => words.includes(word) || words.includes(`execstream:${word}`));
}

const textRule = (maxLength: number): string =>
  `a string of 1 to ${maxLength} characters without U+0000 or unpaired surrogates`;
const NAME_RULE = textRule(MAX_NAME_LENGTH);

function isName(value: unknown): value is string {
  return isText(value, MAX_NAME_LENGTH);
}

function isPattern(value: unknown): boolean {
  return isText(value, MAX_PATTERN_LENGTH);
}

/** A query with a text that Postgres cannot store would fail. */
function isText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxLength && isStorable(value);
}

function invalidClaim(name: string, expected: string): ExecstreamError {
  return new ExecstreamError('UNAUTHENTICATED', `token claim "${name}": expected ${expected}`);
}
