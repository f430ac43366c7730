// Ends the log of an execution whose publisher died: if the row has ended and the log has not, appends the content of
// the row's result that the log lacks, then the terminal event. The log accepts one end, so any number of servers may
// try; the missing content is appended by the server that took the log over.
import { randomUUID } from 'node:crypto';
import type { LivenessReader } from '../coordination/liveness.ts';
import { formatCursor } from '../event/cursor.ts';
import { isFinal, type NewEvent } from '../event/events.ts';
import { deletedEvent } from '../event/terminal-event.ts';
import { isOtherRow } from '../execution/incarnation.ts';
import type { Execution, ExecutionStore } from '../execution/store.ts';
import { type Position, recordEnd } from '../lifecycle/end-execution.ts';
import { splitIntoBatches } from '../log/append-batch.ts';
import type { LogHead, LogReader, LogWriter } from '../log/log.ts';
import { LogState } from '../log/log-state.ts';
import { createLogStates } from '../log/log-states.ts';
import { hasContent, missingContentOf } from './missing-content.ts';
import type { ContentEvents } from './row-diff.ts';
import { isPublished } from './source.ts';

/** Time for a live publisher to append the terminal event itself, which it does right after it has ended the row. */
const GRACE_MS = 5_000;

export interface EndReconcilerOptions {
  readonly log: LogWriter & Pick<LogReader, 'read'> & Pick<LivenessReader, 'silenceMs'>;
  readonly store: ExecutionStore;
  readonly content: ContentEvents;
  /**
   * How long the row has ended before its end is reconciled.
   * @default 5 s
   */
  readonly graceMs?: number;
  /** Copies the row of an execution without a publisher into the log, including its end. */
  readonly copyRow?: (executionId: string) => Promise<void>;
}

/** The state of a log without an event of the attempt. */
const EMPTY = new LogState('');

interface Target {
  readonly head: LogHead;
  /** The content of the row's result that the log lacks. */
  readonly missing: readonly NewEvent[];
  /** The publisher to append as, if the log was taken over. */
  readonly publisher?: string;
}

/** Both functions reject with `SOURCE_UNAVAILABLE` if the log or the store is unavailable. */
export interface EndReconciler {
  /** Appends a missing terminal event, after the content that the log lacks, and stores its position on the row. */
  readonly reconcileEnd: (row: Execution) => Promise<void>;
  /** Ends the log of an execution whose row was deleted, also if its publisher still holds it. */
  readonly endDeleted: (executionId: string) => Promise<void>;
}

/** Creates the functions that reconcile the end of an execution with its row. */
export function createEndReconciler(options: EndReconcilerOptions): EndReconciler {
  const { log, store, content, graceMs = GRACE_MS, copyRow } = options;

  /** Returns the log to append to and what it lacks; undefined if another process has taken the log over. */
  async function resolveTarget(row: Execution, head: LogHead | undefined): Promise<Target | undefined> {
    if (head?.numbering === 'fixed') return { head, missing: [] };
    // A log of an older attempt contains nothing of this one.
    const isCurrent = head?.attempt === row.attempt;
    const state = isCurrent && hasContent(row) ? await createLogStates(log).read(row.id) : EMPTY;
    const missing = missingContentOf(row, state, content);
    if (isCurrent && missing.length === 0) return { head, missing };
    // Taking the log over keeps a publisher that is still alive, and other servers, from appending the same content.
    const publisher = `end-${randomUUID()}`;
    const takeover = isCurrent && { takeoverCursor: formatCursor(state.seq, state.epoch) };
    const { attempt, incarnation } = row;
    const opened = await log.open(row.id, {
      numbering: 'auto',
      ...{ publisher, attempt, ...takeover, ...(incarnation !== undefined && { incarnation }) },
    });
    return opened.outcome === 'opened' ? { head: opened.head, missing, publisher } : undefined;
  }

  async function reconcile(row: Execution): Promise<void> {
    const found = await log.head(row.id);
    // The log of a row that was deleted is dropped when it is opened for this one.
    const head = found && isOtherRow(found, row) ? undefined : found;
    if (copyRow && !head?.end && !(await isPublished(log, row.id, head))) return copyRow(row.id);
    await recordEnd(row, {
      sizes: content.sizes,
      append: (terminal) => append(row, head, terminal),
      markEnd: (position) => store.markEnd(row.id, position),
    });
  }

  async function append(
    row: Execution,
    head: LogHead | undefined,
    terminal: NewEvent,
  ): Promise<Position | undefined> {
    if (head && head.end > 0) return { seq: head.end, epoch: head.epoch };
    const target = await resolveTarget(row, head);
    if (!target) return undefined;
    const { epoch, numbering } = target.head;
    const identity = target.publisher !== undefined && { publisher: target.publisher };
    let acknowledged = target.head.head;
    // A log with the source's own numbering receives the terminal event only.
    const last = numbering === 'fixed' ? { ...terminal, seq: acknowledged + 1 } : terminal;
    for (const events of splitIntoBatches([...target.missing, last], ({ data }) => data)) {
      const appended = await log.append(row.id, { epoch, acknowledged, ...identity, events });
      if (appended.outcome !== 'appended') return undefined;
      acknowledged = appended.head;
    }
    return { seq: acknowledged, epoch };
  }

  /** Concurrent calls for one execution share one reconciliation. */
  const inProgress = new Map<string, Promise<void>>();

  function reconcileEnd(row: Execution): Promise<void> {
    // A time in the future is that of a wrong clock or time zone, and says nothing about the publisher.
    const isRecent = row.finishedAt && Math.abs(Date.now() - row.finishedAt.getTime()) < graceMs;
    if (!isFinal(row.status) || row.end || isRecent) return Promise.resolve();
    const known = inProgress.get(row.id);
    if (known) return known;
    const reconciled = reconcile(row).finally(() => inProgress.delete(row.id));
    inProgress.set(row.id, reconciled);
    return reconciled;
  }

  async function endDeleted(executionId: string): Promise<void> {
    const head = await log.head(executionId);
    // A source with its own numbering decides itself how its executions end.
    if (!head || head.end > 0 || head.numbering === 'fixed') return;
    const publisher = `end-${randomUUID()}`;
    const takeoverCursor = formatCursor(head.head, head.epoch);
    const { attempt } = head;
    const opened = await log.open(executionId, { numbering: 'auto', publisher, attempt, takeoverCursor });
    if (opened.outcome !== 'opened') return;
    const { epoch, head: acknowledged } = opened.head;
    await log.append(executionId, { epoch, acknowledged, publisher, events: [deletedEvent()] });
  }

  return { reconcileEnd, endDeleted };
}
