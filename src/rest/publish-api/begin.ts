// `PUT …/{id}`: begins an execution, or a new attempt of it, for a publisher over HTTP.
//
// Invariants
// 1. The row is written only if the log has just responded: an unavailable log leaves nothing behind.
// 2. A begin that is rejected after that takes its row back, unless a publisher may be using the attempt. If that is
//    uncertain, or fails, the row expects heartbeats that nobody sends, and the liveness sweep ends it.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { LivenessWriter } from '../../coordination/liveness.ts';
import { ExecstreamError } from '../../event/errors.ts';
import { type ExecutionKind, type JsonValue, type NewEvent, timestamp } from '../../event/events.ts';
import { checkExecutionId } from '../../event/execution-id.ts';
import type { SizeLimits } from '../../event/size-limits.ts';
import { type ParentPolicies, requireParent } from '../../execution/parent.ts';
import { type Caller, requirePublish, requirePublishScope } from '../../execution/permission.ts';
import type { Quotas } from '../../execution/quotas.ts';
import type { BeginExecution, Execution, ExecutionStore } from '../../execution/store.ts';
import { type LogHead, type LogWriter, MAX_BATCH_BYTES } from '../../log/log.ts';
import { prepareRun } from '../../publish/begin-run.ts';
import type { Redaction } from '../../redact/redaction.ts';
import { readBody } from '../request-body.ts';
import { toPublishError } from './log-outcome.ts';

/** The body of `PUT …/{id}`. */
export const BEGIN = z.strictObject({
  /** By default as for the library: TEXT, and STRUCTURED for a workflow. */
  mode: z.enum(['TEXT', 'STRUCTURED']).optional(),
  attempt: z.int().min(1).optional(),
  name: z.string().max(1_000).optional(),
  agentId: z.string().min(1).max(1_000).optional(),
  taskId: z.string().min(1).max(1_000).optional(),
  action: z.string().max(1_000).optional(),
  parentId: z.string().optional(),
  /** Any JSON: the body was parsed. */
  input: (z.unknown() as z.ZodType<JsonValue>).optional(),
  tenant: z.string().max(200).optional(),
});

/** A publisher's request, and the execution in its path. */
export interface PublishTarget {
  readonly request: Request;
  readonly caller: Caller;
  readonly kind: ExecutionKind;
  readonly id: string;
}

export interface BeginOptions extends ParentPolicies {
  readonly log: LogWriter & Pick<LivenessWriter, 'recordHeartbeat'>;
  readonly store: ExecutionStore;
  readonly quotas: Quotas;
  /** Limits of the start event. */
  readonly sizes: SizeLimits;
  /** Creates the redaction of one request. */
  redactor(): Redaction;
  /** Reports an error that does not reject the request. */
  onError(error: unknown): void;
  /** Notes the head that was acknowledged to this publisher. */
  onAcknowledged(executionId: string, token: string, head: number): void;
}

/** Creates the handler. It responds with the token for subsequent batches. */
export function createBegin(options: BeginOptions) {
  const { log, store, authorizePublish, quotas, sizes, redactor, onAcknowledged, onError } = options;

  return async function begin({ request, caller, kind, id }: PublishTarget): Promise<Response> {
    checkExecutionId(id);
    requirePublishScope(caller);
    quotas.charge(caller, 'begins');
    const body = await readBody(request, BEGIN, MAX_BATCH_BYTES);
    const tenant = caller.tenant ?? body.tenant;
    if (body.tenant !== undefined && body.tenant !== tenant) {
      throw new ExecstreamError('FORBIDDEN', 'tenant: must be your own');
    }
    const run = { ...body, id, kind, ...(tenant !== undefined && { tenant }) };
    await requirePublish(authorizePublish, caller, run);
    await requireParent(options, caller, run);
    const { execution, startEvent } = prepareRun(run, redactor(), sizes);
    const [rowBefore, logBefore] = await Promise.all([store.get(id), log.head(id)]);
    const row = await store.begin(withAttempt(execution, rowBefore, logBefore));
    try {
      const { token, epoch, head } = await takeLog(row, startEvent, rowBefore === undefined);
      onAcknowledged(id, token, head);
      return Response.json({ token, epoch, head, attempt: row.attempt }, { status: 201 });
    } catch (error) {
      await undo(row, rowBefore, logBefore).catch(onError);
      throw error;
    }
  };

  /** Opens the log for a new token and appends the first event: that of a new execution, or of a new attempt. */
  async function takeLog(row: Execution, startEvent: NewEvent, isNew: boolean) {
    const { id, attempt, kind, incarnation } = row;
    const token = randomBytes(24).toString('base64url');
    const request = { numbering: 'auto', publisher: token, attempt } as const;
    const opened = await log.open(id, incarnation === undefined ? request : { ...request, incarnation });
    if (opened.outcome !== 'opened') throw toPublishError(opened.outcome, row);
    const { epoch, head } = opened.head;
    // The append makes this token the log's publisher: any other one is rejected from now on.
    const first = isNew || head === 0 ? startEvent : statusEvent(kind);
    const appended = await log.append(id, { epoch, acknowledged: head, publisher: token, events: [first] });
    if (appended.outcome !== 'appended') throw toPublishError(appended.outcome, row);
    // If this fails, the liveness sweep records a heartbeat: no reason to reject a completed begin.
    await log.recordHeartbeat(id).catch(onError);
    return { token, epoch, head: appended.head };
  }

  /** Reverts what `begin` wrote. */
  async function undo(row: Execution, rowBefore?: Execution, logBefore?: LogHead): Promise<void> {
    if (row.revision === rowBefore?.revision) return;
    const logNow = await log.head(row.id);
    const isNew = rowBefore === undefined;
    if (!mayBeInUse(row.attempt, isNew, logBefore, logNow)) await store.undoBegin(row, rowBefore);
  }
}

/**
 * A log that is ahead of its row belongs to a row that was removed, or to an attempt that was reverted too early. The
 * next attempt then follows the log's.
 */
function withAttempt(execution: BeginExecution, row?: Execution, log?: LogHead): BeginExecution {
  const isAhead = log && log.head > 0 && log.end === 0 && log.attempt > (row?.attempt ?? 0);
  return isAhead && execution.attempt === undefined ? { ...execution, attempt: log.attempt + 1 } : execution;
}

/** Whether a publisher may have opened the log for this attempt since the row was written. */
function mayBeInUse(attempt: number, isNew: boolean, before?: LogHead, now?: LogHead): boolean {
  if (!now || now.attempt < attempt) return false;
  // Opened by this call, whose response was lost. The next begin of this attempt can open it again.
  if (isNew && now.head === 0) return false;
  return before?.epoch !== now.epoch || before.attempt !== now.attempt || before.head !== now.head;
}

function statusEvent(kind: ExecutionKind): NewEvent {
  return { type: `${kind}_status`, ts: timestamp(), data: { status: 'RUNNING' } } as NewEvent;
}
