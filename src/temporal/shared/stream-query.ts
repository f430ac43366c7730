// The contract between a workflow, its worker and the server: the query and its result, the sink, the log's note.
// Imports nothing that Temporal's sandbox does not allow, so that all three may load it.
import type { EventData, EventType, ExecutionStatus } from '../../event/events.ts';
import { readEpoch, storeEpoch } from './history-numbering.ts';

/** The query of every workflow with a stream. Its one argument is `since`, a seq; default 0. */
export const STREAM_QUERY = 'getStreamState';

/** An event as its workflow numbers it. `data` is plain JSON. */
export type WorkflowEvent<T extends EventType = EventType> = {
  readonly [K in T]: {
    /** 1, 2, 3, … within one epoch of the workflow. */
    readonly seq: number;
    readonly type: K;
    /** RFC 3339, milliseconds, UTC: the time of the workflow task, the same on every replay. */
    readonly ts: string;
    readonly data: EventData[K];
  };
}[T];

/**
 * One result of the query: the range of the workflow's events, and the first of those after `since`.
 *
 * - The workflow keeps the seqs `base + 1 … next - 1`; seqs up to `base` were trimmed.
 * - `events` starts at `max(since, base) + 1` and has no gap. It is limited to about 256 KiB (but at least one event):
 *   query again with the last seq until that is `next - 1`.
 * - Under one `epoch` a seq always names the same event, also after continue-as-new.
 * - A result reflects committed history. An event that a sink appended beyond `next - 1`, or with other content, came
 *   from a workflow task that failed.
 * - A terminal event is final only once Temporal has closed the run: a task that returns may still be rejected.
 */
export interface StreamPage {
  /** The epoch of the numbering: a Temporal run id. Not the log's epoch. */
  readonly epoch: string;
  readonly base: number;
  /** The seq of the next event. */
  readonly next: number;
  /** The run that was queried. */
  readonly runId: string;
  /** The first run of the chain; distinguishes a chain from a later workflow with the same id. */
  readonly firstRunId: string;
  /** The previous run, if this one continues it: its own result still has the events up to `base`. */
  readonly continuedFrom?: string;
  readonly executionId: string;
  /** From 1; counts the retries of the workflow itself. */
  readonly attempt: number;
  /** Final only together with the terminal event, whose seq is then `next - 1`. */
  readonly status: ExecutionStatus;
  readonly events: readonly WorkflowEvent[];
}

/** The message of the warning that takes the place of an event that is invalid or too large. */
export function leftOutMessage(type: unknown): string {
  return `an event of type ${String(type).slice(0, 40)} was left out`;
}

/** One event that a workflow task sends to the worker. Provisional, because the task may still fail. */
export interface SinkEvent {
  readonly executionId: string;
  readonly parentId?: string;
  readonly epoch: string;
  readonly event: WorkflowEvent;
}

/** The sink that a workflow emits to if its worker has one (`Sinks` of Temporal's SDK). */
export type StreamSinks = {
  execstream: { append(event: SinkEvent): void };
};

/** The note in a workflow's log: the epoch and run that its events belong to. */
export interface WorkflowNote {
  readonly epoch: string;
  readonly runId: string;
  /** When that run started, in ms since 1970: a sink yields to a run that started later. */
  readonly runStartedAt: number;
}

/** Writes a note and keeps the other fields of `before`. */
export function formatNote(note: WorkflowNote, before?: string): string {
  return JSON.stringify({ ...readJson(before), ...note, epoch: storeEpoch(note.epoch) });
}

/** Reads a note; undefined if there is none, if it is not a workflow's, or for another mapping of a history. */
export function parseNote(text: string | undefined): WorkflowNote | undefined {
  const { epoch: stored, runId, runStartedAt } = readJson(text) as Partial<WorkflowNote>;
  const epoch = readEpoch(stored);
  if (epoch === undefined || typeof runId !== 'string') return undefined;
  return { epoch, runId, runStartedAt: typeof runStartedAt === 'number' ? runStartedAt : 0 };
}

function readJson(text = '{}'): object {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
