// The judge detects every planted fault: a proof that cannot fail would prove nothing.
import { describe, expect, test } from 'vitest';
import { digest, eventDigest } from '../../prove/check/digest.ts';
import { addEntry, emptyJournal } from '../../prove/journal/reader.ts';
import {
  chunk,
  complete,
  completeJournal,
  completeStream,
  countsOf,
  EPOCH,
  events,
  ID,
  judged,
  PIECES,
  reset,
  start,
} from './script.ts';

const OTHER = 'epoch111bb';
const LONG_AGO = { from: 0, to: 2_000 } as const;

test('a complete stream has no findings', () => {
  const verdict = judged(completeStream());
  expect(verdict.findings).toEqual([]);
  expect(verdict.delivered).toBe(6);
});

describe('problems detected from the seqs alone', () => {
  test('a missing seq counts as lost', () => {
    expect(countsOf(judged(completeStream().filter(({ seq }) => seq !== 3)))).toEqual({
      lost: 1,
      wronglyRead: 1,
    });
  });

  test('a missing start of the stream counts as lost', () => {
    expect(countsOf(judged(completeStream().slice(1)))).toMatchObject({ lost: 1 });
  });

  test('a seq that arrives twice counts as doubled', () => {
    const seen = completeStream();
    expect(countsOf(judged(seen.toSpliced(3, 0, seen[2]!)))).toEqual({ doubled: 1 });
  });

  test('seqs that are delivered again after a reconnect count as doubled', () => {
    const seen = completeStream();
    expect(countsOf(judged([...seen.slice(0, 4), ...seen.slice(1)]))).toEqual({ doubled: 3 });
  });

  test('a swapped pair counts as disordered', () => {
    const [a, b, c, d, ...rest] = completeStream();
    expect(countsOf(judged([a!, b!, d!, c!, ...rest]))).toEqual({ disordered: 1, wronglyRead: 1 });
  });

  test('a second terminal event counts as doubled', () => {
    const seen = completeStream();
    const again = { ...seen.at(-1)!, seq: 7 };
    expect(countsOf(judged([...seen, again]))).toEqual({ doubled: 1 });
    expect(countsOf(judged([...seen, seen.at(-1)!]))).toEqual({ doubled: 1 });
  });

  test('an event after the terminal event counts as disordered', () => {
    const late = { ...completeStream()[1]!, seq: 7 };
    expect(countsOf(judged([...completeStream(), late]))).toMatchObject({ disordered: 1 });
  });

  test('a new epoch without a reset counts as disordered', () => {
    const seen = completeStream().map((event) => (event.seq > 3 ? { ...event, epoch: OTHER } : event));
    expect(countsOf(judged(seen))).toMatchObject({ disordered: 1 });
  });

  test('an event of another execution counts as wrongly read', () => {
    const foreign = { ...completeStream()[2]!, executionId: 'a2' };
    expect(countsOf(judged(completeStream().toSpliced(2, 0, foreign)))).toEqual({ wronglyRead: 1 });
  });

  test('a gap counts as lost, even with the missing text', () => {
    const seen = completeStream();
    const text = PIECES.slice(0, 3).join('');
    const gap = { type: 'gap', data: { fromSeq: 2, toSeq: 4, text }, seq: 4, epoch: EPOCH, at: 1_004 };
    const verdict = judged([seen[0]!, gap, ...seen.slice(4)]);
    expect(countsOf(verdict)).toEqual({ lost: 3 });
    expect(verdict.gaps).toHaveLength(1);
  });
});

describe('problems detected with the journal', () => {
  test('acknowledged events and the terminal event count as lost if the end of the log is missing', () => {
    expect(countsOf(judged(completeStream().slice(0, 4)))).toMatchObject({ lost: 3 });
  });

  test('a stream that is reported as over without a terminal event counts as lost', () => {
    const seen = completeStream().slice(0, 5);
    const journal = completeJournal(seen);
    const verdict = judged(seen, journal, { isEndReported: true });
    expect(countsOf(verdict)).toEqual({ lost: 1 });
    expect(verdict.findings[0]!.detail).toContain('reported the end');
  });

  test('all events count as lost for a viewer that received nothing', () => {
    expect(countsOf(judged([]))).toEqual({ lost: 7 });
  });

  test('a chunk that differs from the published one counts as wrongly read', () => {
    const seen = completeStream().map((event) => (event.seq === 3 ? { ...event, ...chunk('ebb ') } : event));
    expect(countsOf(judged(seen))).toEqual({ wronglyRead: 2 });
  });

  test('a wrong final text is detected even if every event is as published', () => {
    const journal = completeJournal();
    journal.finals.set(1, digest('The tide goes out.'));
    expect(countsOf(judged(completeStream(), journal))).toEqual({ wronglyRead: 2 });
  });

  test('a wrong result in `complete` counts as wrongly read', () => {
    const seen = events(start, ...PIECES.map(chunk), complete('The tide'));
    expect(countsOf(judged(seen, completeJournal(seen)))).toEqual({ wronglyRead: 1 });
  });

  test('acknowledged events of a later epoch that never arrived count as lost', () => {
    const journal = completeJournal();
    const more = completeStream().map(({ type, data }) => eventDigest(type, data));
    addEntry(journal, { is: 'open', id: ID, epoch: OTHER, head: 0, attempt: 1, at: 1_500 });
    addEntry(journal, { is: 'ack', id: ID, epoch: OTHER, from: 1, events: more, at: 1_501 });
    expect(countsOf(judged(completeStream(), journal))).toEqual({ lost: 6 });
  });
});

describe('resets', () => {
  const again = (reason: string, more = {}) =>
    events(
      start,
      chunk('The '),
      reset(reason, more),
      ...completeStream().map(({ type, data }) => ({ type, data })),
    );

  test('a reset for a lost log is accepted only if data were destroyed in the meantime', () => {
    const seen = again('log_lost', { seq: 0 });
    expect(countsOf(judged(seen))).toEqual({ lost: 1 });
    expect(countsOf(judged(seen, completeJournal(), { destructions: [LONG_AGO] }))).toEqual({});
  });

  test('destruction before the execution began does not explain a reset', () => {
    const destructions = [{ from: 0, to: 900 }] as const;
    expect(countsOf(judged(again('log_lost', { seq: 0 }), completeJournal(), { destructions }))).toEqual({
      lost: 1,
    });
  });

  test('later destruction does not explain a reset', () => {
    const destructions = [{ from: 5_000, to: 6_000 }] as const;
    expect(countsOf(judged(again('log_lost', { seq: 0 }), completeJournal(), { destructions }))).toEqual({
      lost: 1,
    });
  });

  test('a reset for a new attempt is accepted only if there was one', () => {
    const seen = events(
      ...[start, chunk('The ebb'), reset('attempt'), start],
      ...PIECES.map(chunk),
      complete(PIECES.join('')),
    );
    const journal = completeJournal(seen);
    expect(countsOf(judged(seen, journal))).toEqual({ lost: 1 });
    addEntry(journal, { is: 'begin', id: ID, attempt: 2, at: 1_002 });
    expect(countsOf(judged(seen, journal))).toEqual({});
  });

  test('a reset for an overflow is accepted only if the publisher wrote one', () => {
    const seen = events(
      ...[start, chunk('The '), reset('overflow')],
      ...PIECES.map(chunk),
      complete(PIECES.join('')),
    );
    const journal = completeJournal(seen);
    expect(countsOf(judged(seen, journal))).toEqual({ lost: 1 });
    journal.overflows = 1;
    expect(countsOf(judged(seen, journal))).toEqual({});
  });

  test('a reset for another source is accepted only for a workflow, and once', () => {
    const seen = again('source', { seq: 0 });
    expect(JSON.stringify(judged(seen, completeJournal()))).toContain('reset (source)');
    const workflow = { ...completeJournal(), kind: 'workflow' as const };
    expect(JSON.stringify(judged(seen, workflow))).not.toContain('reset (source)');
    const [first, ...rest] = seen;
    const twice = [first!, ...seen.filter(({ type }) => type === 'reset'), ...rest];
    expect(JSON.stringify(judged(twice, workflow))).toContain('reset (source)');
  });

  test('events before a reset do not make up for events missing after it', () => {
    const seen = again('log_lost', { seq: 0 }).toSpliced(5, 1);
    expect(countsOf(judged(seen, completeJournal(), { destructions: [LONG_AGO] }))).toMatchObject({
      lost: 1,
    });
  });
});

describe('events that are not faults', () => {
  test('a warning that a server generates repeats the cursor', () => {
    const seen = completeStream();
    const unavailable = { type: 'warning', data: { code: 'SOURCE_UNAVAILABLE', message: 'unavailable' } };
    const warning = { ...seen[2]!, ...unavailable };
    expect(judged([...seen.slice(0, 3), warning, warning, ...seen.slice(3)]).findings).toEqual([]);
    const early = { ...warning, seq: 0 };
    expect(judged([early, ...seen]).findings).toEqual([]);
  });

  test('a warning of the log that arrives twice counts as doubled', () => {
    const failed = { type: 'warning', data: { code: 'ATTEMPT_FAILED', message: 'm' } };
    const seen = events(start, failed, ...PIECES.map(chunk), complete(PIECES.join('')));
    expect(countsOf(judged(seen.toSpliced(2, 0, seen[1]!), completeJournal(seen)))).toEqual({ doubled: 1 });
  });

  test('destroyed events are not expected at their old seqs, because an open records the head of the log', () => {
    const journal = completeJournal([]);
    addEntry(journal, { is: 'ack', id: ID, epoch: EPOCH, from: 1, events: ['old', 'old', 'old'], at: 1_001 });
    addEntry(journal, { is: 'open', id: ID, epoch: EPOCH, head: 0, attempt: 1, at: 1_002 });
    expect(judged(completeStream(), journal).findings).toEqual([]);
  });
});

test('a structured value is built from its patches, and a patch that does not apply is detected', async () => {
  const { createSequence } = await import('../../prove/check/sequence.ts');
  const { judge } = await import('../../prove/check/judge.ts');
  const patch = (path: string, value: unknown) => ({
    type: 'structured_delta',
    data: { patch: [{ op: path === '' ? 'replace' : 'add', path, value }] },
  });
  const seen = events(start, patch('', { rows: [] }), patch('/rows/0', 1), complete({ rows: [1] }));
  const journal = emptyJournal('agent');
  journal.finals.set(1, digest({ rows: [1] }));
  const intact = createSequence(ID, 'STRUCTURED');
  for (const event of seen) intact.take(event);
  expect(judge(intact, journal, []).findings).toEqual([]);
  const broken = createSequence(ID, 'STRUCTURED');
  for (const event of seen.toSpliced(1, 1)) broken.take(event);
  const counts = countsOf(judge(broken, journal, []));
  expect(counts).toEqual({ lost: 1, wronglyRead: 2 });
});
