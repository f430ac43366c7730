// Who may read an execution: the one question that every subscription, replay, query and list asks.
import { ExecstreamError } from '../event/error.ts';
import type { Execution } from './store.ts';

/** Whoever makes a request. */
export interface Caller {
  /** Stable for one person or service; `anonymous` while authentication is off. */
  readonly id: string;
  readonly tenant?: string;
}

export const ANONYMOUS: Caller = { id: 'anonymous' };

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

export type Authorize = (caller: Caller, execution: Execution) => Permission | Promise<Permission>;

/** The default: every caller may read every execution of their tenant. */
export const allowTenant: Authorize = (caller, execution) =>
  execution.tenant === undefined || execution.tenant === caller.tenant
    ? { read: 'granted' }
    : { read: 'hidden' };

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
  execution: Execution,
): Promise<string> {
  const permission = await authorize(caller, execution);
  if (permission.read === 'hidden') throw unknownExecution(execution.id);
  if (permission.read === 'denied') {
    throw new ExecstreamError('FORBIDDEN', `you may not read execution ${execution.id}`);
  }
  return permission.class ?? '';
}
