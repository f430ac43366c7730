// Where a sink's events stand in their log: finds the log, makes it for a first event, and says who may go on.
import type { ExecutionStore } from '../../execution/store.ts';
import type { LogWriter } from '../../log/log.ts';
import { formatNote, parseNote, type SinkEvent } from '../shared/stream-query.ts';
import type { WorkflowRun } from './wait-for-close.ts';

/** A sink's event and what its worker knows of the run that emitted it. */
export interface RunSinkEvent extends SinkEvent {
  readonly run: WorkflowRun & SinkRun;
  /** Bytes of its JSON. */
  readonly bytes: number;
}

export interface SinkRun {
  readonly workflowType: string;
  readonly firstRunId: string;
  readonly attempt: number;
  /** In ms since 1970. */
  readonly runStartedAt: number;
  readonly tenant?: string;
}

/** A log that a sink may append to. */
export interface LogTarget {
  /** The log's epoch. */
  readonly logEpoch: string;
  /** The workflow's, which the log holds. */
  readonly epoch: string;
  /** The run that the log's note names. */
  readonly runId: string | undefined;
  readonly note: string | undefined;
}

/**
 * Where the events beginning with this one go.
 * @param begin makes the row. Without one nobody is let in to watch, and the relay is never asked; so it is made also
 *   where the log is left to the relay, for the worker that was to make it may have been killed.
 * @returns a reason where they are the relay's business: it has the whole of them by the query.
 * @throws ExecstreamError what log and store throw.
 */
export async function resolveTarget(
  log: LogWriter,
  first: RunSinkEvent,
  begin: () => Promise<void>,
): Promise<LogTarget | { readonly left: string }> {
  const { executionId, epoch, event, run } = first;
  const head = await log.head(executionId);
  if (head && head.numbering !== 'fixed') return { left: 'a publisher writes this log' };
  if (head && head.end > 0) return { left: 'the log has ended' };
  const note = parseNote(head?.note);
  // Without a note it may be ours (a relay came first): the log compares.
  if (head && (!note || note.epoch === epoch)) {
    return { logEpoch: head.epoch, epoch, runId: note?.runId, note: head.note };
  }
  // Another incarnation begins only with its first event, and only a later one: a run that lingers on a worker that
  // was cut off must not take the log back.
  if (head && event.seq !== 1) return { left: 'another run has the log' };
  if (note && note.runStartedAt > run.runStartedAt) return { left: 'a later run has the log' };
  await begin();
  if (event.seq !== 1) return { left: 'the log was lost, or never begun' };
  const lost = head && { lost: { epoch: head.epoch, acknowledged: Number.POSITIVE_INFINITY } };
  const opened = await log.open(executionId, { numbering: 'fixed', attempt: run.attempt, ...lost });
  if (opened.outcome !== 'opened') return { left: `the log could not be opened (${opened.outcome})` };
  return { logEpoch: opened.head.epoch, epoch, runId: undefined, note: undefined };
}

/** Makes the row, or begins the workflow's next attempt. The relay does the same on first view: it may be twice. */
export async function beginRow(
  store: Pick<ExecutionStore, 'begin'>,
  { executionId, parentId, run }: RunSinkEvent,
): Promise<void> {
  const { attempt, workflowType, workflowId, firstRunId, tenant } = run;
  await store.begin({
    id: executionId,
    kind: 'workflow',
    mode: 'STRUCTURED',
    attempt,
    name: workflowType,
    workflowId,
    // The chain's first run, which every worker and the relay know alike.
    runId: firstRunId,
    ...(parentId !== undefined && { parentId }),
    ...(tenant !== undefined && { tenant }),
  });
}

/** The note that tells the relay and other workers whose events these are; absent where it stands there already. */
export function progressNote(place: LogTarget, { epoch, run }: RunSinkEvent): { note?: string } {
  if (place.runId === run.runId) return {};
  const { runId, runStartedAt } = run;
  return { note: formatNote({ epoch, runId, runStartedAt }, place.note) };
}
