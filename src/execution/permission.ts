// Who may read an execution, the one question that every subscription, replay, query and list asks; and who may
// publish one.
import { ExecstreamError } from '../event/errors.ts';
import { matchesIdPattern } from './id-patterns.ts';
import type { Execution, ExecutionFilter, ExecutionSummary } from './store.ts';

/** Whoever makes a request. */
export interface Caller {
  /** Stable for one person or service; `anonymous` while authentication is off. */
  readonly id: string;
  readonly tenant?: string;
  /** What they may do at all; everything where absent. */
  readonly scopes?: readonly Scope[];
  /** The only executions that they may read or publish: ids, or beginnings of ids with a `*` behind. */
  readonly executions?: readonly string[];
  /** What a token says besides, for a policy of one's own. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** When the credentials expire, in ms since 1970; a stream token made with them serves no longer. */
  readonly expiresAt?: number;
  /** Came with a stream token, which reads and does nothing else. */
  readonly viaStreamToken?: true;
}

export type Scope = 'read' | 'publish';

export const ANONYMOUS: Caller = { id: 'anonymous' };

/** The key under which limits count a caller: equal for two requests of one caller, and for no others. */
export function callerKey({ id, tenant }: Caller): string {
  return JSON.stringify([tenant, id]);
}

/**
 * Decides what a caller may know of an execution.
 * - `granted`: may read it. Callers whose results may differ get different classes; one class shares executions
 *   of GraphQL.
 * - `denied`: may know of it, but not read it.
 * - `hidden`: may not know of it; the answer is that of an unknown id.
 */
export type Permission =
  | { readonly read: 'granted'; readonly class?: string }
  | { readonly read: 'denied' }
  | { readonly read: 'hidden' };

/** It is given the execution without `input`, `result` and `error`, which lists do not read. */
export type Authorize = (caller: Caller, execution: ExecutionSummary) => Permission | Promise<Permission>;

/** The default: every caller may read every execution of their tenant. */
export const allowTenant: Authorize = (caller, execution) =>
  execution.tenant === undefined || execution.tenant === caller.tenant
    ? { read: 'granted' }
    : { read: 'hidden' };

/**
 * Puts what a caller is limited to, by scope and by named executions, before a policy: it holds whatever that says.
 * The policy is asked first, so that a missing scope tells nothing of what is hidden.
 */
export function withinLimits(authorize: Authorize): Authorize {
  return async (caller, execution) => {
    if (!isNamed(caller, execution.id)) return { read: 'hidden' };
    const permission = await authorize(caller, execution);
    return permission.read === 'granted' && !hasScope(caller, 'read') ? { read: 'denied' } : permission;
  };
}

function isNamed({ executions }: Caller, id: string): boolean {
  return !executions || matchesIdPattern(executions, id);
}

/** Limits lists to what a caller may know of, as far as that can be part of a query. The policy decides the rest. */
export interface ReadFilters {
  /** Undefined where the caller may read nothing. */
  list(caller: Caller): ExecutionFilter | undefined;
  children(caller: Caller, parent: Pick<ExecutionSummary, 'tenant'>): ExecutionFilter;
  /** The policy hides nothing else, so a page needs not be filled up. */
  readonly isExact: boolean;
}

/**
 * The filters that belong to a policy. A list holds the executions of the caller's tenant. Children are those of the
 * parent's tenant and those without one: children of another tenant are never shown, whoever began them.
 */
export function createReadFilters(policy: Authorize): ReadFilters {
  const isExact = policy === allowTenant;
  const named = ({ executions }: Caller) => (executions ? { ids: executions } : {});
  // Of callers without a tenant only a policy of one's own can say whose executions they read.
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

/** An execution that is to be published: one that is there, or one that is to begin. */
export type Publishable = Pick<Execution, 'id' | 'kind' | 'tenant' | 'name' | 'parentId'>;

/** Decides whether a caller may publish an execution; `hidden` answers as for an unknown id. */
export type AuthorizePublish = (
  caller: Caller,
  execution: Publishable,
) => Permission['read'] | Promise<Permission['read']>;

/** The default: every caller may publish their tenant's executions, and one without a tenant anybody's. */
export const publishTenant: AuthorizePublish = (caller, execution) => {
  if (caller.tenant === undefined || caller.tenant === execution.tenant) return 'granted';
  return execution.tenant === undefined ? 'denied' : 'hidden';
};

/**
 * Refuses a caller who may not publish anything, before any look-up.
 * @throws ExecstreamError `FORBIDDEN`
 */
export function requirePublishScope(caller: Caller): void {
  if (!hasScope(caller, 'publish')) throw new ExecstreamError('FORBIDDEN', 'you may not publish');
}

/** What a policy says, within the executions that the caller is limited to. */
export async function mayPublish(
  authorizePublish: AuthorizePublish,
  caller: Caller,
  execution: Publishable,
): Promise<Permission['read']> {
  return isNamed(caller, execution.id) ? authorizePublish(caller, execution) : 'hidden';
}

/**
 * Asks for permission to publish.
 * @throws ExecstreamError `NOT_FOUND` where the execution is hidden, `FORBIDDEN` where it may not be published.
 */
export async function requirePublish(
  authorizePublish: AuthorizePublish,
  caller: Caller,
  execution: Publishable,
): Promise<void> {
  requirePublishScope(caller);
  const answer = await mayPublish(authorizePublish, caller, execution);
  if (answer === 'hidden') throw unknownExecution(execution.id);
  if (answer === 'denied') {
    throw new ExecstreamError('FORBIDDEN', `you may not publish execution ${execution.id}`);
  }
}

/** The error for an id that names nothing which the caller may know of. */
export function unknownExecution(id: string): ExecstreamError {
  return new ExecstreamError('NOT_FOUND', `no such execution: ${id}`);
}

/**
 * Asks for permission and turns a refusal into its error.
 * @returns the permission class, '' where there is none.
 * @throws ExecstreamError `NOT_FOUND` where the execution is hidden, `FORBIDDEN` where it may not be read.
 */
export async function requireRead(
  authorize: Authorize,
  caller: Caller,
  execution: ExecutionSummary,
): Promise<string> {
  const permission = await authorize(caller, execution);
  if (permission.read === 'hidden') throw unknownExecution(execution.id);
  if (permission.read === 'denied') {
    throw new ExecstreamError('FORBIDDEN', `you may not read execution ${execution.id}`);
  }
  return permission.class ?? '';
}
