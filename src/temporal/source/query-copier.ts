// Queries a run and copies its events into the log, page by page.
import type { WorkflowEnd } from '../row-end.ts';
import { isHistoryEpoch } from '../shared/history-numbering.ts';
import type { StreamPage, WorkflowEvent } from '../shared/stream-query.ts';
import { eventsBefore } from './previous-run-events.ts';
import { readQueryPage, splitEnd } from './query-page.ts';
import type { QueryProgress } from './query-progress.ts';
import type { RowStatus } from './row-status.ts';
import type { QueryOptions, WorkflowRun } from './temporal-client.ts';
import type { WatchContext, WatchOutcome } from './watch-context.ts';

/** Everything was copied, or why the watch stops. */
export type CopyResult =
  | {
      /** The workflow's terminal event, if it emitted one, which is not copied. */
      readonly end: WorkflowEnd | undefined;
      /** The seq of the last event that was copied or compared. */
      readonly lastSeq: number;
    }
  | { readonly stop: WatchOutcome };

export interface QueryCopier {
  /**
   * Copies everything that the workflow has emitted, except for its terminal event.
   * @throws TemporalError if a query failed; ExecstreamError if log or store are unavailable.
   */
  copyAll(signal: AbortSignal, options?: QueryOptions): Promise<CopyResult>;
}

export interface QueryCopierOptions {
  readonly progress: QueryProgress;
  readonly rowStatus: RowStatus;
  /** A result of the query for all events, which takes the place of the first one. */
  readonly firstResult?: unknown;
}

export function createQueryCopier(
  context: WatchContext,
  run: WorkflowRun,
  { progress, rowStatus, firstResult }: QueryCopierOptions,
): QueryCopier {
  const { temporal, copy, warnings, sizes } = context;
  let known = firstResult;

  /** The events after `confirmed`, including those that the run has trimmed and that the log does not have. */
  async function completePage(page: StreamPage): Promise<readonly WorkflowEvent[]> {
    const since = Math.max(copy.confirmed, copy.head);
    if (page.base <= since) return page.events;
    return [...(await eventsBefore(temporal, run, page, { since, sizes })), ...page.events];
  }

  return {
    async copyAll(signal, { onSent, ...options } = {}) {
      if (known === undefined) progress.startQuery();
      else progress.startKnown();
      // A query may wait before it is sent. The first one decides what the copy covers.
      let first: Pick<QueryOptions, 'onSent'> = {
        onSent() {
          progress.startQuery();
          onSent?.();
        },
      };
      for (;;) {
        // The seqs of a history are not those of the workflow.
        const isOther = known !== undefined || isHistoryEpoch(copy.numbering);
        const since = isOther ? 0 : copy.confirmed;
        const result = known ?? (await temporal.query(run, since, signal, { ...options, ...first }));
        if (known === undefined) first = {};
        known = undefined;
        const page = readQueryPage(result, run, since, sizes);
        progress.recordResponse();
        warnings.clear('query');
        const { epoch, runId, attempt } = page;
        const entered = await copy.enter({ epoch, runId, runStartedAt: run.startedAt, attempt });
        if (entered !== 'done') return { stop: entered };
        // The log is in another epoch, and the page starts after the events that it needs.
        if (copy.confirmed < since) continue;
        const { events, end } = splitEnd(await completePage(page));
        const outcome = await copy.append(events);
        if (outcome === 'retry') continue;
        if (outcome !== 'done') return { stop: outcome };
        await rowStatus.set(page.status);
        if (end || copy.confirmed >= page.next - 1 || page.events.length === 0) {
          progress.recordCaughtUp(end);
          return { end, lastSeq: copy.confirmed };
        }
      }
    },
  };
}
