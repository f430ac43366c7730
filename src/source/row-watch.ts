// Watches the rows of executions that have viewers, with one query for all of them: a row that has ended while its log
// has not, a row that was deleted, and a row that was inserted again under the same id.
import { delay } from '../async/delay.ts';
import { isFinal } from '../event/events.ts';
import { isOtherRow } from '../execution/incarnation.ts';
import type { ExecutionStore, ExecutionSummary } from '../execution/store.ts';
import type { LogWriter } from '../log/log.ts';
import { createBatchPoller } from './batch-poller.ts';
import type { EndReconciler } from './end-reconciler.ts';
import { type Audience, DELETED_MS, type Follow } from './source.ts';

/** How often the rows of watched executions are checked. */
const CHECK_MS = 10_000;

export interface RowWatchOptions extends EndReconciler {
  readonly log: Pick<LogWriter, 'open' | 'head'>;
  readonly store: Pick<ExecutionStore, 'get' | 'getMany'>;
  /** @default 10 s */
  readonly checkMs?: number;
  /**
   * How long a row is missing before its execution ends.
   * @default 3 s
   */
  readonly deletedMs?: number;
}

interface Watched {
  readonly executionId: string;
  readonly audience: Pick<Audience, 'incarnation'>;
}

export function createRowWatch(options: RowWatchOptions): Follow {
  const { log, store, reconcileEnd, endDeleted, checkMs = CHECK_MS, deletedMs = DELETED_MS } = options;

  async function check({ audience }: Watched, row: ExecutionSummary): Promise<void> {
    if (isOtherRow(row, audience)) await replaceLog(log, row);
    if (!isFinal(row.status) || row.end) return;
    const complete = await store.get(row.id);
    if (complete) await reconcileEnd(complete);
  }

  const poller = createBatchPoller<Watched>(checkMs, async (watched) => {
    const rows = await rowsOf(watched);
    // An execution that cannot be checked must not block the others; the next check repeats it.
    for (const each of watched) {
      const row = rows.get(each.executionId);
      if (row) await check(each, row).catch(() => {});
    }
    await endMissing(watched.filter(({ executionId }) => !rows.has(executionId)));
  });

  async function endMissing(missing: readonly Watched[]): Promise<void> {
    if (missing.length === 0) return;
    await delay(deletedMs);
    const rows = await rowsOf(missing);
    for (const { executionId } of missing) {
      if (!rows.has(executionId)) await endDeleted(executionId).catch(() => {});
    }
  }

  async function rowsOf(watched: readonly Watched[]): Promise<Map<string, ExecutionSummary>> {
    const rows = await store.getMany(watched.map(({ executionId }) => executionId));
    return new Map(rows.map((row) => [row.id, row]));
  }

  return (executionId, audience) => poller.add({ executionId, audience });
}

/** Drops the log of a deleted row, so that viewers of the row that replaced it do not get the events of the former one. */
export async function replaceLog(
  log: Pick<LogWriter, 'open' | 'head'>,
  row: ExecutionSummary,
): Promise<void> {
  const { id, kind, attempt, incarnation, workflowId } = row;
  if (incarnation === undefined) return;
  const head = await log.head(id);
  if (head && !isOtherRow(head, row)) return;
  // The log of a Temporal workflow is created by its source, which knows the numbering.
  if (!head && kind === 'workflow' && workflowId !== undefined) return;
  await log.open(id, { numbering: head?.numbering ?? 'auto', attempt, incarnation });
}
