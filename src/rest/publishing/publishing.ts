// Publishing over HTTP, for workers in any language (protocol, "Publishing over HTTP").
import { createHash } from 'node:crypto';
import { ExecstreamError, messageOf } from '../../event/error.ts';
import { checkExecutionId } from '../../event/id.ts';
import { isFinal, isTerminal, type NewEvent, type OpenStatus } from '../../event/types.ts';
import {
  type AuthorizePublish,
  publishTenant,
  requirePublish,
  requirePublishScope,
  unknownExecution,
} from '../../execution/permission.ts';
import type { Execution, ExecutionEnd, ExecutionStore } from '../../execution/store.ts';
import { terminalOf } from '../../execution/terminal.ts';
import { applyPatch, createFolds, type Fold, patched } from '../../log/fold.ts';
import { type EventLog, MAX_BATCH_BYTES } from '../../log/log.ts';
import { createRedactor } from '../../publish/redact/redaction.ts';
import { readBody, unprocessable } from '../body.ts';
import { createAcknowledged } from './acknowledged.ts';
import { createBegin, type PublishTarget } from './begin.ts';
import { BATCH, checkEvents } from './events.ts';
import { logLost as lost, toPublishError as refusalOf } from './log-outcome.ts';
import { createTurns } from './turns.ts';

export interface PublishingOptions {
  readonly log: Pick<EventLog, 'open' | 'append' | 'head' | 'read' | 'batchHead' | 'keepAlive' | 'forget'>;
  readonly store: ExecutionStore;
  /** Who may publish what; by default every caller their tenant's. */
  readonly authorizePublish?: AuthorizePublish | undefined;
}

/** Makes the two handlers. They throw ExecstreamErrors, and Refusals that have their answer already. */
export function createPublishing({ log, store, authorizePublish = publishTenant }: PublishingOptions) {
  const fold = createFolds(log);
  const redactor = createRedactor();
  const inTurn = createTurns();
  const acknowledged = createAcknowledged();
  const onAcknowledged = acknowledged.note;
  const begin = createBegin({ log, store, authorizePublish, redactor, onAcknowledged });

  /** `POST …/{id}/events`: appends a batch whole, once for its key. */
  async function append({ request, caller, kind, id }: PublishTarget): Promise<Response> {
    checkExecutionId(id);
    requirePublishScope(caller);
    const token = header(request, 'Publisher-Token');
    const key = header(request, 'Idempotency-Key');
    const { events } = await readBody(request, BATCH, MAX_BATCH_BYTES);
    const head = await inTurn(id, async () => {
      const row = await store.get(id);
      if (!row || row.kind !== kind) throw unknownExecution(id);
      await requirePublish(authorizePublish, caller, row);
      // An event at a time: a secret that two batches share is the worker's to keep back.
      const batch = { token, key, events: redactor().json(checkEvents(events, row)) };
      const reached = await appendBatch(row, batch, acknowledged.of(request, id, token));
      acknowledged.note(id, token, reached);
      return reached;
    });
    return Response.json({ head });
  }

  async function appendBatch(
    row: Execution,
    { token, key, events }: { token: string; key: string; events: NewEvent[] },
    atLeast: number,
  ): Promise<number> {
    const { id } = row;
    // By token, too: another attempt may count its batches anew.
    const batch = createHash('sha256').update(`${token} ${key}`).digest('base64url');
    const known = await log.batchHead(id, batch);
    if (known !== undefined) return known;
    // The same publisher and attempt: changes nothing, and tells whether the token still holds the log.
    const where = await log.head(id);
    if (!where) throw lost();
    const opening = { numbering: 'auto', publisher: token, attempt: row.attempt } as const;
    if (where.head < atLeast) {
      // Put back to an older state. Viewers must not take what comes for what was: another epoch begins.
      await log.open(id, { ...opening, lost: { epoch: where.epoch, acknowledged: atLeast } });
      throw lost();
    }
    const held = await log.open(id, opening);
    if (held.outcome !== 'opened') throw refusalOf(held.outcome, row);
    if (events.length === 0) {
      await log.keepAlive(id);
      return held.head.head;
    }
    if (row.mode === 'STRUCTURED') checkPatches(await fold(id), events);

    const last = events.at(-1)!;
    const appending = isTerminal(last.type)
      ? [...events.slice(0, -1), await finish(row, last, events)]
      : events;
    const { epoch, head } = held.head;
    const sent = { epoch, acknowledged: head, publisher: token, batch, events: appending };
    const appended = await log.append(id, sent);
    if (appended.outcome !== 'appended') throw refusalOf(appended.outcome, row);
    if (isTerminal(last.type)) {
      await store.markEnd(id, { seq: appended.head, epoch });
      await log.forget(id);
    } else {
      await log.keepAlive(id);
      await noteStatus(row, events);
    }
    return appended.head;
  }

  /** The row ends before the terminal event can be seen; the first end wins. */
  async function finish(row: Execution, terminal: NewEvent, events: readonly NewEvent[]): Promise<NewEvent> {
    const ended = await store.finish(row.id, row.attempt, await endOf(row, terminal, events));
    if (!ended || ended.attempt !== row.attempt || !isFinal(ended.status)) throw refusalOf('superseded', row);
    return terminalOf(ended)!;
  }

  async function endOf(
    row: Execution,
    terminal: NewEvent,
    events: readonly NewEvent[],
  ): Promise<ExecutionEnd> {
    const { data } = terminal;
    if (terminal.type === 'error') {
      const { status, message, code, usage } = terminal.data;
      return { status, error: { message, ...(code && { code }) }, ...(usage && { usage }) };
    }
    const { result, usage } = data as { result?: ExecutionResult; usage?: Execution['usage'] };
    const whole = result ?? (row.kind === 'workflow' ? undefined : wholeOf(row, await fold(row.id), events));
    return { status: 'SUCCESS', ...(whole !== undefined && { result: whole }), ...(usage && { usage }) };
  }

  /** A status of the execution itself stands on its row too. A row that cannot be written does not fail the batch. */
  async function noteStatus(row: Execution, events: readonly NewEvent[]): Promise<void> {
    const own = events.findLast(
      (event) => event.type === `${row.kind}_status` && !('executionId' in event.data),
    );
    const status = (own?.data as { status?: Execution['status'] } | undefined)?.status;
    if (!status || isFinal(status) || status === row.status) return;
    await store.setStatus(row.id, row.attempt, status as OpenStatus).catch(() => {});
  }

  return { begin, append };
}

type ExecutionResult = Exclude<Execution['result'], undefined>;

function header(request: Request, name: string): string {
  const value = request.headers.get(name);
  if (value && value.length <= 200) return value;
  throw new ExecstreamError('BAD_USER_INPUT', `header ${name}: expected 1 to 200 characters`);
}

function checkPatches({ value }: Fold, events: readonly NewEvent[]): void {
  let current = value;
  events.forEach((event, i) => {
    if (event.type !== 'structured_delta') return;
    // Nothing can be said of a patch for a value that the log has lost.
    if (current === undefined && event.data.patch[0]?.path !== '') return;
    try {
      current = applyPatch(current ?? null, event.data.patch);
    } catch (error) {
      const [reason] = messageOf(error).split('\n');
      throw unprocessable(`events.${i}: structured_delta: the patch does not apply: ${reason}`);
    }
  });
}

/** The text or value with the batch's own events: the default result. */
function wholeOf(
  { mode }: Execution,
  { text, value }: Fold,
  events: readonly NewEvent[],
): ExecutionResult | undefined {
  if (mode === 'STRUCTURED') {
    return events.reduce(
      (whole, event) => (event.type === 'structured_delta' ? patched(whole, event.data.patch) : whole),
      value,
    );
  }
  if (text === undefined) return undefined;
  return text + events.map((event) => (event.type === 'llm_chunk' ? event.data.content : '')).join('');
}
