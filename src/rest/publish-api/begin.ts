// `PUT …/{id}`: begins an execution, or a new attempt of it, for a publisher over HTTP.
//
// Invariants
// 1. The row is written only if the log has just responded: an unavailable log leaves nothing behind.
// 2. A begin that is rejected after that takes its row back, unless a publisher may be using the attempt. If that is
//    uncertain, or fails, the row expects heartbeats that nobody sends, and the liveness sweep ends it.
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { LivenessWriter } from '../../coordination/liveness.ts';
import { ExecstreamError, invalidInput } from '../../event/errors.ts';
import { type ExecutionKind, type JsonValue, type NewEvent, timestamp } from '../../event/events.ts';
import { checkExecutionId } from '../../event/execution-id.ts';
import type { SizeLimits } from '../../event/size-limits.ts';
import { type ParentPolicies, requireParent } from '../../execution/parent.ts';
import { type Caller, requirePublish, requirePublishScope } from '../../execution/permission.ts';
import type { Quotas } from '../../execution/quotas.ts';
import type { BeginExecution, Execution, ExecutionStore } from '../../execution/store.ts';
import { type LogHead, type LogReader, type LogWriter, MAX_BATCH_BYTES } from '../../log/log.ts';
import { prepareRun } from '../../publish/begin-run.ts';
import type { Redaction } from '../../redact/redaction.ts';
import { readBody } from '../request-body.ts';
import { createExecutionQueue } from './execution-queue.ts';
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
  workflowType: z.string().min(1).max(1_000).optional(),
  parentId: z.string().optional(),
  /** Any JSON: the body was parsed. */
  input: (z.unknown() as z.ZodType<JsonValue>).optional(),
  tenant: z.string().max(200).optional(),
  /** The log that this publisher has lost: its epoch and the last `head`. */
  lost: z.strictObject({ epoch: z.string().min(1).max(16), head: z.int().min(0) }).optional(),
});

/** A publisher's request, and the execution in its path. */
export interface PublishTarget {
  readonly request: Request;
  readonly caller: Caller;
  readonly kind: ExecutionKind;
  readonly id: string;
}

export interface BeginOptions extends ParentPolicies {
  readonly log: LogWriter & Pick<LogReader, 'findBatch'> & Pick<LivenessWriter, 'recordHeartbeat'>;
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

/** The response. */
interface Begun {
  readonly token: string;
  readonly epoch: string;
  readonly head: number;
  readonly attempt: number;
}

/** A begin whose body has been checked. */
interface Wanted {
  readonly caller: Caller;
  readonly execution: BeginExecution;
  readonly startEvent: NewEvent;
  /** A publisher that chooses its token gets the start event in every attempt and epoch. */
  readonly chosenToken: string | undefined;
  readonly lost: { readonly epoch: string; readonly head: number } | undefined;
}

/** Creates the handler. It responds with the token for subsequent batches. */
export function createBegin(options: BeginOptions) {
  const { log, store, authorizePublish, quotas, sizes, redactor, onAcknowledged, onError } = options;
  const runExclusive = createExecutionQueue();

  return async function begin({ request, caller, kind, id }: PublishTarget): Promise<Response> {
    checkExecutionId(id);
    requirePublishScope(caller);
    quotas.charge(caller, 'begins');
    const chosenToken = chosenTokenOf(request);
    const { lost, ...body } = await readBody(request, BEGIN, MAX_BATCH_BYTES);
    const tenant = caller.tenant ?? body.tenant;
    if (body.tenant !== undefined && body.tenant !== tenant) {
      throw new ExecstreamError('FORBIDDEN', 'tenant: must be your own');
    }
    const run = { ...body, id, kind, ...(tenant !== undefined && { tenant }) };
    await requirePublish(authorizePublish, caller, run);
    await requireParent(options, caller, run);
    const { execution, startEvent } = prepareRun(run, redactor(), sizes);
    const wanted = { caller, execution, startEvent, chosenToken, lost };
    // Otherwise a repeated request could begin another attempt while the first one is in progress.
    const begun = await (chosenToken === undefined ? write(wanted) : runExclusive(id, () => write(wanted)));
    return Response.json(begun, { status: 201 });
  };

  /** Writes the row and opens the log, unless a repeated request finds that both are done. */
  async function write(wanted: Wanted): Promise<Begun> {
    const { execution, chosenToken } = wanted;
    const { id } = execution;
    const [rowBefore, logBefore] = await Promise.all([store.get(id), log.head(id)]);
    const repeated = rowBefore && logBefore && (await findBegun(wanted, rowBefore, logBefore));
    if (repeated) return repeated;
    const row = await store.begin(withAttempt(execution, rowBefore, logBefore));
    try {
      const begun = await takeLog(row, wanted, rowBefore === undefined);
      // A publisher that chooses its token sends the head that it knows.
      if (chosenToken === undefined) onAcknowledged(id, begun.token, begun.head);
      return begun;
    } catch (error) {
      await undo(row, rowBefore, logBefore).catch(onError);
      throw error;
    }
  }

  /** Opens the log for a new token and appends the first event: that of a new execution, or of a new attempt. */
  async function takeLog(
    row: Execution,
    { startEvent, chosenToken, lost }: Wanted,
    isNew: boolean,
  ): Promise<Begun> {
    const { id, attempt, kind, incarnation } = row;
    const token = chosenToken ?? randomBytes(24).toString('base64url');
    const opened = await log.open(id, {
      numbering: 'auto',
      publisher: token,
      attempt,
      ...(incarnation !== undefined && { incarnation }),
      ...(lost && { lost: { epoch: lost.epoch, acknowledged: lost.head } }),
    });
    if (opened.outcome !== 'opened') throw toPublishError(opened.outcome, row);
    const { epoch, head } = opened.head;
    // The append makes this token the log's publisher: any other one is rejected from now on.
    const first = isNew || head === 0 || chosenToken !== undefined ? startEvent : statusEvent(kind);
    const batch = chosenToken === undefined ? {} : { batch: beginBatch(chosenToken, attempt) };
    const appended = await log.append(id, {
      epoch,
      acknowledged: head,
      publisher: token,
      ...batch,
      events: [first],
    });
    if (appended.outcome !== 'appended') throw toPublishError(appended.outcome, row);
    // If this fails, the liveness sweep records a heartbeat: no reason to reject a completed begin.
    await log.recordHeartbeat(id).catch(onError);
    return { token, epoch, head: appended.head, attempt };
  }

  /** What a begin has written that is repeated because its response was lost; undefined if it has not succeeded. */
  async function findBegun(
    { caller, execution, chosenToken: token, lost }: Wanted,
    row: Execution,
    { epoch, head, attempt, end }: LogHead,
  ): Promise<Begun | undefined> {
    if (token === undefined || end > 0 || attempt !== row.attempt) return undefined;
    if (execution.attempt !== undefined && execution.attempt !== attempt) return undefined;
    if (lost && lost.epoch === epoch && lost.head > head) return undefined;
    if (!(await log.findBatch(row.id, beginBatch(token, attempt)))) return undefined;
    await requirePublish(authorizePublish, caller, row);
    return { token, epoch, head, attempt };
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

/** The token that the publisher has chosen, so that it can repeat the request; undefined if the server chooses one. */
function chosenTokenOf(request: Request): string | undefined {
  const token = request.headers.get('Publisher-Token');
  if (token === null || (token.length >= 16 && token.length <= 200)) return token ?? undefined;
  throw invalidInput('header Publisher-Token: expected 16 to 200 characters, or none');
}

/** The name of the batch that begins an attempt. */
function beginBatch(token: string, attempt: number): string {
  return createHash('sha256').update(`${token} begins ${attempt}`).digest('base64url');
}

function statusEvent(kind: ExecutionKind): NewEvent {
  return { type: `${kind}_status`, ts: timestamp(), data: { status: 'RUNNING' } } as NewEvent;
}
