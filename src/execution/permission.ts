// Permissions: who may read an execution, which every subscription, replay, query and list checks, and who may publish
// one.
import { ExecstreamError } from '../event/errors.ts';
import { executionIdOf, isPinnedRun } from '../event/execution-key.ts';
import { matchesIdPattern } from './id-patterns.ts';
import type { Execution, ExecutionFilter, ExecutionSummary } from './store.ts';

/** The person or service that makes a request. */
export interface Caller {
  /** Stable for one person or service; `anonymous` while authentication is off. */
  readonly id: string;
  readonly tenant?: string;
  /** The operations that the caller may use; absent: all of them. */
  readonly scopes?: readonly Scope[];
  /** Limits the caller to these executions: ids, or prefixes of ids followed by `*`. Absent: no such limit. */
  readonly executions?: readonly string[];
  /** The other claims of a token, for custom policies. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** When the credentials expire, in ms since 1970. A stream token that they created expires no later. */
  readonly expiresAt?: number;
  /** Authenticated with a stream token, which permits reading only. */
  readonly viaStreamToken?: true;
}

export type Scope = 'read' | 'publish';

export const ANONYMOUS: Caller = { id: 'anonymous' };

/** The key under which limits count a caller: equal for all requests of one caller, and for no other caller's. */
export function callerKey({ id, tenant }: Caller): string {
  return JSON.stringify([tenant, id]);
}

/**
 * A caller's permission to read an execution.
 * - `granted`: may read it. Callers whose results may differ get different classes; callers of one class share GraphQL
 *   executions.
 * - `denied`: may know that it exists, but not read it.
 * - `hidden`: may not know that it exists; the response is that for an unknown id.
 */
export type Permission =
  | { readonly read: 'granted'; readonly class?: string }
  | { readonly read: 'denied' }
  | { readonly read: 'hidden' };

/** Decides the permission. The execution has no `input`, `result` and `error`, because lists do not read them. */
export type Authorize = (caller: Caller, execution: ExecutionSummary) => Permission | Promise<Permission>;

/** The default policy: a caller may read the executions of its tenant and those without a tenant. */
export const allowTenant: Authorize = (caller, execution) =>
  execution.tenant === undefined || execution.tenant === caller.tenant
    ? { read: 'granted' }
    : { read: 'hidden' };

/**
 * Applies a caller's own limits (scopes and named executions) in addition to a policy. The policy is evaluated before
 * the scope, so that a missing scope does not reveal hidden executions. A pinned run has the id of its workflow here.
 */
export function withinLimits(authorize: Authorize): Authorize {
  return async (caller, row) => {
    const execution = isPinnedRun(row.id) ? { ...row, id: executionIdOf(row.id) } : row;
    if (!isNamed(caller, execution.id)) return { read: 'hidden' };
    const permission = await authorize(caller, execution);
    return permission.read === 'granted' && !hasScope(caller, 'read') ? { read: 'denied' } : permission;
  };
}

function isNamed({ executions }: Caller, id: string): boolean {
  return !executions || matchesIdPattern(executions, id);
}

/** Limits lists to executions that are visible to a caller, as far as a query can. The policy decides the rest. */
export interface ReadFilters {
  /** Undefined if the caller may read nothing. */
  list(caller: Caller): ExecutionFilter | undefined;
  children(caller: Caller, parent: Pick<ExecutionSummary, 'tenant'>): ExecutionFilter;
  /** Whether the policy hides nothing else, so that a page need not be filled up. */
  readonly isExact: boolean;
}

/**
 * Creates the filters for a policy. A list contains the executions of the caller's tenant. Children are those of the
 * parent's tenant and those without a tenant: children of another tenant are never shown.
 */
export function createReadFilters(policy: Authorize): ReadFilters {
  const isExact = policy === allowTenant;
  const named = ({ executions }: Caller) => (executions ? { ids: executions } : {});
  // For callers without a tenant, only a custom policy can decide whose executions they read.
  const ofTenant = ({ tenant }: Caller) => tenant ?? (isExact ? null : undefined);
  return {
    isExact,
    list: (caller) => {
      if (!hasScope(caller, 'read')) return undefined;
      const tenant = ofTenant(caller);
      return { ...named(caller), ...(tenant !== undefined && { tenants: [tenant] }) };
    },
    children: (caller, parent) => {
      const tenant = parent.tenant ?? ofTenant(caller);
      return { ...named(caller), ...(tenant !== undefined && { tenants: [...new Set([tenant, null])] }) };
    },
  };
}

function hasScope({ scopes }: Caller, scope: Scope): boolean {
  return scopes?.includes(scope) ?? true;
}

/** An execution that is to be published: an existing one, or one that is to begin. */
export type Publishable = Pick<Execution, 'id' | 'kind' | 'tenant' | 'name' | 'parentId'>;

/** Decides whether a caller may publish an execution; the response to `hidden` is that for an unknown id. */
export type AuthorizePublish = (
  caller: Caller,
  execution: Publishable,
) => Permission['read'] | Promise<Permission['read']>;

/** The default policy: a caller may publish the executions of its tenant, and a caller without a tenant all of them. */
export const publishTenant: AuthorizePublish = (caller, execution) => {
  if (caller.tenant === undefined || caller.tenant === execution.tenant) return 'granted';
  return execution.tenant === undefined ? 'denied' : 'hidden';
};

/**
 * Rejects a caller without the scope to publish, before any read of the database.
 * @throws ExecstreamError `FORBIDDEN`
 */
export function requirePublishScope(caller: Caller): void {
  if (!hasScope(caller, 'publish')) throw new ExecstreamError('FORBIDDEN', 'you may not publish');
}

/** The decision of a policy, limited to the caller's named executions. */
export async function mayPublish(
  authorizePublish: AuthorizePublish,
  caller: Caller,
  execution: Publishable,
): Promise<Permission['read']> {
  return isNamed(caller, execution.id) ? authorizePublish(caller, execution) : 'hidden';
}

/**
 * Requires permission to publish.
 * @throws ExecstreamError `NOT_FOUND` if the execution is hidden, `FORBIDDEN` if it may not be published
 */
export async function requirePublish(
  authorizePublish: AuthorizePublish,
  caller: Caller,
  execution: Publishable,
): Promise<void> {
  requirePublishScope(caller);
  const permission = await mayPublish(authorizePublish, caller, execution);
  if (permission === 'hidden') throw unknownExecution(execution.id);
  if (permission === 'denied') {
    throw new ExecstreamError('FORBIDDEN', `you may not publish execution ${execution.id}`);
  }
}

/** The error for an id without an execution that is visible to the caller. */
export function unknownExecution(id: string): ExecstreamError {
  return new ExecstreamError('NOT_FOUND', `no such execution: ${id}`);
}

/** The error for a run that is unknown, or whose workflow is not visible to the caller. */
export function unknownRun(id: string, runId: string): ExecstreamError {
  return new ExecstreamError('NOT_FOUND', `no such execution, or no such run of it: ${id}, run ${runId}`);
}

/**
 * Requires permission to read.
 * @returns the permission class, '' if there is none
 * @throws ExecstreamError `NOT_FOUND` if the execution is hidden, `FORBIDDEN` if it may not be read
 */
export async function requireRead(
  authorize: Authorize,
  caller: Caller,
  execution: ExecutionSummary,
): Promise<string> {
  const permission = await authorize(caller, execution);
  const id = executionIdOf(execution.id);
  if (permission.read === 'hidden') throw unknownExecution(id);
  if (permission.read === 'denied') {
    throw new ExecstreamError('FORBIDDEN', `you may not read execution ${id}`);
  }
  return permission.class ?? '';
}
