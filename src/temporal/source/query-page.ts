// Results of the query `getStreamState`, validated and in one form: those of execstream/workflow, and the plain
// `{ events: [{ id, type, ts, data }], status }` of other implementations.
import { messageOf } from '../../event/error-message.ts';
import {
  CATALOGUE,
  type EventType,
  type ExecutionStatus,
  type FailedStatus,
  isPublishable,
  isTerminal,
  timestamp,
} from '../../event/events.ts';
import { exceedsDepth, MAX_JSON_DEPTH } from '../../event/json-depth.ts';
import { fitData } from '../../event/omit-fields.ts';
import type { SizeLimits } from '../../event/size-limits.ts';
import { clampDuration, endSummary, errorData } from '../../event/terminal-event.ts';
import { usageOf } from '../../event/usage.ts';
import { checkEventData } from '../../event/validation.ts';
import type { WorkflowEnd } from '../row-end.ts';
import { leftOutMessage, type StreamPage, type WorkflowEvent } from '../shared/stream-query.ts';
import { TemporalError } from './errors.ts';
import type { WorkflowRun } from './temporal-client.ts';

/**
 * Validates a result.
 * @param since the argument of the query.
 * @param sizes limits of the events; fields that do not fit are omitted.
 * @throws TemporalError `query-failed` if the result has neither form, or has gaps.
 */
export function readQueryPage(
  result: unknown,
  run: WorkflowRun,
  since: number,
  sizes: SizeLimits,
): StreamPage {
  const page = Object(result) as Partial<StreamPage>;
  if (!Array.isArray(page.events)) throw invalidResult('events: expected a list');
  const isOwn = typeof page.epoch === 'string' && typeof page.next === 'number';
  const read = isOwn ? (page as StreamPage) : plainPage(page, run, since, sizes);
  read.events.forEach(({ seq }, i) => {
    if (seq !== read.events[0]!.seq + i) throw invalidResult(`seq ${seq} does not follow the one before`);
  });
  return isOwn ? { ...read, events: read.events.map((event) => validEvent(event, sizes)) } : read;
}

/** Separates the terminal event, which is held back until Temporal has closed the run. */
export function splitEnd(events: readonly WorkflowEvent[]): {
  readonly events: readonly WorkflowEvent[];
  readonly end: WorkflowEnd | undefined;
} {
  const at = events.findIndex(({ type }) => isTerminal(type));
  if (at < 0) return { events, end: undefined };
  return { events: events.slice(0, at), end: events[at] as WorkflowEnd };
}

interface PlainEvent {
  readonly id?: unknown;
  readonly type?: unknown;
  readonly ts?: unknown;
  readonly data?: unknown;
}

/** The plain form: all events in one result, with ids in place of seqs. Each run has its own numbering. */
function plainPage(
  { events, status }: Partial<StreamPage>,
  run: WorkflowRun,
  since: number,
  sizes: SizeLimits,
): StreamPage {
  const all = (events as readonly PlainEvent[]).map((event, i) => plainEvent(event, i, run, sizes));
  const { runId, firstRunId, attempt, workflowId: executionId } = run;
  const base = all.length > 0 ? all[0]!.seq - 1 : 0;
  return {
    epoch: runId,
    base,
    next: (all.at(-1)?.seq ?? 0) + 1,
    runId,
    firstRunId,
    executionId,
    attempt,
    status: statusOf(status),
    events: all.filter(({ seq }) => seq > since),
  };
}

function plainEvent(
  { id, type, ts, data }: PlainEvent,
  i: number,
  run: WorkflowRun,
  sizes: SizeLimits,
): WorkflowEvent {
  const seq = Number(id ?? i + 1);
  if (!Number.isSafeInteger(seq) || seq < 1)
    throw invalidResult(`id: expected a positive integer, got "${String(id).slice(0, 40)}"`);
  const date = new Date(typeof ts === 'string' || typeof ts === 'number' ? ts : run.startedAt);
  const time = timestamp(Number.isNaN(date.getTime()) ? new Date(run.startedAt) : date);
  const fields = Object(data) as Record<string, unknown>;
  const durationMs = clampDuration(durationOf(fields) ?? new Date(time).getTime() - run.startedAt);
  // The plain form lacks fields of the terminal events, and names the status event differently. Usage that cannot be read
  // must not cost a terminal event.
  const usage = usageOf(fields.usage);
  if (type === 'complete') {
    const completed = { ...fields, usage, durationMs, status: 'SUCCESS' };
    return validEvent({ seq, type, ts: time, data: completed as never }, sizes);
  }
  if (type === 'error') {
    const message = messageOf(fields.message ?? fields.error ?? 'failed');
    const { code } = fields;
    const error = { message, code: code === undefined ? undefined : messageOf(code) };
    const summary = endSummary(usage, durationMs);
    const failed = errorData(failedStatusOf(fields.status), error, summary, sizes);
    return validEvent({ seq, type, ts: time, data: failed }, sizes);
  }
  const mapped = type === 'status' ? 'workflow_status' : type;
  return validEvent(
    { seq, type: mapped as EventType, ts: time, data: fields as never } as WorkflowEvent,
    sizes,
  );
}

function durationOf({ durationMs }: Record<string, unknown>): number | undefined {
  return Number.isSafeInteger(durationMs) ? (durationMs as number) : undefined;
}

/** An event that a log accepts. An invalid one is replaced by a warning, as the workflow library does. */
function validEvent(event: WorkflowEvent, sizes: SizeLimits): WorkflowEvent {
  const { seq, type, ts, data } = event;
  const isKnown = Object.hasOwn(CATALOGUE, type) && isPublishable(type, 'workflow');
  try {
    if (isKnown && !exceedsDepth(data, MAX_JSON_DEPTH)) {
      return { seq, type, ts, data: fitData(type, checkEventData(type, data), sizes) } as WorkflowEvent;
    }
  } catch {
    // Replaced below.
  }
  return { seq, type: 'warning', ts, data: { code: 'BAD_EVENT', message: leftOutMessage(type) } };
}

const FAILED: readonly string[] = ['FAILED', 'CANCELED', 'TIMED_OUT', 'TERMINATED'] satisfies FailedStatus[];
const OPEN: readonly string[] = ['PENDING', 'RUNNING', 'WAITING', 'PAUSED'] satisfies ExecutionStatus[];

function failedStatusOf(status: unknown): FailedStatus {
  const name = String(status).toUpperCase();
  return FAILED.includes(name) ? (name as FailedStatus) : 'FAILED';
}

function statusOf(status: unknown): ExecutionStatus {
  const name = String(status).toUpperCase();
  return OPEN.includes(name) || FAILED.includes(name) || name === 'SUCCESS'
    ? (name as ExecutionStatus)
    : 'RUNNING';
}

function invalidResult(reason: string): TemporalError {
  return new TemporalError('query-failed', `invalid result of the query: ${reason}`);
}
