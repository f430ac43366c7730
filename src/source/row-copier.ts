// One relay's work on one execution, under one fencing token: states of the row into the log, in batches.
//
// Invariants
// 1. It begins by opening the log with its token: what an older one has on its way is refused from then on, and the
//    log's answer says all that was told before.
// 2. Each batch carries the note of what has been told with it, in one step: nothing is told twice, and nothing is
//    left out, whoever goes on after a crash.
// 3. After a call whose outcome is unknown it is not used again; the next one takes a new token (see 1).
import { isFinal } from '../event/events.ts';
import type { Execution, ExecutionStore } from '../execution/store.ts';
import { splitIntoBatches } from '../log/append-batch.ts';
import type { LogHead, LogWriter } from '../log/log.ts';
import { type ContentEvents, createRowEvents, type RowEvents, type RowProgress } from './row-diff.ts';

export interface RowCopierOptions {
  readonly log: LogWriter;
  readonly store: Pick<ExecutionStore, 'statesAfter' | 'markEnd'>;
  readonly content: ContentEvents;
  readonly executionId: string;
  readonly fence: number;
}

/**
 * `current`: all that the row knows has been told; `behind`: there is more; `ended`: nothing will follow; `published`:
 * the log is not a relay's; `fenced`: another relay has it; `absent`: there is no row.
 */
export type CopyOutcome = 'current' | 'behind' | 'ended' | 'published' | 'fenced' | 'absent';

/** States that are read at once. */
const PAGE = 100;

export interface RowCopier {
  /**
   * Copies what is new.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` where the log or the store does not answer: make another one.
   */
  step(): Promise<CopyOutcome>;
}

export function createRowCopier({ log, store, content, executionId, fence }: RowCopierOptions): RowCopier {
  let position: { readonly epoch: string; seq: number; attempt: number } | undefined;
  let rowEvents: RowEvents | undefined;

  /** Opens the log for an attempt; answers what keeps it from going on. */
  async function open(
    attempt: number,
    lost?: { readonly epoch: string; readonly acknowledged: number },
  ): Promise<CopyOutcome | undefined> {
    const request = { numbering: 'auto', attempt, fence, ...(lost && { lost }) } as const;
    const opened = await log.open(executionId, request);
    if (opened.outcome === 'fenced') return 'fenced';
    if (opened.outcome === 'ended') return ended(opened.head.epoch, opened.head.end);
    if (opened.outcome !== 'opened') return 'published';
    const { epoch, head, attempt: current } = opened.head;
    if (!rowEvents || position?.epoch !== epoch) rowEvents = createRowEvents(content, toldIn(opened.head));
    position = { epoch, seq: head, attempt: current };
    return undefined;
  }

  async function begin(): Promise<CopyOutcome | undefined> {
    const head = await log.head(executionId);
    if (head) return open(head.attempt);
    const [first] = await store.statesAfter(executionId, 0, 1);
    return first ? open(first.attempt) : 'absent';
  }

  async function copy(row: Execution): Promise<CopyOutcome | undefined> {
    // Left by a relay that had opened the log for a newer attempt: void by now.
    if (row.attempt < position!.attempt) return undefined;
    if (row.attempt > position!.attempt) {
      const stopped = await open(row.attempt);
      if (stopped) return stopped;
    }
    for (const batch of splitIntoBatches(rowEvents!.eventsFor(row), ({ event }) => event.data)) {
      const { epoch, seq: acknowledged } = position!;
      const note = JSON.stringify(batch.at(-1)!.progress);
      const events = batch.map(({ event }) => event);
      const result = await log.append(executionId, { epoch, acknowledged, fence, note, events });
      if (result.outcome === 'lost') {
        // What has been told is for the log to say: all is told again in a new incarnation.
        rowEvents = undefined;
        return (await open(row.attempt, { epoch, acknowledged })) ?? 'behind';
      }
      if (result.outcome === 'fenced') return 'fenced';
      if (result.outcome === 'ended') return ended(epoch, result.end);
      if (result.outcome !== 'appended') return 'published';
      position!.seq = result.head;
    }
    return isFinal(row.status) ? ended(position!.epoch, position!.seq) : undefined;
  }

  async function ended(epoch: string, seq: number): Promise<CopyOutcome> {
    await store.markEnd(executionId, { seq, epoch });
    return 'ended';
  }

  return {
    async step() {
      if (!position) {
        const stopped = await begin();
        if (stopped) return stopped;
      }
      const states = await store.statesAfter(executionId, rowEvents!.revision, PAGE);
      for (const row of states) {
        const stopped = await copy(row);
        if (stopped) return stopped;
      }
      return states.length < PAGE ? 'current' : 'behind';
    },
  };
}

function toldIn({ note }: LogHead): RowProgress | undefined {
  return note === undefined ? undefined : (JSON.parse(note) as RowProgress);
}
