// `POST …/{id}/events`: appends a batch of events as a whole, once for its idempotency key.
import { createHash } from 'node:crypto';
import type { LivenessWriter } from '../../coordination/liveness.ts';
import { ExecstreamError, isExecstreamError } from '../../event/errors.ts';
import { type EventType, isFinal, isTerminal, type NewEvent, type OpenStatus } from '../../event/events.ts';
import { checkExecutionId } from '../../event/execution-id.ts';
import {
  type AuthorizePublish,
  type Caller,
  requirePublish,
  requirePublishScope,
  unknownExecution,
} from '../../execution/permission.ts';
import type { Quotas } from '../../execution/quotas.ts';
import type { ExecutionStore, ExecutionSummary } from '../../execution/store.ts';
import { type LogHead, type LogReader, type LogWriter, MAX_BATCH_BYTES } from '../../log/log.ts';
import type { LogState } from '../../log/log-state.ts';
import { createLogStates } from '../../log/log-states.ts';
import type { Redaction } from '../../redact/redaction.ts';
import { readBody, tooLarge, unprocessable } from '../request-body.ts';
import type { PublishTarget } from './begin.ts';
import { createComputeQueue } from './compute-queue.ts';
import { finishRow } from './end.ts';
import { BATCH, checkEvents, type SentEvents } from './events.ts';
import { createTurns } from './execution-queue.ts';
import { logLost, toPublishError } from './log-outcome.ts';
import type { createAcknowledged } from './publisher-heads.ts';

/** A text whose log is not longer is followed from its beginning, so that it is still known once the log is trimmed. */
const FOLLOWED_EVENTS = 128;

export interface AppendOptions {
  readonly log: LogWriter & Pick<LogReader, 'read' | 'findBatch'> & LivenessWriter;
  readonly store: ExecutionStore;
  readonly authorizePublish: AuthorizePublish;
  readonly quotas: Quotas;
  readonly acknowledged: ReturnType<typeof createAcknowledged>;
  /** Is given what failed and does not reject the request. */
  onError(error: unknown): void;
  /** Makes a redaction for one request. */
  redactor(): Redaction;
}

interface Batch {
  readonly token: string;
  /** Identifies the batch within its token: another attempt may number its batches from the start. */
  readonly name: string;
  /** Of the events as they were sent. */
  readonly digest: string;
  readonly sent: SentEvents;
  /** The log must have reached it, or it has lost events that were acknowledged. */
  readonly atLeast: number;
}

/** Makes the handler. It responds with the head of the log. */
export function createAppend(options: AppendOptions) {
  const { log, store, authorizePublish, quotas, acknowledged, redactor, onError } = options;
  const states = createLogStates(log);
  const inTurn = createTurns();
  const compute = createComputeQueue();

  return async function append({ request, caller, kind, id }: PublishTarget): Promise<Response> {
    checkExecutionId(id);
    requirePublishScope(caller);
    quotas.charge(caller, 'batches');
    const token = header(request, 'Publisher-Token');
    const key = header(request, 'Idempotency-Key');
    const { events: sent } = await readBody(request, BATCH, MAX_BATCH_BYTES);
    const name = digestOf(`${token} ${key}`);
    const digest = digestOf(JSON.stringify(sent));
    const head = await inTurn(id, async () => {
      // Without its input and result, which may be large and are not needed.
      const [row] = await store.getMany([id]);
      if (!row || row.kind !== kind) throw unknownExecution(id);
      await requirePublish(authorizePublish, caller, row);
      const atLeast = acknowledged.of(request, id, token);
      const reached = await appendBatch(row, caller, { token, name, digest, sent, atLeast });
      acknowledged.note(id, token, reached);
      return reached;
    });
    return Response.json({ head });
  };

  async function appendBatch(row: ExecutionSummary, caller: Caller, batch: Batch): Promise<number> {
    const { id } = row;
    const { token, name, digest, sent, atLeast } = batch;
    const known = await log.findBatch(id, name);
    if (known && known.digest !== undefined && known.digest !== digest) throw keyReused();
    if (known) return known.head;
    const opened = await openFor(row, token, atLeast);
    if (sent.length === 0) {
      await log.recordHeartbeat(id);
      return opened.head;
    }
    const isEnd = isTerminal(sent.at(-1)!.type as EventType);
    const state = await stateFor(row, opened, isEnd);
    let head: number | undefined;
    let events: NewEvent[];
    try {
      events = await compute(caller, () => {
        const checked = checkEvents(sent, row);
        // An event at a time: a secret that two batches share is the worker's to keep back.
        const redacted = redactor().json(checked.events);
        stage(state, redacted, checked.indices);
        return redacted;
      });
      const end = isEnd ? await finishRow(store, row, events.at(-1)!, state) : undefined;
      const appending = end ? [...events.slice(0, -1), end] : events;
      const { epoch, head: acknowledged } = opened;
      const identity = { publisher: token, batch: name, batchDigest: digest };
      const request = { epoch, acknowledged, ...identity, events: appending };
      const appended = await log.append(id, request);
      if (appended.outcome === 'batch-reused') throw keyReused();
      if (appended.outcome !== 'appended') throw toPublishError(appended.outcome, row);
      head = appended.head;
    } finally {
      state?.settle(head);
      states.evict(id);
    }
    if (isEnd) {
      await store.markEnd(id, { seq: head, epoch: opened.epoch });
      await log.removeHeartbeat(id);
    } else {
      await log.recordHeartbeat(id);
      await noteStatus(row, events);
    }
    return head;
  }

  /** The log, which this token holds. Opening it again by the same publisher and attempt changes nothing. */
  async function openFor(row: ExecutionSummary, token: string, atLeast: number): Promise<LogHead> {
    const found = await log.head(row.id);
    if (!found) throw logLost();
    const opening = { numbering: 'auto', publisher: token, attempt: row.attempt } as const;
    if (found.head < atLeast) {
      // The log was restored to an older state. A new epoch tells viewers that what follows is not what they have seen.
      await log.open(row.id, { ...opening, lost: { epoch: found.epoch, acknowledged: atLeast } });
      throw logLost();
    }
    const held = await log.open(row.id, opening);
    if (held.outcome !== 'opened') throw toPublishError(held.outcome, row);
    return held.head;
  }

  /** The state that the batch is checked against; undefined where nothing needs it. */
  async function stateFor(
    row: ExecutionSummary,
    { head }: LogHead,
    isEnd: boolean,
  ): Promise<LogState | undefined> {
    if (row.kind === 'workflow') return undefined;
    const isNeeded = row.mode === 'STRUCTURED' || isEnd || states.has(row.id) || head <= FOLLOWED_EVENTS;
    return isNeeded ? states.read(row.id) : undefined;
  }

  /** Copies a status of the execution itself to its row. A row that cannot be written does not fail the batch. */
  async function noteStatus(row: ExecutionSummary, events: readonly NewEvent[]): Promise<void> {
    const own = events.findLast(
      (event) => event.type === `${row.kind}_status` && !('executionId' in event.data),
    );
    const status = (own?.data as { status?: ExecutionSummary['status'] } | undefined)?.status;
    if (!status || isFinal(status) || status === row.status) return;
    await store.setStatus(row.id, row.attempt, status as OpenStatus).catch(onError);
  }
}

function stage(state: LogState | undefined, events: readonly NewEvent[], indices: readonly number[]): void {
  try {
    state?.stage(events, (i) => `events.${indices[i]}`);
  } catch (error) {
    if (!isExecstreamError(error)) throw error;
    throw error.code === 'EVENT_TOO_LARGE' ? tooLarge(error.message) : unprocessable(error.message);
  }
}

function header(request: Request, name: string): string {
  const value = request.headers.get(name);
  if (value && value.length <= 200) return value;
  throw new ExecstreamError('BAD_USER_INPUT', `header ${name}: expected 1 to 200 characters`);
}

function keyReused(): Error {
  return unprocessable(
    'header Idempotency-Key: was used before for a batch with other events; use a new key for each batch',
  );
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
