// The rules of an execution's row that hold in every store: what may begin, what a list may ask for.
import { ExecstreamError } from '../event/errors.ts';
import { isFinal, type OpenStatus } from '../event/events.ts';
import { checkExecutionId } from '../event/execution-id.ts';
import type { BeginExecution, ChildrenQuery, Execution } from './store.ts';

/** Every status in which an execution is open. */
export const OPEN_STATUSES = ['PENDING', 'RUNNING', 'WAITING', 'PAUSED'] satisfies OpenStatus[];

/** Executions of one page that is shown; the store reads one more, for whoever filters pages afterwards. */
export const MAX_PAGE = 100;
/** Ids of one call that reads several executions. */
const MAX_IDS = 1000;

/** Above it there is no attempt: GraphQL's Int and the column end here. */
export const MAX_ATTEMPT = 2 ** 31 - 1;

/** How far an attempt may be above the one before, so that no caller can use up the attempts of an id. */
export const MAX_ATTEMPT_STEP = 10_000;

/** Postgres refuses U+0000 in a text, and its driver turns a lone surrogate into U+FFFD without a word. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** Whether a column of a row can hold a text. */
export function isStorable(text: string): boolean {
  return !UNSTORABLE.test(text);
}

/**
 * Checks what begins, before any look-up.
 * @throws ExecstreamError `BAD_USER_INPUT`, naming what is wrong.
 */
export function checkBegin(execution: BeginExecution): void {
  checkExecutionId(execution.id);
  if (execution.parentId !== undefined) checkExecutionId(execution.parentId);
  const { attempt } = execution;
  if (attempt !== undefined && !(Number.isInteger(attempt) && attempt >= 1 && attempt <= MAX_ATTEMPT)) {
    throw new ExecstreamError('BAD_USER_INPUT', `attempt must be a whole number from 1, not ${attempt}`);
  }
  for (const field of ['name', 'tenant', 'workflowId', 'runId'] as const) {
    if (!isStorable(execution[field] ?? '')) {
      throw new ExecstreamError(
        'BAD_USER_INPUT',
        `${field} must not hold U+0000 or half of a surrogate pair`,
      );
    }
  }
}

/**
 * Checks how far an attempt is above the one before.
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function checkAttemptStep(attempt: number, before: number): void {
  const most = Math.min(before + MAX_ATTEMPT_STEP, MAX_ATTEMPT);
  if (attempt <= most) return;
  throw new ExecstreamError('BAD_USER_INPUT', `attempt: expected at most ${most}, got ${attempt}`);
}

/**
 * Checks the size of a page.
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function checkPage({ first, after }: ChildrenQuery): void {
  if (!(Number.isInteger(first) && first >= 1 && first <= MAX_PAGE + 1)) {
    throw new ExecstreamError('BAD_USER_INPUT', `first: expected 1 to ${MAX_PAGE + 1}, got ${first}`);
  }
  if (after?.id !== undefined) checkExecutionId(after.id);
}

/**
 * Checks the ids of a call that reads several executions.
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function checkIds(ids: readonly string[]): void {
  if (ids.length > MAX_IDS) {
    throw new ExecstreamError('BAD_USER_INPUT', `ids: expected at most ${MAX_IDS}, got ${ids.length}`);
  }
  ids.forEach(checkExecutionId);
}

/**
 * Checks that an execution does not begin under a parent of another tenant. A parent without a tenant is shared.
 * @throws ExecstreamError `FORBIDDEN`
 */
export function checkParentTenant(
  parent: Pick<Execution, 'id' | 'tenant'>,
  tenant: string | undefined,
): void {
  if (parent.tenant === undefined || parent.tenant === tenant) return;
  throw new ExecstreamError('FORBIDDEN', `parentId: execution "${parent.id}" belongs to another tenant`);
}

/**
 * Whether an execution that is there may begin as wanted.
 * @returns `begin` for a newer attempt, `keep` for the attempt that the row has.
 * @throws ExecstreamError as ExecutionStore.begin says. Whose it is comes first, so that nothing of the row is told
 *   to another tenant.
 */
export function resolveAttempt(row: Execution, wanted: BeginExecution): 'begin' | 'keep' {
  const { id } = row;
  if (row.tenant !== wanted.tenant) {
    throw new ExecstreamError('FORBIDDEN', `Execution "${id}" belongs to another tenant`);
  }
  if (row.kind !== wanted.kind || row.mode !== wanted.mode) {
    throw new ExecstreamError(
      'BAD_USER_INPUT',
      `Execution "${id}" is of kind ${row.kind} and mode ${row.mode}, not ${wanted.kind} and ${wanted.mode}`,
    );
  }
  if (wanted.attempt !== undefined && wanted.attempt < row.attempt) {
    throw new ExecstreamError('SUPERSEDED', `Execution "${id}" is at attempt ${row.attempt}`);
  }
  if (isFinal(row.status)) throw new ExecstreamError('ENDED', `Execution "${id}" has ended: ${row.status}`);
  checkAttemptStep(wanted.attempt ?? row.attempt + 1, row.attempt);
  return wanted.attempt === row.attempt ? 'keep' : 'begin';
}
