// The end of an execution, told though its publisher died: where the row has ended and the log has not, the
// terminal event is appended from the row. The append script takes one end, so any number of servers may try.
import { randomUUID } from 'node:crypto';
import { isFinal } from '../event/types.ts';
import type { Execution, ExecutionStore } from '../execution/store.ts';
import { terminalOf } from '../execution/terminal.ts';
import type { LogReader, LogWriter } from '../log/log.ts';
import { isPublished } from './follow.ts';

/** A publisher that lives appends its terminal event right after it has finished the row; so long it is left to. */
const GRACE_MS = 5_000;

export interface EndReconcilerOptions {
  readonly log: LogWriter & Pick<LogReader, 'head' | 'silence'>;
  readonly store: ExecutionStore;
  readonly graceMs?: number;
  /** Copies the row of an execution that nobody publishes, its end included: what leads to it is told first. */
  readonly copyRow?: (executionId: string) => Promise<void>;
}

/**
 * Makes the function that reconciles the end of an execution with its row.
 * @returns a function that appends the terminal event where it is missing, and notes its cursor on the row; it
 *   rejects with `SOURCE_UNAVAILABLE` where the log or the store does not answer.
 */
export function createEndReconciler(options: EndReconcilerOptions) {
  const { log, store, graceMs = GRACE_MS, copyRow } = options;
  return async function reconcileEnd(row: Execution): Promise<void> {
    const terminal = terminalOf(row);
    if (!terminal || row.end || Date.now() - row.finishedAt!.getTime() < graceMs) return;
    const publisher = `end-${randomUUID()}`;
    let head = await log.head(row.id);
    if (copyRow && !head?.end && !(await isPublished(log, row.id, head))) return copyRow(row.id);
    if (!head) {
      const opened = await log.open(row.id, { numbering: 'auto', publisher, attempt: row.attempt });
      if (opened.outcome !== 'opened') return;
      head = opened.head;
    }
    if (head.end > 0) return store.markEnd(row.id, { seq: head.end, epoch: head.epoch });
    const fixed = head.numbering === 'fixed' && { seq: head.head + 1 };
    const appended = await log.append(row.id, {
      epoch: head.epoch,
      acknowledged: head.head,
      events: [{ ...terminal, ...fixed }],
    });
    if (appended.outcome === 'appended') {
      await store.markEnd(row.id, { seq: appended.head, epoch: head.epoch });
    }
  };
}

/** How often the row of an execution that is being watched is looked at. */
const CHECK_MS = 10_000;

export interface FollowRowOptions {
  readonly store: ExecutionStore;
  readonly reconcileEnd: (row: Execution) => Promise<void>;
  readonly checkMs?: number;
}

/** Ids that a store is asked for at a time. */
const MOST_ASKED = 1_000;

/**
 * Watches the rows of executions that have viewers, for an end that their log does not know of: all of them by one
 * question, however many there are.
 */
export function createRowWatch({ store, reconcileEnd, checkMs = CHECK_MS }: FollowRowOptions) {
  const followed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  async function check(): Promise<void> {
    const ids = [...followed];
    for (let from = 0; from < ids.length; from += MOST_ASKED) {
      for (const id of await store.ended(ids.slice(from, from + MOST_ASKED))) {
        const row = await store.get(id);
        // One that cannot be reconciled for now must not stand in the way of others.
        if (row && isFinal(row.status)) await reconcileEnd(row).catch(() => {});
      }
    }
  }

  return function follow(executionId: string): () => void {
    followed.add(executionId);
    // A check that fails is followed by the next one.
    timer ??= setInterval(() => void check().catch(() => {}), checkMs).unref();
    return () => {
      followed.delete(executionId);
      if (followed.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  };
}
