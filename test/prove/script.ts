// A viewer's events and the matching journal of its publisher; tests then corrupt one of them.
import { digest, eventDigest } from '../../prove/check/digest.ts';
import { type Destruction, judge, type Verdict } from '../../prove/check/judge.ts';
import type { Finding, Seen } from '../../prove/check/seen.ts';
import { createSequence } from '../../prove/check/sequence.ts';
import { addEntry, type ExecutionJournal, emptyJournal } from '../../prove/journal/reader.ts';

export const ID = 'a1';
export const EPOCH = 'epoch000aa';
export const PIECES = ['The ', 'tide ', 'comes ', 'in.'];

type Draft = Pick<Seen, 'type' | 'data'> & Partial<Seen>;

/** Events in order; the seq is incremented unless it is given. */
export function events(...drafts: readonly Draft[]): Seen[] {
  let seq = 0;
  return drafts.map((draft) => {
    seq = draft.seq ?? seq + 1;
    return { seq, epoch: EPOCH, at: 1_000 + seq, ...draft };
  });
}

export const start = { type: 'agent_start', data: { agentId: 'writer' } };
export const chunk = (content: string): Draft => ({ type: 'llm_chunk', data: { content } });
export const complete = (result: unknown): Draft => ({
  type: 'complete',
  data: { status: 'SUCCESS', result, durationMs: 1 },
});
export const reset = (reason: string, more: Partial<Seen> = {}): Draft => ({
  type: 'reset',
  data: { reason },
  ...more,
});

/** A complete stream: start, four chunks, end. */
export function completeStream(): Seen[] {
  return events(start, ...PIECES.map(chunk), complete(PIECES.join('')));
}

/** The journal of the publisher of `acknowledged`. */
export function completeJournal(acknowledged: readonly Seen[] = completeStream()): ExecutionJournal {
  const journal = emptyJournal('agent');
  addEntry(journal, { is: 'begin', id: ID, attempt: 1, at: 1_000 });
  addEntry(journal, { is: 'open', id: ID, epoch: EPOCH, head: 0, attempt: 1, at: 1_000 });
  const hashes = acknowledged.map(({ type, data }) => eventDigest(type, data));
  addEntry(journal, { is: 'ack', id: ID, epoch: EPOCH, from: 1, events: hashes, at: 1_001 });
  addEntry(journal, { is: 'final', id: ID, attempt: 1, digest: digest(PIECES.join('')), at: 1_002 });
  addEntry(journal, { is: 'end', id: ID, attempt: 1, at: 1_003 });
  return journal;
}

/** Delivers these events to a viewer and judges them. */
export function judged(
  seen: readonly Seen[],
  journal: ExecutionJournal = completeJournal(),
  options: { destructions?: readonly Destruction[]; isEndReported?: boolean } = {},
): Verdict {
  const sequence = createSequence(ID, 'TEXT');
  for (const event of seen) sequence.take(event);
  if (options.isEndReported) sequence.reportEnd();
  return judge(sequence, journal, options.destructions ?? []);
}

/** The number of findings by type, without zeros. */
export function countsOf({ findings }: Verdict): Partial<Record<Finding['what'], number>> {
  const counts: Partial<Record<Finding['what'], number>> = {};
  for (const { what, count } of findings) counts[what] = (counts[what] ?? 0) + count;
  return counts;
}
