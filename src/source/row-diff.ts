// The events between two states of a row. How far a row has been published is summed up in a note, small enough to be
// stored in the log with each append, so that another server can continue.
//
// A text is published as the chunks that were added to it. The note has the length of the published text and a digest,
// which suffices to check that the text of the next state begins with it. A text that does not was rewritten, and is
// published from its start after a `reset`. A value is published as patches. The note does not have the previous value,
// so a server that continues begins with a whole value.
import { createHash, type Hash } from 'node:crypto';
import { initialContent, reduceContent } from '../event/content-state.ts';
import {
  type ExecutionStatus,
  isFinal,
  type JsonValue,
  type NewEvent,
  timestamp,
  type Usage,
} from '../event/events.ts';
import type { SizeLimits } from '../event/size-limits.ts';
import { fitsUsage, terminalEventOf } from '../event/terminal-event.ts';
import { splitText } from '../event/text.ts';
import type { Execution } from '../execution/store.ts';

/** How content is split into events that fit: the publisher's implementation, passed in where both are assembled. */
export interface ContentEvents {
  /** Limits of the events. */
  readonly sizes: SizeLimits;
  /** Takes successive values and returns the patches between them; the first is a whole value. */
  createValue(): { setValue(value: JsonValue): NewEvent[] };
}

/** How far a row has been published to its log. */
export interface RowProgress {
  /** The last revision that was published completely. */
  readonly revision: number;
  readonly attempt: number;
  readonly status: ExecutionStatus;
  /** UTF-16 code units of the published text, and the SHA-256 of them. */
  readonly units: number;
  readonly digest: string;
  readonly usage?: Usage;
}

/** One event, and how far the row is published once it is appended. */
export interface Step {
  readonly event: NewEvent;
  readonly progress: RowProgress;
}

export interface RowEvents {
  readonly revision: number;
  /** The events that lead to a state of the row, to be appended in order. */
  eventsFor(row: Execution): Step[];
}

/** UTF-16 code units of a name or an id in a start event. */
const MAX_NAME = 1_000;

/** @param progress how far the log is; undefined for a log without events of the row */
export function createRowEvents(content: ContentEvents, progress: RowProgress | undefined): RowEvents {
  let { revision = 0, attempt = 0, status = 'RUNNING', usage } = progress ?? ({} as Partial<RowProgress>);
  let isStarted = progress !== undefined;
  /** The text that another server published, until it was compared with the row's. */
  let unverified = progress && progress.units > 0 ? progress : undefined;
  /** What the published events add up to. Only texts: a value's patches are computed from the values themselves. */
  let published = initialContent('TEXT');
  let hash = createHash('sha256');
  let value = content.createValue();

  const note = (): RowProgress => ({
    revision,
    attempt,
    status,
    units: unverified?.units ?? published.text!.length,
    digest: unverified?.digest ?? digestOf(hash),
    ...(usage && { usage }),
  });

  function add(event: NewEvent): Step {
    published = reduceContent(published, event);
    if (event.type === 'reset') restart();
    if (event.type === 'llm_chunk') hash.update(event.data.content, 'utf16le');
    return { event, progress: note() };
  }

  function restart(): void {
    unverified = undefined;
    published = initialContent('TEXT');
    hash = createHash('sha256');
    value = content.createValue();
  }

  function* statusEvents(row: Execution): Generator<NewEvent> {
    const isStatusNew = row.status !== status && !isFinal(row.status);
    const newUsage = row.kind === 'workflow' && row.usage && fitsUsage(row.usage) ? row.usage : undefined;
    const isUsageNew = newUsage !== undefined && JSON.stringify(newUsage) !== JSON.stringify(usage);
    if (!isStatusNew && !(isUsageNew && !isFinal(row.status))) return;
    status = row.status;
    usage = newUsage ?? usage;
    const ts = timestamp();
    if (row.kind === 'agent') yield { type: 'agent_status', ts, data: { status } };
    else if (row.kind === 'task') yield { type: 'task_status', ts, data: { status } };
    else yield { type: 'workflow_status', ts, data: { status, ...(usage && { usage }) } };
  }

  function* textEvents(row: Execution): Generator<NewEvent> {
    const { result = '' } = row;
    // A result that is not a text is published by the terminal event alone.
    if (typeof result !== 'string') return;
    const text = isFinal(row.status) ? result : result.slice(0, endOfComplete(result));
    if (unverified) {
      const start = text.slice(0, unverified.units);
      const isSame = start.length === unverified.units && digestOf(newHash(start)) === unverified.digest;
      if (isSame) {
        published = { text: start, completeness: 'full' };
        hash = newHash(start);
        unverified = undefined;
      }
    }
    const ts = timestamp();
    if (unverified || !text.startsWith(published.text!)) {
      const message = "the row's text was rewritten, not appended to";
      yield { type: 'warning', ts, data: { code: 'TEXT_REWRITTEN', message } };
      yield { type: 'reset', ts, data: { reason: 'attempt' } };
    }
    for (const piece of splitText(text.slice(published.text!.length), content.sizes)) {
      yield { type: 'llm_chunk', ts, data: { content: piece } };
    }
  }

  function* allEvents(row: Execution): Generator<NewEvent> {
    if (!isStarted) yield startOf(row);
    isStarted = true;
    yield* statusEvents(row);
    // An end without a result does not clear the content.
    const hasContent = row.kind !== 'workflow' && !(isFinal(row.status) && row.result === undefined);
    if (hasContent) yield* row.mode === 'TEXT' ? textEvents(row) : value.setValue(row.result ?? null);
    const terminal = terminalEventOf(row, content.sizes);
    if (terminal) yield terminal;
  }

  return {
    get revision() {
      return revision;
    },
    eventsFor(row) {
      // The log itself appends a `reset` when it is opened for a newer attempt.
      if (row.attempt !== attempt && isStarted) restart();
      attempt = row.attempt;
      const steps: Step[] = [];
      for (const event of allEvents(row)) steps.push(add(event));
      revision = row.revision;
      const last = steps.pop();
      return last ? [...steps, { ...last, progress: note() }] : [];
    },
  };
}

function startOf(row: Execution): NewEvent {
  const ts = timestamp();
  const label = nameOf(row.name, row.id);
  if (row.kind === 'agent') return { type: 'agent_start', ts, data: { agentId: label } };
  if (row.kind === 'task') return { type: 'task_start', ts, data: { taskId: label } };
  const workflowId = nameOf(row.workflowId, row.id);
  return {
    type: 'workflow_start',
    ts,
    data: { workflowId, workflowType: label, runId: nameOf(row.runId, row.id) },
  };
}

/** An event's field cannot be empty, and has a limit. */
function nameOf(name: string | undefined, id: string): string {
  return (name || id).slice(0, MAX_NAME);
}

/** The end of a growing text that can be published: not inside a surrogate pair or a CRLF. */
function endOfComplete(text: string): number {
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
