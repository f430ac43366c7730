// The checker of the proof finds every fault that is planted. One that cannot fail would prove nothing.
import { describe, expect, test } from 'vitest';
import { digest, eventDigest } from '../../prove/check/digest.ts';
import { addEntry, emptyJournal } from '../../prove/journal/reader.ts';
import {
  chunk,
  complete,
  countsOf,
  EPOCH,
  events,
  ID,
  judged,
  PIECES,
  reset,
  start,
  wholeJournal,
  wholeStream,
} from './script.ts';

const OTHER = 'epoch111bb';
const LONG_AGO = { from: 0, to: 2_000 } as const;

test('a whole stream has no finding', () => {
  const verdict = judged(wholeStream());
  expect(verdict.findings).toEqual([]);
  expect(verdict.delivered).toBe(6);
});

describe('what seqs alone tell', () => {
  test('a lost seq', () => {
    expect(countsOf(judged(wholeStream().filter(({ seq }) => seq !== 3)))).toEqual({
      lost: 1,
      wronglyRead: 1,
    });
  });

  test('a lost beginning', () => {
    expect(countsOf(judged(wholeStream().slice(1)))).toMatchObject({ lost: 1 });
  });

  test('a doubled seq', () => {
    const seen = wholeStream();
    expect(countsOf(judged(seen.toSpliced(3, 0, seen[2]!)))).toEqual({ doubled: 1 });
  });

  test('a doubled seq after a reconnect', () => {
    const seen = wholeStream();
    expect(countsOf(judged([...seen.slice(0, 4), ...seen.slice(1)]))).toEqual({ doubled: 3 });
  });

  test('a swapped pair', () => {
    const [a, b, c, d, ...rest] = wholeStream();
    expect(countsOf(judged([a!, b!, d!, c!, ...rest]))).toEqual({ disordered: 1, wronglyRead: 1 });
  });

  test('a second end', () => {
    const seen = wholeStream();
    const again = { ...seen.at(-1)!, seq: 7 };
    expect(countsOf(judged([...seen, again]))).toEqual({ doubled: 1 });
    expect(countsOf(judged([...seen, seen.at(-1)!]))).toEqual({ doubled: 1 });
  });

  test('something after the end', () => {
    const late = { ...wholeStream()[1]!, seq: 7 };
    expect(countsOf(judged([...wholeStream(), late]))).toMatchObject({ disordered: 1 });
  });

  test('another incarnation without a reset', () => {
    const seen = wholeStream().map((event) => (event.seq > 3 ? { ...event, epoch: OTHER } : event));
    expect(countsOf(judged(seen))).toMatchObject({ disordered: 1 });
  });

  test('an event of another execution', () => {
    const strange = { ...wholeStream()[2]!, executionId: 'a2' };
    expect(countsOf(judged(wholeStream().toSpliced(2, 0, strange)))).toEqual({ wronglyRead: 1 });
  });

  test('a gap counts as lost, whatever it brings', () => {
    const seen = wholeStream();
    const text = PIECES.slice(0, 3).join('');
    const gap = { type: 'gap', data: { fromSeq: 2, toSeq: 4, text }, seq: 4, epoch: EPOCH, at: 1_004 };
    const verdict = judged([seen[0]!, gap, ...seen.slice(4)]);
    expect(countsOf(verdict)).toEqual({ lost: 3 });
    expect(verdict.gaps).toHaveLength(1);
  });
});

describe('what the journal tells', () => {
  test('the end of the log is missing: what was acknowledged is lost, and there is no end', () => {
    expect(countsOf(judged(wholeStream().slice(0, 4)))).toMatchObject({ lost: 3 });
  });

  test('a stream that was said to be over without its end', () => {
    const seen = wholeStream().slice(0, 5);
    const journal = wholeJournal(seen);
    const verdict = judged(seen, journal, { isEndTold: true });
    expect(countsOf(verdict)).toEqual({ lost: 1 });
    expect(verdict.findings[0]!.detail).toContain('said to be over');
  });

  test('a viewer that got nothing at all', () => {
    expect(countsOf(judged([]))).toEqual({ lost: 7 });
  });

  test('a piece that is not what was published there', () => {
    const seen = wholeStream().map((event) => (event.seq === 3 ? { ...event, ...chunk('ebb ') } : event));
    expect(countsOf(judged(seen))).toEqual({ wronglyRead: 2 });
  });

  test('a wrong final text, though every event is as it was published', () => {
    const journal = wholeJournal();
    journal.finals.set(1, digest('The tide goes out.'));
    expect(countsOf(judged(wholeStream(), journal))).toEqual({ wronglyRead: 2 });
  });

  test('a wrong result in `complete`', () => {
    const seen = events(start, ...PIECES.map(chunk), complete('The tide'));
    expect(countsOf(judged(seen, wholeJournal(seen)))).toEqual({ wronglyRead: 1 });
  });

  test('acknowledged events of a later incarnation that never came', () => {
    const journal = wholeJournal();
    const more = wholeStream().map(({ type, data }) => eventDigest(type, data));
    addEntry(journal, { is: 'open', id: ID, epoch: OTHER, head: 0, attempt: 1, at: 1_500 });
    addEntry(journal, { is: 'ack', id: ID, epoch: OTHER, from: 1, events: more, at: 1_501 });
    expect(countsOf(judged(wholeStream(), journal))).toEqual({ lost: 6 });
  });
});

describe('resets', () => {
  const again = (reason: string, more = {}) =>
    events(
      start,
      chunk('The '),
      reset(reason, more),
      ...wholeStream().map(({ type, data }) => ({ type, data })),
    );

  test('server-made, for a log that was lost: only where data were destroyed meanwhile', () => {
    const seen = again('log_lost', { seq: 0 });
    expect(countsOf(judged(seen))).toEqual({ lost: 1 });
    expect(countsOf(judged(seen, wholeJournal(), { destructions: [LONG_AGO] }))).toEqual({});
  });

  test('destruction that was over before the execution began is no excuse', () => {
    const destructions = [{ from: 0, to: 900 }] as const;
    expect(countsOf(judged(again('log_lost', { seq: 0 }), wholeJournal(), { destructions }))).toEqual({
      lost: 1,
    });
  });

  test('destruction that came later is no excuse', () => {
    const destructions = [{ from: 5_000, to: 6_000 }] as const;
    expect(countsOf(judged(again('log_lost', { seq: 0 }), wholeJournal(), { destructions }))).toEqual({
      lost: 1,
    });
  });

  test('of an attempt: only where there was another one', () => {
    const seen = events(
      ...[start, chunk('The ebb'), reset('attempt'), start],
      ...PIECES.map(chunk),
      complete(PIECES.join('')),
    );
    const journal = wholeJournal(seen);
    expect(countsOf(judged(seen, journal))).toEqual({ lost: 1 });
    addEntry(journal, { is: 'begin', id: ID, attempt: 2, at: 1_002 });
    expect(countsOf(judged(seen, journal))).toEqual({});
  });

  test('of an overflow: only where the publisher wrote one', () => {
    const seen = events(
      ...[start, chunk('The '), reset('overflow')],
      ...PIECES.map(chunk),
      complete(PIECES.join('')),
    );
    const journal = wholeJournal(seen);
    expect(countsOf(judged(seen, journal))).toEqual({ lost: 1 });
    journal.overflows = 1;
    expect(countsOf(judged(seen, journal))).toEqual({});
  });

  test('what was read before a reset is no excuse for what is missing after it', () => {
    const seen = again('log_lost', { seq: 0 }).toSpliced(5, 1);
    expect(countsOf(judged(seen, wholeJournal(), { destructions: [LONG_AGO] }))).toMatchObject({ lost: 1 });
  });
});

describe('what is no fault', () => {
  test('a warning that a server makes repeats the cursor', () => {
    const seen = wholeStream();
    const away = { type: 'warning', data: { code: 'SOURCE_UNAVAILABLE', message: 'away' } };
    const warning = { ...seen[2]!, ...away };
    expect(judged([...seen.slice(0, 3), warning, warning, ...seen.slice(3)]).findings).toEqual([]);
    const early = { ...warning, seq: 0 };
    expect(judged([early, ...seen]).findings).toEqual([]);
  });

  test('but a warning of the log that comes twice is doubled', () => {
    const failed = { type: 'warning', data: { code: 'ATTEMPT_FAILED', message: 'm' } };
    const seen = events(start, failed, ...PIECES.map(chunk), complete(PIECES.join('')));
    expect(countsOf(judged(seen.toSpliced(2, 0, seen[1]!), wholeJournal(seen)))).toEqual({ doubled: 1 });
  });

  test('what was destroyed is not asked for at its old seq: an open says where the log stood', () => {
    const journal = wholeJournal([]);
    addEntry(journal, { is: 'ack', id: ID, epoch: EPOCH, from: 1, events: ['old', 'old', 'old'], at: 1_001 });
    addEntry(journal, { is: 'open', id: ID, epoch: EPOCH, head: 0, attempt: 1, at: 1_002 });
    expect(judged(wholeStream(), journal).findings).toEqual([]);
  });
});

test('a structured value is folded, and a patch that does not apply is found', async () => {
  const { createSequence } = await import('../../prove/check/sequence.ts');
  const { judge } = await import('../../prove/check/judge.ts');
  const patch = (path: string, value: unknown) => ({
    type: 'structured_delta',
    data: { patch: [{ op: path === '' ? 'replace' : 'add', path, value }] },
  });
  const seen = events(start, patch('', { rows: [] }), patch('/rows/0', 1), complete({ rows: [1] }));
  const journal = emptyJournal('agent');
  journal.finals.set(1, digest({ rows: [1] }));
  const whole = createSequence(ID, 'STRUCTURED');
  for (const event of seen) whole.take(event);
  expect(judge(whole, journal, []).findings).toEqual([]);
  const broken = createSequence(ID, 'STRUCTURED');
  for (const event of seen.toSpliced(1, 1)) broken.take(event);
  const counts = countsOf(judge(broken, journal, []));
  expect(counts).toEqual({ lost: 1, wronglyRead: 2 });
});
