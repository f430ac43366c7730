// Which parent an execution may have when it begins over HTTP, where callers are not trusted with other executions.
import { ExecstreamError } from '../event/errors.ts';
import { checkExecutionId } from '../event/execution-id.ts';
import { checkParentTenant } from './attempt-rules.ts';
import { type Authorize, type AuthorizePublish, type Caller, mayPublish } from './permission.ts';
import type { BeginExecution, ExecutionStore, ExecutionSummary } from './store.ts';

export interface ParentPolicies {
  readonly store: Pick<ExecutionStore, 'getMany'>;
  readonly authorize: Authorize;
  readonly authorizePublish: AuthorizePublish;
  /** Finds a workflow that has no row yet because only Temporal knows it. */
  readonly findWorkflow: (id: string, caller: Caller) => Promise<ExecutionSummary | undefined>;
}

/**
 * Checks the parent of an execution that is to begin: it must exist, the caller must be allowed to read it or to
 * publish it, and it must be of the same tenant or of none.
 * @throws ExecstreamError `NOT_FOUND` for a parent that does not exist or is hidden from the caller, with the same
 *   message for both; `FORBIDDEN` for a visible parent of another tenant
 */
export async function requireParent(
  { store, authorize, authorizePublish, findWorkflow }: ParentPolicies,
  caller: Caller,
  { parentId, tenant }: Pick<BeginExecution, 'parentId' | 'tenant'>,
): Promise<void> {
  if (parentId === undefined) return;
  checkExecutionId(parentId);
  const [known] = await store.getMany([parentId]);
  const parent = known ?? (await findWorkflow(parentId, caller));
  // Scopes do not apply: a worker that may only publish can still name parents that its policy lets it read.
  const { scopes: _, ...unscoped } = caller;
  const isKnown =
    parent &&
    ((await authorize(unscoped, parent)).read === 'granted' ||
      (await mayPublish(authorizePublish, caller, parent)) === 'granted');
  if (!isKnown) throw new ExecstreamError('NOT_FOUND', `parentId: no such execution: ${parentId}`);
  checkParentTenant(parent, tenant);
}
