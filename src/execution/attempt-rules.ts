// The rules that every store applies: which executions and attempts may begin, which lists may be queried.
import { ExecstreamError } from '../event/errors.ts';
import { isFinal, type OpenStatus } from '../event/events.ts';
import { checkExecutionId } from '../event/execution-id.ts';
import { checkKey } from '../event/execution-key.ts';
import { isStorable } from '../event/text.ts';
import type { BeginExecution, ChildrenQuery, Execution } from './store.ts';

/** Every status in which an execution is open. */
export const OPEN_STATUSES = ['PENDING', 'RUNNING', 'WAITING', 'PAUSED'] satisfies OpenStatus[];

/** Executions per page. The store returns up to one more, for callers that filter pages afterwards. */
export const MAX_PAGE = 100;
/** Ids per call that reads several executions. */
const MAX_IDS = 1_000;

/** The highest attempt: the maximum of GraphQL's Int and of the column. */
export const MAX_ATTEMPT = 2 ** 31 - 1;

/** How far an attempt may be above the previous one, so that no caller can use up the attempts of an id. */
export const MAX_ATTEMPT_STEP = 10_000;

/**
 * Checks an execution that is to begin, before any read of the database.
 * @throws ExecstreamError `BAD_USER_INPUT`, naming the invalid field
 */
export function checkBegin(execution: BeginExecution): void {
  checkKey(execution.id);
  if (execution.parentId !== undefined) checkExecutionId(execution.parentId);
  const { attempt } = execution;
  if (attempt !== undefined && !(Number.isInteger(attempt) && attempt >= 1 && attempt <= MAX_ATTEMPT)) {
    const message = `attempt: expected an integer from 1 to ${MAX_ATTEMPT}, got ${attempt}`;
    throw new ExecstreamError('BAD_USER_INPUT', message);
  }
  for (const field of ['name', 'tenant', 'workflowId', 'runId'] as const) {
    if (!isStorable(execution[field] ?? '')) {
      throw new ExecstreamError(
        'BAD_USER_INPUT',
        `${field}: expected text without U+0000 and lone surrogates`,
      );
    }
  }
}

/** The fields that decide whether a begin is of another execution than the row's. */
type Started = Pick<BeginExecution, 'kind' | 'tenant' | 'workflowId' | 'runId' | 'startedAt'>;

/** Whether a begin is of a later execution under the row's id, which replaces the row (`BeginExecution.startedAt`). */
export function replacesRow(
  row: Execution,
  { kind, tenant, workflowId, runId, startedAt }: Started,
): boolean {
  if (!startedAt || row.kind !== kind || row.tenant !== tenant || row.workflowId !== workflowId) return false;
  if (row.finishedAt && row.finishedAt < startedAt) return true;
  return isOtherRun(row, runId) && row.startedAt < startedAt;
}

/** Whether a begin is of an execution that the row's has replaced. */
function isReplaced(row: Execution, { runId, startedAt }: Started): boolean {
  return startedAt !== undefined && isOtherRun(row, runId) && startedAt < row.startedAt;
}

function isOtherRun(row: Execution, runId: string | undefined): boolean {
  return row.runId !== undefined && runId !== undefined && row.runId !== runId;
}

/**
 * Checks how far an attempt is above the previous one.
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function checkAttemptStep(attempt: number, previous: number): void {
  const max = Math.min(previous + MAX_ATTEMPT_STEP, MAX_ATTEMPT);
  if (attempt <= max) return;
  throw new ExecstreamError('BAD_USER_INPUT', `attempt: expected at most ${max}, got ${attempt}`);
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
  ids.forEach(checkKey);
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
 * Decides whether an existing execution accepts an attempt. The tenant is checked first, so that errors reveal nothing
 * of a row to another tenant.
 * @returns `begin` for a newer attempt, `keep` for the attempt that the row has.
 * @throws ExecstreamError as `ExecutionStore.begin` does
 */
export function resolveAttempt(row: Execution, wanted: BeginExecution): 'begin' | 'keep' {
  const { id } = row;
  if (row.tenant !== wanted.tenant) {
    throw new ExecstreamError('FORBIDDEN', `execution "${id}" belongs to another tenant`);
  }
  if (row.kind !== wanted.kind || row.mode !== wanted.mode) {
    throw new ExecstreamError(
      'BAD_USER_INPUT',
      `execution "${id}" has kind ${row.kind} and mode ${row.mode}, not ${wanted.kind} and ${wanted.mode}`,
    );
  }
  if (wanted.attempt !== undefined && wanted.attempt < row.attempt) {
    throw new ExecstreamError('SUPERSEDED', `execution "${id}" is at attempt ${row.attempt}`);
  }
  if (isReplaced(row, wanted)) {
    throw new ExecstreamError('SUPERSEDED', `execution "${id}" is at run ${row.runId}`);
  }
  if (isFinal(row.status)) throw new ExecstreamError('ENDED', `execution "${id}" has ended: ${row.status}`);
  checkAttemptStep(wanted.attempt ?? row.attempt + 1, row.attempt);
  return wanted.attempt === row.attempt ? 'keep' : 'begin';
}
