// Judges what one viewer got by the publishers' journal, and by what was done to the data meanwhile.
import type { ExecutionJournal } from '../journal/reader.ts';
import { digest } from './digest.ts';
import type { Finding, SeenGap, SeenReset, Sequence } from './seen.ts';

/**
 * A stretch of time, in ms, in which a fault destroyed data that viewers had seen. They may then be told to begin again;
 * what was acknowledged is said again by its publisher, and judged.
 */
export interface Destruction {
  readonly from: number;
  readonly to: number;
}

export interface Verdict {
  readonly delivered: number;
  readonly findings: readonly Finding[];
  readonly resets: readonly SeenReset[];
  readonly gaps: readonly SeenGap[];
}

/**
 * Judges a viewer that was there until its execution's end.
 * @param destructions everything that destroyed data before or while it watched; a `log_lost` needs one.
 */
export function judge(
  sequence: Sequence,
  journal: ExecutionJournal,
  destructions: readonly Destruction[],
): Verdict {
  const findings = [
    ...sequence.findings(),
    ...sequence.resets.flatMap((reset) => forbidden(reset, journal, destructions)),
    ...unread(sequence, journal),
    ...misread(sequence, journal),
    ...wrongEnd(sequence, journal),
  ];
  const { delivered, resets, gaps } = sequence;
  return { delivered, findings, resets, gaps };
}

/** A reset takes away what was read. It counts as lost unless somebody really took it away. */
function forbidden(
  { reason, at, isLogged }: SeenReset,
  { attempts, overflows, begunAt }: ExecutionJournal,
  destructions: readonly Destruction[],
): Finding[] {
  const isDestroyed = destructions.some(({ from, to }) => from <= at && to >= begunAt);
  if (reason === 'log_lost' && isDestroyed) return [];
  if (reason === 'attempt' && isLogged && attempts > 1) return [];
  if (reason === 'overflow' && isLogged && overflows > 0) return [];
  return [
    { what: 'lost', count: 1, detail: `reset (${reason}) at ${time(at)}, for which there was no cause` },
  ];
}

/** What was acknowledged and lies behind the last thing that the viewer got. */
function unread({ epoch, last }: Sequence, { epochs }: ExecutionJournal): Finding[] {
  const order = [...epochs.keys()];
  const from = epoch === undefined ? -1 : order.indexOf(epoch);
  // An epoch that no publisher has heard of: a relay began it. Then only its own seqs speak.
  if (epoch !== undefined && from === -1) return [];
  return order.slice(Math.max(from, 0)).flatMap((each) => {
    const seqs = [...epochs.get(each)!.keys()].filter((seq) => each !== epoch || seq > last);
    if (seqs.length === 0) return [];
    const shown = `${Math.min(...seqs)}..${Math.max(...seqs)} of ${each}`;
    return [{ what: 'lost', count: seqs.length, detail: `${shown} were acknowledged and never came` }];
  });
}

/** What came and is not what was acknowledged at its place. */
function misread({ epoch, observed }: Sequence, { epochs }: ExecutionJournal): Finding[] {
  const acknowledged = epochs.get(epoch ?? '');
  if (!acknowledged) return [];
  return [...observed].flatMap(([seq, got]) => {
    const meant = acknowledged.get(seq);
    if (!meant || meant === got) return [];
    return [{ what: 'wronglyRead', count: 1, detail: `${seq}-${epoch} is not what was published there` }];
  });
}

function wrongEnd(sequence: Sequence, journal: ExecutionJournal): Finding[] {
  const { terminal } = sequence;
  if (!terminal) {
    const how = sequence.isEndTold ? 'the stream was said to be over' : 'the viewer waited';
    return [{ what: 'lost', count: 1, detail: `no terminal event (${how})` }];
  }
  const { finals, endedBy } = journal;
  const meant = endedBy === undefined ? [...finals.values()] : [finals.get(endedBy)];
  const wrong: Finding[] = [];
  const read = journal.kind === 'workflow' ? digest(terminal.data.result ?? null) : sequence.digest;
  if (!meant.includes(read)) {
    wrong.push({ what: 'wronglyRead', count: 1, detail: 'the final text or value is not the journal’s' });
  }
  const { result, resultOmitted } = terminal.data;
  if (terminal.type === 'complete' && !resultOmitted && !meant.includes(digest(result ?? null))) {
    wrong.push({ what: 'wronglyRead', count: 1, detail: 'the result in `complete` is not the journal’s' });
  }
  return wrong;
}

function time(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}
