// From the claims of a token that was checked to a caller.
import { ExecstreamError } from '../../event/error.ts';
import type { Caller, Scope } from '../../execution/permission.ts';

/** Which claims say what. */
export interface ClaimNames {
  /** Names the tenant; `tenant` by default. */
  readonly tenantClaim?: string | undefined;
  /** Lists the only executions that may be read or published; `executions` by default. */
  readonly executionsClaim?: string | undefined;
}

const SCOPES: readonly Scope[] = ['read', 'publish'];

/**
 * The caller that claims speak of. Scopes are the words `read` and `publish` in `scope` (also with `execstream:` in
 * front); a token without `scope` reads.
 * @throws ExecstreamError `UNAUTHENTICATED`, naming the claim that is not of the shape: a claim that would limit the
 *   caller and cannot be read must not be passed over.
 */
export function callerOf(claims: Readonly<Record<string, unknown>>, names: ClaimNames): Caller {
  const { tenantClaim = 'tenant', executionsClaim = 'executions' } = names;
  const { sub, scope } = claims;
  const tenant = claims[tenantClaim];
  const executions = claims[executionsClaim];
  if (!isWord(sub)) throw wrongClaim('sub');
  if (tenant !== undefined && !isWord(tenant)) throw wrongClaim(tenantClaim);
  if (executions !== undefined && !(Array.isArray(executions) && executions.every(isWord))) {
    throw wrongClaim(executionsClaim);
  }
  if (scope !== undefined && typeof scope !== 'string') throw wrongClaim('scope');
  return {
    id: sub,
    ...(tenant !== undefined && { tenant }),
    ...(executions !== undefined && { executions: executions as string[] }),
    scopes: scopesOf(scope),
    claims,
  };
}

function scopesOf(scope: string | undefined): Scope[] {
  if (scope === undefined) return ['read'];
  const words = scope.split(' ');
  return SCOPES.filter((word) => words.includes(word) || words.includes(`execstream:${word}`));
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function wrongClaim(name: string): ExecstreamError {
  return new ExecstreamError(
    'UNAUTHENTICATED',
    `the token's claim "${name}" is missing or of the wrong shape`,
  );
}
