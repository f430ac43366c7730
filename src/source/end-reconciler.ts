// The end of an execution, told though its publisher died: where the row has ended and the log has not, the terminal
// event is appended from the row, behind what the row's result has and the log lacks. The append script takes one
// end, so any number of servers may try; what goes before it is told by the one that took the log.
import { randomUUID } from 'node:crypto';
import { formatCursor } from '../event/cursor.ts';
import { isFinal, type NewEvent } from '../event/events.ts';
import { terminalEventOf } from '../event/terminal-event.ts';
import type { Execution, ExecutionStore } from '../execution/store.ts';
import { splitIntoBatches } from '../log/append-batch.ts';
import type { LogHead, LogReader, LogWriter } from '../log/log.ts';
import { LogState } from '../log/log-state.ts';
import { createLogStates } from '../log/log-states.ts';
import { createBatchPoller } from './batch-poller.ts';
import { hasContent, missingContentOf } from './missing-content.ts';
import type { ContentEvents } from './row-diff.ts';
import { isPublished } from './source.ts';

/** A publisher that lives appends its terminal event right after it has finished the row; so long it is left to. */
const GRACE_MS = 5_000;

export interface EndReconcilerOptions {
  readonly log: LogWriter & Pick<LogReader, 'head' | 'read' | 'silenceMs'>;
  readonly store: ExecutionStore;
  readonly content: ContentEvents;
  readonly graceMs?: number;
  /** Copies the row of an execution that nobody publishes, its end included: what leads to it is told first. */
  readonly copyRow?: (executionId: string) => Promise<void>;
}

/** The state of a log without an event of the attempt. */
const NOTHING = new LogState('');

interface Place {
  readonly head: LogHead;
  readonly rest: readonly NewEvent[];
  /** In whose name it is told, where the log had to be taken from its publisher. */
  readonly publisher?: string;
}

/**
 * Makes the function that reconciles the end of an execution with its row.
 * @returns a function that appends the terminal event where it is missing, after what the row's result has and the
 *   log lacks, and notes its cursor on the row; it rejects with `SOURCE_UNAVAILABLE` where the log or the store does
 *   not answer.
 */
export function createEndReconciler(options: EndReconcilerOptions) {
  const { log, store, content, graceMs = GRACE_MS, copyRow } = options;

  /** Where the end goes, and what before it. Undefined where somebody else is at it: the next look finds what came. */
  async function placeOf(row: Execution, head: LogHead | undefined): Promise<Place | undefined> {
    if (head?.numbering === 'fixed') return { head, rest: [] };
    // A log of an older attempt holds nothing of this one.
    const isCurrent = head?.attempt === row.attempt;
    const state = isCurrent && hasContent(row) ? await createLogStates(log).read(row.id) : NOTHING;
    const rest = missingContentOf(row, state, content);
    if (isCurrent && rest.length === 0) return { head, rest };
    // A publisher that lives after all, and another server, must not say the rest as well.
    const publisher = `end-${randomUUID()}`;
    const takesAt = isCurrent && { takesAt: formatCursor(state.seq, state.epoch) };
    const request = { numbering: 'auto', publisher, attempt: row.attempt, ...takesAt } as const;
    const opened = await log.open(row.id, request);
    return opened.outcome === 'opened' ? { head: opened.head, rest, publisher } : undefined;
  }

  async function reconcile(row: Execution, terminal: NewEvent): Promise<void> {
    const found = await log.head(row.id);
    if (copyRow && !found?.end && !(await isPublished(log, row.id, found))) return copyRow(row.id);
    if (found && found.end > 0) return store.markEnd(row.id, { seq: found.end, epoch: found.epoch });

    const place = await placeOf(row, found);
    if (!place) return;
    const { epoch, numbering } = place.head;
    const as = place.publisher !== undefined && { publisher: place.publisher };
    let acknowledged = place.head.head;
    // Of a source's own numbering, the end alone.
    const last = numbering === 'fixed' ? { ...terminal, seq: acknowledged + 1 } : terminal;
    for (const events of splitIntoBatches([...place.rest, last], ({ data }) => data)) {
      const appended = await log.append(row.id, { epoch, acknowledged, ...as, events });
      if (appended.outcome !== 'appended') return;
      acknowledged = appended.head;
    }
    await store.markEnd(row.id, { seq: acknowledged, epoch });
  }

  /** Viewers that come together wait for one of them. */
  const underWay = new Map<string, Promise<void>>();

  return function reconcileEnd(row: Execution): Promise<void> {
    const terminal = terminalEventOf(row);
    if (!terminal || row.end || Date.now() - row.finishedAt!.getTime() < graceMs) return Promise.resolve();
    const known = underWay.get(row.id);
    if (known) return known;
    const reconciled = reconcile(row, terminal).finally(() => underWay.delete(row.id));
    underWay.set(row.id, reconciled);
    return reconciled;
  };
}

/** How often the row of an execution that is being watched is looked at. */
const CHECK_MS = 10_000;

export interface FollowRowOptions {
  readonly store: ExecutionStore;
  readonly reconcileEnd: (row: Execution) => Promise<void>;
  readonly checkMs?: number;
}

/**
 * Watches the rows of executions that have viewers, for an end that their log does not know of: all of them by one
 * question, however many there are.
 */
export function createEndedRowWatch({ store, reconcileEnd, checkMs = CHECK_MS }: FollowRowOptions) {
  const rounds = createBatchPoller<{ readonly executionId: string }>(checkMs, async (followers) => {
    for (const id of await store.ended(followers.map(({ executionId }) => executionId))) {
      const row = await store.get(id);
      // One that cannot be reconciled for now must not stand in the way of others.
      if (row && isFinal(row.status)) await reconcileEnd(row).catch(() => {});
    }
  });
  return (executionId: string): (() => void) => rounds.add({ executionId });
}
