// The events that a run has let go of: asked of the run that it carries on from, and told as gone where that is none.
import { timestamp } from '../../event/events.ts';
import type { StreamPage, WorkflowEvent } from '../shared/stream-query.ts';
import { isTemporalError } from './errors.ts';
import { readPage } from './query-page.ts';
import type { TemporalClient, WorkflowRun } from './temporal-client.ts';

/** Runs that are asked, one behind the other. */
const MOST_RUNS = 20;

/**
 * The events after `since` up to the page's base, without gaps.
 * @throws TemporalError where a run before could not be asked for now.
 */
export async function eventsBefore(
  temporal: TemporalClient,
  run: WorkflowRun,
  page: StreamPage,
  since: number,
): Promise<WorkflowEvent[]> {
  const found = new Map<number, WorkflowEvent>();
  let before = page;
  let least = page.base + 1;
  for (let runs = 0; runs < MOST_RUNS && before.continuedFrom && least > since + 1; runs += 1) {
    const earlier = { ...run, runId: before.continuedFrom };
    const first = await firstPage(temporal, earlier, since);
    if (!first || first.epoch !== page.epoch) break;
    const upTo = least;
    for (let read: StreamPage | undefined = first; read; ) {
      for (const event of read.events) if (event.seq < upTo) found.set(event.seq, event);
      least = Math.min(least, read.events[0]?.seq ?? least);
      const last: number = read.events.at(-1)?.seq ?? upTo;
      read = last + 1 < Math.min(upTo, read.next) ? await firstPage(temporal, earlier, last) : undefined;
    }
    before = first;
  }
  // Each place is taken: numbers have no gaps. A viewer reads it as what it is, at whatever cursor.
  const toSeq = page.base;
  return Array.from({ length: toSeq - since }, (_, i) => {
    const seq = since + 1 + i;
    return found.get(seq) ?? gone(seq, toSeq, run);
  });
}

function gone(seq: number, toSeq: number, run: WorkflowRun): WorkflowEvent {
  return { seq, type: 'gap', ts: timestamp(new Date(run.startedAt)), data: { fromSeq: seq, toSeq } };
}

async function firstPage(
  temporal: TemporalClient,
  run: WorkflowRun,
  since: number,
): Promise<StreamPage | undefined> {
  try {
    return readPage(await temporal.query(run, since), run, since);
  } catch (error) {
    // Gone after the retention of closed runs.
    if (isTemporalError(error, 'unknown-workflow') || isTemporalError(error, 'no-query')) return undefined;
    throw error;
  }
}
