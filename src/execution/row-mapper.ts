// An execution as its table has it, and back: JSON as text, NULL as absent.

import type { ExecutionKind, ExecutionMode, ExecutionStatus, JsonValue } from '../event/events.ts';
import { exceedsDepth, MAX_JSON_DEPTH } from '../event/json-depth.ts';
import type { Prisma, Execution as Row } from './generated/client.ts';
import type { BeginExecution, ContentField, Execution, ExecutionEnd, ExecutionSummary } from './store.ts';

/** The row of an execution that begins now. */
export function toRow(execution: BeginExecution): Prisma.ExecutionCreateManyInput {
  return {
    id: execution.id,
    kind: execution.kind,
    mode: execution.mode,
    status: 'RUNNING',
    attempt: execution.attempt ?? 1,
    tenant: execution.tenant,
    startedAt: new Date(),
    ...toDescription(execution),
  };
}

/** What a new attempt may say anew. What it leaves out stays. */
export function toDescription(execution: Omit<BeginExecution, 'attempt'>) {
  return {
    name: execution.name,
    parentId: execution.parentId,
    workflowId: execution.workflowId,
    runId: execution.runId,
    input: toJson(execution.input),
    expectsHeartbeats: execution.expectsHeartbeats,
  };
}

/** What a row gets back when a new attempt is undone: all that `begin` changes. */
export function toRestored(execution: Execution) {
  const { name, parentId, workflowId, runId, input, expectsHeartbeats } = toDescription(execution);
  return {
    attempt: execution.attempt,
    status: execution.status,
    name: name ?? null,
    parentId: parentId ?? null,
    workflowId: workflowId ?? null,
    runId: runId ?? null,
    input: input ?? null,
    result: toJson(execution.result) ?? null,
    error: toJson(execution.error) ?? null,
    expectsHeartbeats: expectsHeartbeats ?? null,
  };
}

/** What an end writes. */
export function toEnd(end: ExecutionEnd) {
  return {
    status: end.status,
    finishedAt: new Date(),
    result: end.status === 'SUCCESS' ? toJson(end.result) : undefined,
    resultOmitted: end.status === 'SUCCESS' ? end.resultOmitted : undefined,
    error: end.status === 'SUCCESS' ? undefined : toJson(end.error),
    usage: toJson(end.usage),
  };
}

/** The columns of a summary. */
export type SummaryRow = Omit<Row, ContentField>;

/** An execution without its large fields. Columns of few values have a CHECK each, so their values are not checked. */
export function summaryOf(row: SummaryRow): ExecutionSummary {
  return {
    id: row.id,
    kind: row.kind as ExecutionKind,
    status: row.status as ExecutionStatus,
    mode: row.mode as ExecutionMode,
    attempt: row.attempt,
    revision: row.revision,
    startedAt: row.startedAt,
    ...present({
      name: row.name,
      parentId: row.parentId,
      tenant: row.tenant,
      workflowId: row.workflowId,
      runId: row.runId,
      expectsHeartbeats: row.expectsHeartbeats,
      finishedAt: row.finishedAt,
    }),
    ...parsed('usage', row.usage),
    ...(row.resultOmitted && { resultOmitted: true }),
    ...(row.endSeq !== null && row.endEpoch !== null && { end: { seq: row.endSeq, epoch: row.endEpoch } }),
  };
}

/** The execution of a row. */
export function fromRow(row: Row): Execution {
  return {
    ...summaryOf(row),
    ...parsed('input', row.input),
    ...parsed('result', row.result),
    ...parsed('error', row.error),
  };
}

/**
 * JSON text. JSON.stringify writes U+0000 and lone surrogates as escapes, so that the text itself is one that
 * Postgres takes, and reading it gives the same string again, unit by unit.
 */
function toJson(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

/** The value of a JSON column; undefined where it is nested deeper than recursive code can pass on. */
export function fromJson(text: string): JsonValue | undefined {
  const value = JSON.parse(text);
  return exceedsDepth(value, MAX_JSON_DEPTH) ? undefined : value;
}

function parsed(key: 'input' | 'result' | 'error' | 'usage', text: string | null): Partial<Execution> {
  const value = text === null ? undefined : fromJson(text);
  if (value !== undefined) return { [key]: value };
  return text !== null && key === 'result' ? { resultOmitted: true } : {};
}

/** The fields that are not NULL. */
function present<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
