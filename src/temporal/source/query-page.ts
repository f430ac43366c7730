// Answers of the query `getStreamState`: those of execstream/workflow, and the original system's plain
// `{ events: [{ id, type, ts, data }], status }`, in one form.

import {
  CATALOGUE,
  type EventType,
  type ExecutionStatus,
  type FailedStatus,
  isTerminal,
  MAX_DATA_BYTES,
  timestamp,
} from '../../event/events.ts';
import { exceedsDepth, MAX_JSON_DEPTH } from '../../event/json-depth.ts';
import { clampDuration } from '../../event/terminal-event.ts';
import { checkEventData } from '../../event/validation.ts';
import type { StreamPage, WorkflowEvent } from '../shared/stream-query.ts';
import { TemporalError } from './errors.ts';
import type { WorkflowRun } from './temporal-client.ts';

/**
 * Reads an answer.
 * @param since the seq that was asked after.
 * @throws TemporalError `query-failed` where the answer is of neither form, or has gaps.
 */
export function readPage(answer: unknown, run: WorkflowRun, since: number): StreamPage {
  const page = Object(answer) as Partial<StreamPage>;
  if (!Array.isArray(page.events)) throw unreadable('it has no list of events');
  const isOurs = typeof page.epoch === 'string' && typeof page.next === 'number';
  const read = isOurs ? (page as StreamPage) : plainPage(page, run, since);
  read.events.forEach(({ seq }, i) => {
    if (seq !== read.events[0]!.seq + i) throw unreadable(`seq ${seq} does not follow the one before`);
  });
  return isOurs ? { ...read, events: read.events.map(checked) } : read;
}

/** The events of a page up to its terminal one, and that by itself: it is told once Temporal says that the run has closed. */
export function splitEnd(events: readonly WorkflowEvent[]): {
  readonly told: readonly WorkflowEvent[];
  readonly end: WorkflowEvent<'complete' | 'error'> | undefined;
} {
  const at = events.findIndex(({ type }) => isTerminal(type));
  if (at < 0) return { told: events, end: undefined };
  return { told: events.slice(0, at), end: events[at] as WorkflowEvent<'complete' | 'error'> };
}

interface PlainEvent {
  readonly id?: unknown;
  readonly type?: unknown;
  readonly ts?: unknown;
  readonly data?: unknown;
}

/** All of a workflow's events in one answer, with ids in place of seqs. Each run is an incarnation of its own. */
function plainPage({ events, status }: Partial<StreamPage>, run: WorkflowRun, since: number): StreamPage {
  const all = (events as readonly PlainEvent[]).map((event, i) => plainEvent(event, i, run));
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

function plainEvent({ id, type, ts, data }: PlainEvent, i: number, run: WorkflowRun): WorkflowEvent {
  const seq = Number(id ?? i + 1);
  if (!Number.isSafeInteger(seq) || seq < 1) throw unreadable(`"${String(id).slice(0, 40)}" is no seq`);
  const at = new Date(typeof ts === 'string' || typeof ts === 'number' ? ts : run.startedAt);
  const when = timestamp(Number.isNaN(at.getTime()) ? new Date(run.startedAt) : at);
  const fields = Object(data) as Record<string, unknown>;
  const durationMs = clampDuration(durationOf(fields) ?? new Date(when).getTime() - run.startedAt);
  // What the original's ends lack, and its name for a status.
  if (type === 'complete') {
    return checked({ seq, type, ts: when, data: { ...fields, durationMs, status: 'SUCCESS' } as never });
  }
  if (type === 'error') {
    const message = String(fields.message ?? fields.error ?? 'failed');
    const { usage, code } = fields;
    const optional = {
      ...(usage !== undefined && { usage }),
      ...(code !== undefined && { code: String(code) }),
    };
    const status = failedStatusOf(fields.status);
    return checked({ seq, type, ts: when, data: { status, message, durationMs, ...optional } as never });
  }
  const named = type === 'status' ? 'workflow_status' : type;
  return checked({ seq, type: named as EventType, ts: when, data: fields as never } as WorkflowEvent);
}

function durationOf({ durationMs }: Record<string, unknown>): number | undefined {
  return Number.isSafeInteger(durationMs) ? (durationMs as number) : undefined;
}

/** An event as it may stand in a log: one that may not is told as a warning in its place, as the workflow library does. */
function checked(event: WorkflowEvent): WorkflowEvent {
  const { seq, type, ts, data } = event;
  const isKnown = Object.hasOwn(CATALOGUE, type) && CATALOGUE[type].includes('workflow');
  try {
    if (
      isKnown &&
      !exceedsDepth(data, MAX_JSON_DEPTH) &&
      Buffer.byteLength(JSON.stringify(data)) <= MAX_DATA_BYTES
    ) {
      checkEventData(type, data);
      return { seq, type, ts, data } as WorkflowEvent;
    }
  } catch {
    // Told below.
  }
  const message = `an event of type ${String(type).slice(0, 40)} was left out`;
  return { seq, type: 'warning', ts, data: { code: 'BAD_EVENT', message } };
}

const FAILED: readonly string[] = ['FAILED', 'CANCELED', 'TIMED_OUT', 'TERMINATED'] satisfies FailedStatus[];
const OPEN: readonly string[] = ['PENDING', 'RUNNING', 'WAITING', 'PAUSED'] satisfies ExecutionStatus[];

function failedStatusOf(status: unknown): FailedStatus {
  const named = String(status).toUpperCase();
  return FAILED.includes(named) ? (named as FailedStatus) : 'FAILED';
}

function statusOf(status: unknown): ExecutionStatus {
  const named = String(status).toUpperCase();
  return OPEN.includes(named) || FAILED.includes(named) || named === 'SUCCESS'
    ? (named as ExecutionStatus)
    : 'RUNNING';
}

function unreadable(why: string): TemporalError {
  return new TemporalError('query-failed', `the answer of the query cannot be read: ${why}`);
}
