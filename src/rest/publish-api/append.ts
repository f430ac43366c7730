// `POST …/{id}/events`: appends a batch of events atomically, once per idempotency key.
import { createHash } from 'node:crypto';
import type { LivenessWriter } from '../../coordination/liveness.ts';
import { ExecstreamError, isExecstreamError } from '../../event/errors.ts';
import { type EventType, isFinal, isTerminal, type NewEvent, type OpenStatus } from '../../event/events.ts';
import { checkExecutionId } from '../../event/execution-id.ts';
import type { SizeLimits } from '../../event/size-limits.ts';
import {
  type AuthorizePublish,
  type Caller,
  requirePublish,
  requirePublishScope,
  unknownExecution,
} from '../../execution/permission.ts';
import type { Quotas } from '../../execution/quotas.ts';
import type { ExecutionStore, ExecutionSummary } from '../../execution/store.ts';
import { endExecution } from '../../lifecycle/end-execution.ts';
import { type LogHead, type LogReader, type LogWriter, MAX_BATCH_BYTES } from '../../log/log.ts';
import type { LogState } from '../../log/log-state.ts';
import { createLogStates } from '../../log/log-states.ts';
import type { Redaction } from '../../redact/redaction.ts';
import { bodyTooLarge, readBody, unprocessable } from '../request-body.ts';
import type { PublishTarget } from './begin.ts';
import { createComputeQueue } from './compute-queue.ts';
import { endOf } from './end.ts';
import { BATCH, checkEvents, type SentEvents } from './events.ts';
import { createExecutionQueue } from './execution-queue.ts';
import { logLost, toPublishError } from './log-outcome.ts';
import type { PublisherHeads } from './publisher-heads.ts';

/** The text of a log up to this length is tracked from its start, so that it remains known after the log is trimmed. */
const TRACKED_EVENTS = 128;

export interface AppendOptions {
  readonly log: LogWriter & Pick<LogReader, 'read' | 'findBatch'> & LivenessWriter;
  readonly store: ExecutionStore;
  readonly authorizePublish: AuthorizePublish;
  readonly quotas: Quotas;
  readonly publisherHeads: PublisherHeads;
  /** Limits of the events. */
  readonly sizes: SizeLimits;
  /** Reports an error that does not reject the request. */
  onError(error: unknown): void;
  /** Creates the redaction of one request. */
  redactor(): Redaction;
}

interface Batch {
  readonly token: string;
  /** Identifies the batch within its token: another attempt may number its batches from the start. */
  readonly name: string;
  /** Of the events in the request. */
  readonly digest: string;
  readonly sent: SentEvents;
  /** The epoch that the publisher knows, if it names one. */
  readonly epoch: string | undefined;
  /** A log whose head is below this seq has lost acknowledged events. */
  readonly minHead: number;
}

/** Creates the handler. It responds with the head of the log. */
export function createAppend(options: AppendOptions) {
  const { log, store, authorizePublish, quotas, publisherHeads, sizes, redactor, onError } = options;
  const states = createLogStates(log);
  const runExclusive = createExecutionQueue();
  const compute = createComputeQueue();

  return async function append({ request, caller, kind, id }: PublishTarget): Promise<Response> {
    checkExecutionId(id);
    requirePublishScope(caller);
    quotas.charge(caller, 'batches');
    const token = header(request, 'Publisher-Token');
    const key = header(request, 'Idempotency-Key');
    const { events: sent, epoch, attempt, abandon } = await readBody(request, BATCH, MAX_BATCH_BYTES);
    const name = digestOf(`${token} ${key}`);
    const digest = digestOf(JSON.stringify(sent));
    const head = await runExclusive(id, async () => {
      // `getMany` leaves out input and result, which may be large and are not needed.
      const [row] = await store.getMany([id]);
      if (!row || row.kind !== kind) throw unknownExecution(id);
      await requirePublish(authorizePublish, caller, row);
      if ((attempt ?? row.attempt) !== row.attempt) throw toPublishError('superseded', row);
      const minHead = publisherHeads.get(request, id, token, epoch);
      const reached = await appendBatch(row, caller, { token, name, digest, sent, epoch, minHead });
      publisherHeads.set(id, token, reached, epoch);
      if (abandon) await abandonAttempt(row);
      return reached;
    });
    return Response.json({ head });
  };

  async function appendBatch(row: ExecutionSummary, caller: Caller, batch: Batch): Promise<number> {
    const { id } = row;
    const { name, digest, sent } = batch;
    const previous = await log.findBatch(id, name);
    if (previous && previous.digest !== undefined && previous.digest !== digest) throw keyReused();
    if (previous) return previous.head;
    const opened = await openFor(row, batch);
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
        // A secret that spans two batches is not detected here; workers redact their own text.
        const checked = checkEvents(sent, { row, redaction: redactor(), sizes });
        stage(state, checked.events, checked.indices);
        return checked.events;
      });
      const appendAll = async (appending: readonly NewEvent[]): Promise<number> => {
        head = await appendOnce(row, opened, batch, appending);
        return head;
      };
      if (isEnd) await end(row, opened, events, state, appendAll);
      else await appendAll(events);
    } finally {
      state?.settle(head);
      states.evict(id);
    }
    if (isEnd) {
      await log.removeHeartbeat(id);
    } else {
      await log.recordHeartbeat(id);
      await noteStatus(row, events);
    }
    return head!;
  }

  /** Appends events as the batch; returns the head of the log. */
  async function appendOnce(
    row: ExecutionSummary,
    { epoch, head: acknowledged }: LogHead,
    { token, name, digest }: Batch,
    events: readonly NewEvent[],
  ): Promise<number> {
    const identity = { publisher: token, batch: name, batchDigest: digest };
    const appended = await log.append(row.id, { epoch, acknowledged, ...identity, events });
    if (appended.outcome === 'batch-reused') throw keyReused();
    if (appended.outcome !== 'appended') throw toPublishError(appended.outcome, row);
    return appended.head;
  }

  /** Appends a batch that ends the execution; its last event is replaced by the terminal event of the row. */
  async function end(
    row: ExecutionSummary,
    { epoch }: LogHead,
    events: readonly NewEvent[],
    state: LogState | undefined,
    appendAll: (events: readonly NewEvent[]) => Promise<number>,
  ): Promise<void> {
    const { id, attempt } = row;
    const { outcome } = await endExecution({
      end: endOf(row, events.at(-1)!, state),
      attempt,
      sizes,
      finish: (rowEnd) => store.finish(id, attempt, rowEnd),
      append: async (terminal) => ({ seq: await appendAll([...events.slice(0, -1), terminal]), epoch }),
      markEnd: (position) => store.markEnd(id, position),
    });
    if (outcome !== 'ended') throw toPublishError('superseded', row);
  }

  /** Records that no heartbeat is expected until the next attempt begins. */
  async function abandonAttempt({ id, attempt }: ExecutionSummary): Promise<void> {
    await store.abandon(id, attempt);
    await log.removeHeartbeat(id);
  }

  /** Opens the log for this token; a no-op if the same publisher and attempt have opened it before. */
  async function openFor(row: ExecutionSummary, { token, epoch, minHead }: Batch): Promise<LogHead> {
    const current = await log.head(row.id);
    if (!current || (epoch !== undefined && epoch !== current.epoch)) throw logLost();
    const opening = { numbering: 'auto', publisher: token, attempt: row.attempt } as const;
    if (current.head < minHead) {
      // The log was restored to an older state. A new epoch makes viewers discard the events that were lost.
      await log.open(row.id, { ...opening, lost: { epoch: current.epoch, acknowledged: minHead } });
      throw logLost();
    }
    const opened = await log.open(row.id, opening);
    if (opened.outcome !== 'opened') throw toPublishError(opened.outcome, row);
    return opened.head;
  }

  /** The state that the batch is validated against; undefined if it is not needed. */
  async function stateFor(
    row: ExecutionSummary,
    { head }: LogHead,
    isEnd: boolean,
  ): Promise<LogState | undefined> {
    if (row.kind === 'workflow') return undefined;
    const isNeeded = row.mode === 'STRUCTURED' || isEnd || states.has(row.id) || head <= TRACKED_EVENTS;
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
    throw error.code === 'EVENT_TOO_LARGE' ? bodyTooLarge(error.message) : unprocessable(error.message);
  }
}

function header(request: Request, name: string): string {
  const value = request.headers.get(name);
  if (value && value.length <= 200) return value;
  throw new ExecstreamError('BAD_USER_INPUT', `header ${name}: expected 1 to 200 characters`);
}

function keyReused(): Error {
  return unprocessable(
    'header Idempotency-Key: already used for a batch with other events; use a new key for each batch',
  );
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
