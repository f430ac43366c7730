// One relay's hand on one workflow's log, under one fencing token: events that the source numbers, into the log.
//
// Invariants
// 1. It begins by opening the log with its token: what an older one has on its way is refused from then on.
// 2. A log holds one incarnation of a workflow's numbering, named by its note. Another one, or an event that
//    contradicts the log, begins a new epoch of the log, and everything is told again in that.
// 3. `confirmed` never goes beyond what the source said and the log took: what a sink appended besides is compared
//    before it counts.
// 4. After a call whose outcome is unknown it is not used again; the next one takes a new token (see 1).
import { splitIntoBatches } from '../../log/append-batch.ts';
import type { EventLog } from '../../log/log.ts';
import { formatNote, parseNote, type WorkflowEvent, type WorkflowNote } from '../shared/stream-query.ts';

/** A numbering that begins at 1, and the run whose events come now. */
export interface Incarnation extends WorkflowNote {
  readonly attempt: number;
  /** The seq before the first event of the run, where the run's own history is numbered. */
  readonly base?: number;
  /** The workflow has not said so by itself: its numbering is a guess. */
  readonly isProvisional?: boolean;
}

/**
 * `done`; `again`: look at `confirmed` and bring what follows on it; `later`: the log is of a run that began later;
 * `ended`: nothing will follow; `published`: the log is a publisher's; `fenced`: another relay has it.
 */
export type CopyOutcome = 'done' | 'again' | 'later' | 'ended' | 'published' | 'fenced';

/** What a note says besides: how far the events were compared with the source, and where the run's numbers begin. */
export interface RelayNote extends WorkflowNote {
  readonly confirmed: number;
  readonly base: number;
  readonly isGuess: boolean;
}

/** Reads a note; undefined where there is none of a workflow. */
export function parseRelayNote(text: string | undefined): RelayNote | undefined {
  const note = parseNote(text);
  if (!note) return undefined;
  const { confirmed, base, isGuess } = JSON.parse(text!) as Partial<RelayNote>;
  return { ...note, confirmed: Number(confirmed) || 0, base: Number(base) || 0, isGuess: isGuess === true };
}

const MAX_BATCH_EVENTS = 500;

export interface FixedCopy {
  /** The seq up to which the log holds what the source says. */
  readonly confirmed: number;
  /** The log's epoch; '' before `enter`. */
  readonly epoch: string;
  /** Makes the log one of this incarnation. */
  enter(incarnation: Incarnation): Promise<CopyOutcome>;
  /** Appends events, the first of them at `confirmed + 1` or below. */
  append(events: readonly WorkflowEvent[]): Promise<CopyOutcome>;
}

export interface FixedCopyOptions {
  readonly log: EventLog;
  readonly executionId: string;
  readonly fence: number;
}

export function createFixedCopy({ log, executionId, fence }: FixedCopyOptions): FixedCopy {
  let current: Incarnation | undefined;
  let epoch = '';
  let confirmed = 0;

  async function open(wanted: Incarnation, isVoid: boolean): Promise<CopyOutcome> {
    const head = await log.head(executionId);
    if (head?.numbering === 'auto') return 'published';
    if (head && head.end > 0) return 'ended';
    const note = parseRelayNote(head?.note);
    const isOther = note !== undefined && note.epoch !== wanted.epoch;
    if (isOther && note.runStartedAt > wanted.runStartedAt) return 'later';
    const begins = head && (isOther || (isVoid && head.epoch === epoch));
    const opened = await log.open(executionId, {
      numbering: 'fixed',
      attempt: Math.max(wanted.attempt, head?.attempt ?? 1),
      fence,
      ...(begins && { lost: { epoch: head.epoch, acknowledged: Number.POSITIVE_INFINITY } }),
    });
    if (opened.outcome === 'fenced' || opened.outcome === 'ended') return opened.outcome;
    if (opened.outcome !== 'opened') return 'published';
    const isSame = !begins && note?.epoch === wanted.epoch && head?.epoch === opened.head.epoch;
    current = wanted;
    epoch = opened.head.epoch;
    confirmed = isSame ? Math.min(note.confirmed, opened.head.head) : 0;
    return 'done';
  }

  return {
    get confirmed() {
      return confirmed;
    },
    get epoch() {
      return epoch;
    },
    async enter(wanted) {
      if (current?.epoch !== wanted.epoch) return open(wanted, false);
      // The next run of the same numbering: the next append notes it.
      current = wanted;
      return 'done';
    },
    async append(events) {
      const { epoch: named, runId, runStartedAt, base = 0, isProvisional: isGuess = false } = current!;
      const missing = events.filter(({ seq }) => seq > confirmed);
      for (const batch of splitIntoBatches(missing, ({ data }) => data, MAX_BATCH_EVENTS)) {
        const last = batch.at(-1)!.seq;
        const own = JSON.stringify({ confirmed: last, base, isGuess });
        const result = await log.append(executionId, {
          epoch,
          acknowledged: 0,
          fence,
          events: batch,
          note: formatNote({ epoch: named, runId, runStartedAt }, own),
        });
        switch (result.outcome) {
          case 'appended':
            confirmed = last;
            break;
          case 'gap':
            // The log has lost its end.
            confirmed = Math.min(confirmed, result.head);
            return 'again';
          case 'lost':
          case 'conflict': {
            const opened = await open(current!, true);
            return opened === 'done' ? 'again' : opened;
          }
          case 'fenced':
          case 'ended':
            return result.outcome;
          default:
            return 'published';
        }
      }
      return 'done';
    },
  };
}
