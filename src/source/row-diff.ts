// A row's states into the events between them. What has been told so far is summed up in a note, small enough to be
// kept in the log with each append, so that another relay goes on from there.
//
// A text is told by what was added to it. The note keeps how much of it was told and a digest of that: enough to see
// that the text of the next state begins with it. One that does not was written anew, and is told after a `reset`.
// A value is told by patches; what it was before is not in the note, so that a next relay begins with a whole value.
import { createHash, type Hash } from 'node:crypto';
import { isExecstreamError } from '../event/errors.ts';
import {
  type ExecutionStatus,
  isFinal,
  type JsonValue,
  type NewEvent,
  timestamp,
  type Usage,
} from '../event/events.ts';
import { terminalEventOf } from '../event/terminal-event.ts';
import { USAGE } from '../event/validation.ts';
import type { Execution } from '../execution/store.ts';

/** How content is parted into events that fit: the publisher's own ways, handed in where both meet. */
export interface ContentEvents {
  /** Cuts a text into pieces that fit into a chunk each. */
  splitText(text: string): string[];
  /** Takes one value after another and tells the patches between them, the whole first one included. */
  createValue(): { setValue(value: JsonValue): NewEvent[] };
}

/** What the log has been told of a row. */
export interface RowProgress {
  /** The last revision that was told whole. */
  readonly revision: number;
  readonly attempt: number;
  readonly status: ExecutionStatus;
  /** UTF-16 code units of the text, and the SHA-256 of them. */
  readonly units: number;
  readonly digest: string;
  readonly usage?: Usage;
}

/** One event, and what the log has been told with it. */
export interface Step {
  readonly event: NewEvent;
  readonly told: RowProgress;
}

export interface RowEvents {
  readonly revision: number;
  /** The events that lead to a state, to be appended in order. */
  tell(row: Execution): Step[];
}

/** Longest name that a start event may carry. */
const MAX_NAME = 1_000;

/** @param told what the log has been told before; undefined for a log that has been told nothing. */
export function createRowEvents(content: ContentEvents, told: RowProgress | undefined): RowEvents {
  let { revision = 0, attempt = 0, status = 'RUNNING', usage } = told ?? ({} as Partial<RowProgress>);
  let isStarted = told !== undefined;
  /** Told before this process took over: how much, as the note has it. */
  let before = told && told.units > 0 ? told : undefined;
  let text = '';
  let hash = createHash('sha256');
  let value = content.createValue();

  const note = (): RowProgress => ({
    revision,
    attempt,
    status,
    units: before?.units ?? text.length,
    digest: before?.digest ?? digestOf(hash),
    ...(usage && { usage }),
  });
  const step = (event: NewEvent): Step => ({ event, told: note() });

  function beginAgain(): void {
    before = undefined;
    text = '';
    hash = createHash('sha256');
    value = content.createValue();
  }

  function* tellStatus(row: Execution): Generator<NewEvent> {
    const isNews = row.status !== status && !isFinal(row.status);
    const newUsage = row.kind === 'workflow' ? usageOf(row) : undefined;
    const isUsed = newUsage !== undefined && JSON.stringify(newUsage) !== JSON.stringify(usage);
    if (!isNews && !(isUsed && !isFinal(row.status))) return;
    status = row.status;
    usage = newUsage ?? usage;
    const ts = timestamp();
    if (row.kind === 'agent') yield { type: 'agent_status', ts, data: { status } };
    else if (row.kind === 'task') yield { type: 'task_status', ts, data: { status } };
    else yield { type: 'workflow_status', ts, data: { status, ...(usage && { usage }) } };
  }

  function* tellText(row: Execution): Generator<NewEvent> {
    const { result = '' } = row;
    // A text that is none is told by the end alone.
    if (typeof result !== 'string') return;
    const whole = isFinal(row.status) ? result : result.slice(0, endOfWhole(result));
    if (before) {
      const start = whole.slice(0, before.units);
      const isSame = start.length === before.units && digestOf(newHash(start)) === before.digest;
      if (isSame) {
        text = start;
        hash = newHash(start);
        before = undefined;
      }
    }
    const ts = timestamp();
    if (before || !whole.startsWith(text)) {
      const message = 'the text of the row was not added to, but written anew';
      yield { type: 'warning', ts, data: { code: 'TEXT_REWRITTEN', message } };
      // What stood is void with the reset and not before: a relay may die in between.
      beginAgain();
      yield { type: 'reset', ts, data: { reason: 'attempt' } };
    }
    for (const piece of content.splitText(whole.slice(text.length))) {
      text += piece;
      hash.update(piece, 'utf16le');
      yield { type: 'llm_chunk', ts, data: { content: piece } };
    }
  }

  function* tellValue(row: Execution): Generator<NewEvent> {
    try {
      yield* value.setValue(row.result ?? null);
    } catch (error) {
      if (!isExecstreamError(error, 'EVENT_TOO_LARGE')) throw error;
      const data = { code: error.code, message: error.message };
      yield { type: 'warning', ts: timestamp(), data };
    }
  }

  function* tellAll(row: Execution): Generator<NewEvent> {
    if (!isStarted) yield startOf(row);
    isStarted = true;
    yield* tellStatus(row);
    // An end without a result takes nothing back.
    const hasContent = row.kind !== 'workflow' && !(isFinal(row.status) && row.result === undefined);
    if (hasContent) yield* row.mode === 'TEXT' ? tellText(row) : tellValue(row);
    const terminal = terminalEventOf({ ...row, usage: usageOf(row), error: failureOf(row) });
    if (terminal) yield terminal;
  }

  return {
    get revision() {
      return revision;
    },
    tell(row) {
      // The log itself says `reset` where it is opened for a newer attempt.
      if (row.attempt !== attempt && isStarted) beginAgain();
      attempt = row.attempt;
      const steps: Step[] = [];
      for (const event of tellAll(row)) steps.push(step(event));
      revision = row.revision;
      const last = steps.pop();
      return last ? [...steps, { ...last, told: note() }] : [];
    },
  };
}

function startOf(row: Execution): NewEvent {
  const ts = timestamp();
  const label = (row.name || row.id).slice(0, MAX_NAME);
  if (row.kind === 'agent') return { type: 'agent_start', ts, data: { agentId: label } };
  if (row.kind === 'task') return { type: 'task_start', ts, data: { taskId: label } };
  const { workflowId = row.id, runId = row.id } = row;
  return { type: 'workflow_start', ts, data: { workflowId, workflowType: label, runId } };
}

/** Engines write these columns as they like: what is not of the protocol's shape does not reach a stream. */
function usageOf(row: Execution): Usage | undefined {
  const checked = USAGE.safeParse(row.usage);
  return checked.success ? (checked.data as Usage) : undefined;
}

function failureOf({ error }: Execution): Execution['error'] {
  if (error === undefined || typeof error.message === 'string') return error;
  return { message: typeof error === 'string' ? error : JSON.stringify(error) };
}

/** Where a text that may go on ends for now: not inside a surrogate pair or a CRLF. */
function endOfWhole(text: string): number {
  const last = text.charCodeAt(text.length - 1);
  const isOpen = last === 0x0d || (last >= 0xd800 && last <= 0xdbff);
  return isOpen ? text.length - 1 : text.length;
}

function newHash(text: string): Hash {
  return createHash('sha256').update(text, 'utf16le');
}

function digestOf(hash: Hash): string {
  return hash.copy().digest('base64');
}
