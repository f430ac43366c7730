// The events that a run has trimmed: queried from the runs that it continues, or replaced by gaps.
import { timestamp } from '../../event/events.ts';
import type { SizeLimits } from '../../event/size-limits.ts';
import type { StreamPage, WorkflowEvent } from '../shared/stream-query.ts';
import { isTemporalError } from './errors.ts';
import { readQueryPage } from './query-page.ts';
import type { TemporalClient, WorkflowRun } from './temporal-client.ts';

/** How many previous runs are queried. */
const MAX_RUNS = 100;

/**
 * The events after `since` up to the page's base, without gaps in their seqs.
 * @throws TemporalError if a previous run could not be queried for now.
 */
export async function eventsBefore(
  temporal: TemporalClient,
  run: WorkflowRun,
  page: StreamPage,
  { since, sizes }: { readonly since: number; readonly sizes: SizeLimits },
): Promise<WorkflowEvent[]> {
  const query = (previous: WorkflowRun, after: number) => queryPage(temporal, previous, after, sizes);
  const bySeq = new Map<number, WorkflowEvent>();
  let oldestPage = page;
  /** All seqs from here to the page's base are in `bySeq`. */
  let oldestSeq = page.base + 1;
  for (let runs = 0; runs < MAX_RUNS && oldestPage.continuedFrom && oldestSeq > since + 1; runs += 1) {
    const previous = { ...run, runId: oldestPage.continuedFrom };
    const first = await query(previous, since);
    if (!first || first.epoch !== page.epoch) break;
    const upTo = oldestSeq;
    for (let next: StreamPage | undefined = first; next; ) {
      for (const event of next.events) if (event.seq < upTo) bySeq.set(event.seq, event);
      oldestSeq = Math.min(oldestSeq, next.events[0]?.seq ?? oldestSeq);
      const last: number = next.events.at(-1)?.seq ?? upTo;
      next = last + 1 < Math.min(upTo, next.next) ? await query(previous, last) : undefined;
    }
    oldestPage = first;
  }
  // Every seq needs an event. A gap names the rest of its range, so that it is right for a viewer at any cursor.
  const toSeq = page.base;
  return Array.from({ length: toSeq - since }, (_, i) => {
    const seq = since + 1 + i;
    return bySeq.get(seq) ?? gap(seq, toSeq, run);
  });
}

function gap(seq: number, toSeq: number, run: WorkflowRun): WorkflowEvent {
  return { seq, type: 'gap', ts: timestamp(new Date(run.startedAt)), data: { fromSeq: seq, toSeq } };
}

async function queryPage(
  temporal: TemporalClient,
  run: WorkflowRun,
  since: number,
  sizes: SizeLimits,
): Promise<StreamPage | undefined> {
  try {
    return readQueryPage(await temporal.query(run, since), run, since, sizes);
  } catch (error) {
    // Deleted after the retention period of closed runs.
    if (isTemporalError(error, 'unknown-workflow') || isTemporalError(error, 'no-query')) return undefined;
    throw error;
  }
}
