// What a workflow, its worker and the relay say to each other: the query and its answer, the sink, the log's note.
// Nothing is loaded here, so that all three may import it.
import type { EventData, EventType, ExecutionStatus } from '../../event/events.ts';

/** The query that every workflow with a stream state answers. Its one argument is `since`, a seq; default 0. */
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
 * One answer of the query: where the workflow's events stand, and the first of those after `since`.
 *
 * - The workflow holds the seqs `base + 1 … next - 1`; seqs up to `base` were let go of.
 * - `events` begins at `max(since, base) + 1` and has no gap. It is cut at about 256 KiB (never below one event): ask
 *   again with the last seq until that is `next - 1`.
 * - Under one `epoch` a seq names one event for ever, through continue-as-new too.
 * - An answer tells committed history. What a sink appended beyond `next - 1`, or otherwise than told here, was of a
 *   workflow task that failed.
 * - A terminal event counts once Temporal has closed the run: a task that returns may yet be refused.
 */
export interface StreamPage {
  /** Names the incarnation of the numbering: a run id of Temporal's. Not the log's epoch. */
  readonly epoch: string;
  readonly base: number;
  /** The seq that the next event will get. */
  readonly next: number;
  /** The run that answers. */
  readonly runId: string;
  /** The first run of the chain, for telling a chain from a later workflow of the same id. */
  readonly firstRunId: string;
  /** The run before, where this one carries on from it: it still has (in its own answer) what `base` lost. */
  readonly continuedFrom?: string;
  readonly executionId: string;
  /** From 1; counts the retries of the workflow itself. */
  readonly attempt: number;
  /** Final only together with the terminal event, which then stands at `next - 1`. */
  readonly status: ExecutionStatus;
  readonly events: readonly WorkflowEvent[];
}

/** One event on its way from a workflow task to the worker. The task may yet fail: it is provisional. */
export interface SinkEvent {
  readonly executionId: string;
  readonly parentId?: string;
  readonly epoch: string;
  readonly event: WorkflowEvent;
}

/** The sink that a workflow emits to where its worker has one, as `Sinks` of Temporal's. */
export type StreamSinks = {
  execstream: { append(sunk: SinkEvent): void };
};

/** What the log of a workflow notes: which incarnation and run its events are of. */
export interface WorkflowNote {
  readonly epoch: string;
  readonly runId: string;
  /** When that run began, in ms since 1970: a sink gives way to a run that began later. */
  readonly runStartedAt: number;
}

/** Writes a note; fields that `before` has besides are kept. */
export function formatNote(note: WorkflowNote, before?: string): string {
  return JSON.stringify({ ...readJson(before), ...note });
}

/** Reads a note; undefined where there is none, or one that is not a workflow's. */
export function parseNote(text: string | undefined): WorkflowNote | undefined {
  const { epoch, runId, runStartedAt } = readJson(text) as Partial<WorkflowNote>;
  if (typeof epoch !== 'string' || typeof runId !== 'string') return undefined;
  return { epoch, runId, runStartedAt: typeof runStartedAt === 'number' ? runStartedAt : 0 };
}

function readJson(text = '{}'): object {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
