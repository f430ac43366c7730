// The log that a sink's events go to: finds it, starts it for a first event, and decides whether this run may append.
import type { Execution, ExecutionStore } from '../../execution/store.ts';
import type { LogWriter } from '../../log/log.ts';
import { hasOnlyStart } from '../shared/history-numbering.ts';
import { resetReasonOf } from '../shared/reset-reason.ts';
import { formatNote, parseNote, type SinkEvent } from '../shared/stream-query.ts';
import type { RunKey } from './wait-for-close.ts';

/** A sink's event, and what its worker knows about the run that emitted it. */
export interface RunSinkEvent extends SinkEvent {
  readonly run: SinkRun;
  /** Bytes of the event's JSON. */
  readonly bytes: number;
}

export interface SinkRun extends RunKey {
  readonly workflowType: string;
  readonly firstRunId: string;
  readonly attempt: number;
  /** When the first run of its chain started, in ms since 1970. */
  readonly startedAt: number;
  /** When the run started, in ms since 1970. */
  readonly runStartedAt: number;
  readonly tenant?: string;
}

/** A log that a sink may append to. */
export interface LogTarget {
  /** The log's epoch. */
  readonly logEpoch: string;
  /** The epoch of the workflow's numbering. */
  readonly epoch: string;
  /** The run that the log's note names. */
  readonly runId: string | undefined;
  readonly note: string | undefined;
}

/**
 * The log for the events that start with this one.
 * @param begin creates the row, or replaces that of an earlier workflow with the same id. Without a row nobody may watch,
 *   so that no server reads the workflow. It is therefore also created if the log is not ours: the worker that should
 *   have created it may have been killed.
 * @returns `not-ended` while the log of an earlier workflow is open: its viewers get its end first. A reason if this sink
 *   must not append; the server then reads all events by the query.
 * @throws ExecstreamError as log and store.
 */
export async function resolveTarget(
  log: LogWriter,
  first: RunSinkEvent,
  begin: () => Promise<Pick<Execution, 'incarnation'>>,
): Promise<LogTarget | { readonly skipped: string } | 'not-ended'> {
  const { executionId, epoch, event, run } = first;
  const head = await log.head(executionId);
  if (head && head.numbering !== 'fixed') return { skipped: 'a publisher writes this log' };
  const note = parseNote(head?.note);
  const isLater = note !== undefined && note.runId !== run.runId && note.runStartedAt < run.runStartedAt;
  if (head && head.end > 0 && !(isLater && event.seq === 1)) return { skipped: 'the log has ended' };
  // Without a note it may be ours (a server may have opened it): the log compares the events.
  if (head && (!note || note.epoch === epoch)) {
    return { logEpoch: head.epoch, epoch, runId: note?.runId, note: head.note };
  }
  // A server started the log from the history. The note is replaced with the next append.
  if (head && note && hasOnlyStart(head.head, note, run.runId)) {
    return { logEpoch: head.epoch, epoch, runId: undefined, note: head.note };
  }
  // Only the first event of a later run starts a new epoch: an old run on a worker that was disconnected for a while
  // must not take the log back.
  if (head && event.seq !== 1) return { skipped: 'the log belongs to another run' };
  if (note && note.runStartedAt > run.runStartedAt) return { skipped: 'the log belongs to a later run' };
  // The first run of a workflow: the log is that of an earlier workflow, not of an earlier run.
  const isOtherWorkflow = run.runId === run.firstRunId && note !== undefined && note.runId !== run.runId;
  if (head && head.end === 0 && isOtherWorkflow) return 'not-ended';
  const { incarnation } = await begin();
  if (event.seq !== 1) return { skipped: 'the log was lost or never started' };
  const reason = head && note && resetReasonOf({ runId: note.runId, attempt: head.attempt }, run);
  // An ended log is replaced only because it belongs to another row.
  const lost = head?.end === 0 && {
    lost: { epoch: head.epoch, acknowledged: Number.POSITIVE_INFINITY, ...(reason && { reason }) },
  };
  const opened = await log.open(executionId, {
    numbering: 'fixed',
    attempt: run.attempt,
    ...lost,
    ...(incarnation !== undefined && { incarnation }),
  });
  if (opened.outcome !== 'opened') return { skipped: `the log could not be opened (${opened.outcome})` };
  return { logEpoch: opened.head.epoch, epoch, runId: undefined, note: undefined };
}

/** Creates the row, or begins the workflow's next attempt. The server does the same at first view; both may happen. */
export async function beginRow(
  store: Pick<ExecutionStore, 'begin'>,
  { executionId, parentId, run }: RunSinkEvent,
): Promise<Execution> {
  const { attempt, workflowType, workflowId, firstRunId, startedAt, tenant } = run;
  return store.begin({
    id: executionId,
    kind: 'workflow',
    mode: 'STRUCTURED',
    attempt,
    name: workflowType,
    workflowId,
    // The first run of the chain: every worker and server names the same one.
    runId: firstRunId,
    startedAt: new Date(startedAt),
    ...(parentId !== undefined && { parentId }),
    ...(tenant !== undefined && { tenant }),
  });
}

/** The note that names the run of these events; absent if the log has it already. */
export function progressNote(target: LogTarget, { epoch, run }: RunSinkEvent): { note?: string } {
  if (target.runId === run.runId) return {};
  const { runId, runStartedAt } = run;
  return { note: formatNote({ epoch, runId, runStartedAt }, target.note) };
}
