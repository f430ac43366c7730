// Maps rows of the table to executions, and back: JSON is text, NULL is absent.
//
// Engines write these columns with plain SQL, so every row is normalised here and nowhere else: what this file returns
// has the shapes of the protocol. Columns with few values have a CHECK constraint each and are not checked again.

import { isPosition } from '../event/cursor.ts';
import type { ExecutionKind, ExecutionMode, ExecutionStatus, JsonValue } from '../event/events.ts';
import { isExecutionId } from '../event/execution-id.ts';
import { exceedsDepth, MAX_JSON_DEPTH } from '../event/json-depth.ts';
import { parseExactly } from '../event/json-integers.ts';
import { usageOf } from '../event/usage.ts';
import type { Prisma, Execution as Row } from './generated/client.ts';
import type {
  BeginExecution,
  ContentField,
  Execution,
  ExecutionEnd,
  ExecutionFailure,
  ExecutionSummary,
  FieldContent,
} from './store.ts';

/** The row of a new execution. */
export function toRow(execution: BeginExecution): Prisma.ExecutionCreateManyInput {
  return {
    id: execution.id,
    kind: execution.kind,
    mode: execution.mode,
    status: 'RUNNING',
    attempt: execution.attempt ?? 1,
    tenant: execution.tenant,
    startedAt: execution.startedAt ?? new Date(),
    ...toDescription(execution),
  };
}

/** The columns that a new attempt may replace; undefined keeps the value of the attempt before. */
export function toDescription(execution: Omit<BeginExecution, 'attempt' | 'startedAt'>) {
  return {
    name: execution.name,
    parentId: execution.parentId,
    workflowId: execution.workflowId,
    runId: execution.runId,
    input: toJson(execution.input),
    expectsHeartbeats: execution.expectsHeartbeats,
  };
}

/** The columns that `begin` changes, with the values to restore if it is undone. */
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

/** The columns that an end changes. */
export function toEnd(end: ExecutionEnd) {
  return {
    status: end.status,
    finishedAt: end.finishedAt ?? new Date(),
    result: end.status === 'SUCCESS' ? toJson(end.result) : undefined,
    resultOmitted: end.status === 'SUCCESS' ? end.resultOmitted : undefined,
    error: end.status === 'SUCCESS' ? undefined : toJson(end.error),
    usage: toJson(end.usage),
  };
}

/** The columns of a summary. */
export type SummaryRow = Omit<Row, ContentField>;

/** The summary of a row: the execution without its large fields. */
export function summaryOf(row: SummaryRow): ExecutionSummary {
  return {
    id: row.id,
    kind: row.kind as ExecutionKind,
    status: row.status as ExecutionStatus,
    mode: row.mode as ExecutionMode,
    attempt: row.attempt,
    revision: row.revision,
    startedAt: toTime(row.startedAt),
    ...present({
      name: row.name,
      // No execution has another id, and a lookup of one would reject.
      parentId: row.parentId !== null && isExecutionId(row.parentId) ? row.parentId : null,
      tenant: row.tenant,
      workflowId: row.workflowId,
      runId: row.runId,
      expectsHeartbeats: row.expectsHeartbeats,
      incarnation: row.incarnation,
      finishedAt: row.finishedAt && toTime(row.finishedAt),
    }),
    ...optional('usage', usageOf(toValue(row.usage))),
    ...(row.resultOmitted && { resultOmitted: true }),
    ...optional('end', endOf(row)),
  };
}

/** Other values than a position are no end: servers then append one, and store its position. */
function endOf({ endSeq: seq, endEpoch: epoch }: SummaryRow): Execution['end'] {
  return seq !== null && epoch !== null && isPosition(seq, epoch) ? { seq, epoch } : undefined;
}

/** Prisma cannot read years outside of 1 to 9999, which rows from before the check of the trigger may have. */
function toTime(at: Date): Date {
  return Number.isNaN(at.getTime()) ? new Date(0) : at;
}

/** The execution of a row. */
export function fromRow(row: Row): Execution {
  return {
    ...summaryOf(row),
    ...optional('input', toValue(row.input)),
    ...optional('error', toFailure(row.error)),
    ...resultOf(row.result),
  };
}

/** The value of a large field, as `ExecutionStore.contents` returns it. */
export function contentOf(field: ContentField, json: string): Pick<FieldContent, 'value'> {
  return optional('value', field === 'error' ? toFailure(json) : (toValue(json) ?? null));
}

/** A result that nests too deeply to be passed on counts as one that was not kept. */
function resultOf(json: string | null): Pick<Execution, 'result' | 'resultOmitted'> {
  const result = toValue(json);
  if (result !== undefined) return { result };
  return json === null ? {} : { resultOmitted: true };
}

/**
 * An error of another shape becomes one of the protocol's: a string is its message, and so is the JSON of any other
 * value; a code that is a number becomes a string. JSON `null` is no error, as NULL is.
 */
function toFailure(json: string | null): ExecutionFailure | undefined {
  const error = toValue(json);
  if (json === null || error === null) return undefined;
  if (typeof error === 'string') return { message: error };
  if (!isObject(error) || typeof error.message !== 'string') return { message: json };
  const { message, code } = error;
  const hasCode = typeof code === 'string' || typeof code === 'number';
  return { message, ...(hasCode && { code: String(code) }) };
}

/**
 * JSON text. JSON.stringify escapes U+0000 and lone surrogates, so Postgres accepts the text, and parsing it returns
 * the same string, code unit by code unit.
 */
function toJson(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

/**
 * The value of a JSON column, in which an integer that JavaScript cannot hold is a string; undefined if it is NULL, or
 * nests deeper than recursive code can process.
 */
function toValue(json: string | null): JsonValue | undefined {
  const value = json === null ? undefined : parse(json);
  return exceedsDepth(value, MAX_JSON_DEPTH) ? undefined : value;
}

/** Text that is not JSON, which an engine can store while the triggers are disabled, is a string. */
function parse(json: string): JsonValue {
  try {
    return parseExactly(json);
  } catch {
    return json;
  }
}

function isObject(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function optional<K extends string, T>(key: K, value: T | undefined): { readonly [Key in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [Key in K]: T });
}

/** The fields that are not NULL. */
function present<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
