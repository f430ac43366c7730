// `PUT …/{id}`: begins an execution, or a new attempt of it, for a publisher over HTTP.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ExecstreamError } from '../../event/error.ts';
import { checkExecutionId } from '../../event/id.ts';
import { type ExecutionKind, type JsonValue, type NewEvent, timestamp } from '../../event/types.ts';
import {
  type AuthorizePublish,
  type Caller,
  requirePublish,
  requirePublishScope,
} from '../../execution/permission.ts';
import type { ExecutionStore } from '../../execution/store.ts';
import type { EventLog } from '../../log/log.ts';
import { MAX_BATCH_BYTES } from '../../log/log.ts';
import type { Redaction } from '../../publish/redact/redaction.ts';
import { prepareRun } from '../../publish/start.ts';
import { readBody } from '../body.ts';
import { toPublishError } from './log-outcome.ts';

/** The body of `PUT …/{id}`. */
export const BEGIN = z.strictObject({
  mode: z.enum(['TEXT', 'STRUCTURED']),
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

/** A publisher's request, and the execution that its path names. */
export interface PublishTarget {
  readonly request: Request;
  readonly caller: Caller;
  readonly kind: ExecutionKind;
  readonly id: string;
}

export interface BeginOptions {
  readonly log: Pick<EventLog, 'open' | 'append' | 'keepAlive'>;
  readonly store: ExecutionStore;
  readonly authorizePublish: AuthorizePublish;
  /** Makes a redaction for one request. */
  redactor(): Redaction;
  /** Notes the head that was acknowledged to this publisher. */
  onAcknowledged(executionId: string, token: string, head: number): void;
}

/** Makes the handler. It responds with the token that the batches carry. */
export function createBegin({ log, store, authorizePublish, redactor, onAcknowledged }: BeginOptions) {
  return async function begin({ request, caller, kind, id }: PublishTarget): Promise<Response> {
    checkExecutionId(id);
    requirePublishScope(caller);
    const body = await readBody(request, BEGIN, MAX_BATCH_BYTES);
    const tenant = caller.tenant ?? body.tenant;
    if (body.tenant !== undefined && body.tenant !== tenant) {
      throw new ExecstreamError('FORBIDDEN', 'tenant: another one than yours');
    }
    const run = { ...body, id, kind, ...(tenant !== undefined && { tenant }) };
    await requirePublish(authorizePublish, caller, run);
    const { execution, startEvent } = prepareRun(run, redactor());
    const row = await store.begin(execution);
    const token = randomBytes(24).toString('base64url');
    const opened = await log.open(id, { numbering: 'auto', publisher: token, attempt: row.attempt });
    if (opened.outcome !== 'opened') throw toPublishError(opened.outcome, row);
    const { epoch, head } = opened.head;
    // Always one event: from now on this token holds the log, and a second publisher is rejected.
    const first = head === 0 ? startEvent : statusEvent(kind);
    const appended = await log.append(id, { epoch, acknowledged: head, publisher: token, events: [first] });
    if (appended.outcome !== 'appended') throw toPublishError(appended.outcome, row);
    await log.keepAlive(id);
    onAcknowledged(id, token, appended.head);
    const answer = { token, epoch, head: appended.head, attempt: row.attempt };
    return Response.json(answer, { status: 201 });
  };
}

function statusEvent(kind: ExecutionKind): NewEvent {
  return { type: `${kind}_status`, ts: timestamp(), data: { status: 'RUNNING' } } as NewEvent;
}
