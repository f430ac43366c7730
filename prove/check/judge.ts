// Judges what a viewer received by the publishers' journal and by the faults that destroyed data.
import type { ExecutionJournal } from '../journal/reader.ts';
import { digest } from './digest.ts';
import type { Finding, SeenGap, SeenReset, Sequence } from './seen.ts';

/**
 * A period, in ms since 1970, in which a fault destroyed data that viewers had seen. They may receive a `reset`
 * then; the publisher resends the acknowledged events, and these are judged.
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
 * Judges a viewer that watched until the end of its execution.
 * @param destructions everything that destroyed data before or while it watched; a `log_lost` requires one.
 */
export function judge(
  sequence: Sequence,
  journal: ExecutionJournal,
  destructions: readonly Destruction[],
): Verdict {
  const findings = [
    ...sequence.findings(),
    ...sequence.resets.flatMap((reset, i) =>
      forbidden(reset, sequence.resets.slice(0, i), journal, destructions),
    ),
    ...unread(sequence, journal),
    ...misread(sequence, journal),
    ...wrongEnd(sequence, journal),
  ];
  const { delivered, resets, gaps } = sequence;
  return { delivered, findings, resets, gaps };
}

/**
 * A reset discards what a viewer has read. It counts as lost unless a fault, a new attempt or an overflow explains
 * it.
 */
function forbidden(
  { reason, at, isLogged }: SeenReset,
  earlier: readonly SeenReset[],
  { kind, attempts, overflows, begunAt }: ExecutionJournal,
  destructions: readonly Destruction[],
): Finding[] {
  const losses = destructions.filter(({ from, to }) => from <= at && to >= begunAt).length;
  if (reason === 'log_lost' && losses > 0) return [];
  if (reason === 'attempt' && isLogged && attempts > 1) return [];
  if (reason === 'overflow' && isLogged && overflows > 0) return [];
  // A workflow was shown by its history until its worker responded: once, and once more after its log was lost. Its own
  // events follow, all of which are checked.
  const changes = earlier.filter((reset) => reset.reason === reason).length;
  if (reason === 'source' && !isLogged && kind === 'workflow' && changes <= losses) return [];
  return [{ what: 'lost', count: 1, detail: `reset (${reason}) at ${time(at)} without a cause` }];
}

/** Events that were acknowledged and come after the last one that the viewer received. */
function unread({ epoch, last }: Sequence, { epochs }: ExecutionJournal): Finding[] {
  const order = [...epochs.keys()];
  const from = epoch === undefined ? -1 : order.indexOf(epoch);
  // An epoch that no journal has was started by a relay; only its seqs can be checked.
  if (epoch !== undefined && from === -1) return [];
  return order.slice(Math.max(from, 0)).flatMap((each) => {
    const seqs = [...epochs.get(each)!.keys()].filter((seq) => each !== epoch || seq > last);
    if (seqs.length === 0) return [];
    const range = `${Math.min(...seqs)}..${Math.max(...seqs)} of ${each}`;
    return [{ what: 'lost', count: seqs.length, detail: `${range} were acknowledged and never arrived` }];
  });
}

/** Events that differ from the ones acknowledged at the same seq. */
function misread({ epoch, observed }: Sequence, { epochs }: ExecutionJournal): Finding[] {
  const acknowledged = epochs.get(epoch ?? '');
  if (!acknowledged) return [];
  return [...observed].flatMap(([seq, received]) => {
    const expected = acknowledged.get(seq);
    if (!expected || expected === received) return [];
    return [{ what: 'wronglyRead', count: 1, detail: `${seq}-${epoch} differs from the published event` }];
  });
}

function wrongEnd(sequence: Sequence, journal: ExecutionJournal): Finding[] {
  const { terminal } = sequence;
  if (!terminal) {
    const how = sequence.isEndReported
      ? 'the server reported the end of the stream'
      : 'the viewer was still waiting';
    return [{ what: 'lost', count: 1, detail: `no terminal event (${how})` }];
  }
  const { finals, endedBy } = journal;
  const expected = endedBy === undefined ? [...finals.values()] : [finals.get(endedBy)];
  const findings: Finding[] = [];
  const read = journal.kind === 'workflow' ? digest(terminal.data.result ?? null) : sequence.digest;
  if (!expected.includes(read)) {
    findings.push({
      what: 'wronglyRead',
      count: 1,
      detail: 'the final text or value differs from the journal',
    });
  }
  const { result, resultOmitted } = terminal.data;
  if (terminal.type === 'complete' && !resultOmitted && !expected.includes(digest(result ?? null))) {
    findings.push({
      what: 'wronglyRead',
      count: 1,
      detail: 'the result in `complete` differs from the journal',
    });
  }
  return findings;
}

function time(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}
