// Rows that engines write with plain SQL are normalised: an execution has the shapes of the protocol, regardless of the
// contents of the columns.
import { describe, expect, test } from 'vitest';
import type { ExecutionKind } from '../../src/event/events.ts';
import { terminalEventOf } from '../../src/event/terminal-event.ts';
import { checkEventData } from '../../src/event/validation.ts';
import { contentOf, fromRow, summaryOf } from '../../src/execution/row-mapper.ts';

type Row = Parameters<typeof fromRow>[0];

function row(columns: Partial<Row> = {}): Row {
  return {
    ...{ id: 'e1', kind: 'task' satisfies ExecutionKind, mode: 'TEXT', status: 'FAILED', attempt: 1 },
    ...{
      name: null,
      tenant: null,
      parentId: null,
      workflowId: null,
      runId: null,
      expectsHeartbeats: null,
      incarnation: null,
    },
    ...{ input: null, result: null, resultOmitted: false, error: null, usage: null, revision: 1 },
    ...{ startedAt: new Date(0), finishedAt: new Date(1_000), endSeq: null, endEpoch: null },
    ...columns,
  };
}

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const USAGE = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };

describe('error', () => {
  test.each([
    ['{"message":"it broke","code":"E1"}', { message: 'it broke', code: 'E1' }],
    ['{"message":"it broke"}', { message: 'it broke' }],
    ['{"message":"","code":""}', { message: '', code: '' }],
    ['"it broke"', { message: 'it broke' }],
    ['{"message":"it broke","code":500,"stack":"at …"}', { message: 'it broke', code: '500' }],
    ['{"message":"it broke","code":null}', { message: 'it broke' }],
    ['{"message":"it broke","code":["E"]}', { message: 'it broke' }],
    ['it broke', { message: 'it broke' }],
    ['{"reason":"it broke"}', { message: '{"reason":"it broke"}' }],
    ['{"message":{"text":"it broke"}}', { message: '{"message":{"text":"it broke"}}' }],
    ['["it broke"]', { message: '["it broke"]' }],
    ['42', { message: '42' }],
    ['false', { message: 'false' }],
    [nested(200), { message: nested(200) }],
    ['null', undefined],
    [' null ', undefined],
  ])('the error %s is read as a failure with a message, in rows and in contents', (json, failure) => {
    expect(fromRow(row({ error: json })).error).toEqual(failure);
    expect(contentOf('error', json)).toEqual(failure ? { value: failure } : {});
  });

  test('a row without an error has none', () => {
    expect(fromRow(row())).not.toHaveProperty('error');
  });
});

describe('usage', () => {
  test.each([
    [USAGE, USAGE],
    [
      { ...USAGE, model: 'm', costUsd: 0.25 },
      { ...USAGE, model: 'm', costUsd: 0.25 },
    ],
    [{ prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, prompt_tokens_details: {} }, USAGE],
    [
      { ...USAGE, totalTokens: 2 ** 31 },
      { ...USAGE, totalTokens: 2 ** 31 },
    ],
  ])('the usage %j is returned in the shape of the protocol', (reported, usage) => {
    expect(summaryOf(row({ usage: JSON.stringify(reported) })).usage).toEqual(usage);
    expect(fromRow(row({ usage: JSON.stringify(reported) })).usage).toEqual(usage);
  });

  test.each([
    '{"tokens":1}',
    JSON.stringify({ ...USAGE, inputTokens: -1 }),
    JSON.stringify({ ...USAGE, totalTokens: 2 ** 53 }),
    '"3 tokens"',
    '3',
    'null',
    nested(200),
  ])('the usage %s cannot be read and is omitted', (json) => {
    expect(fromRow(row({ usage: json }))).not.toHaveProperty('usage');
    expect(summaryOf(row({ usage: json }))).not.toHaveProperty('usage');
  });
});

describe('input and result', () => {
  test.each(['null', '"text"', '{"a":[1,null]}', 'false', '0'])(
    'the value %s is returned unchanged',
    (json) => {
      const value = JSON.parse(json);
      expect(fromRow(row({ input: json, result: json }))).toMatchObject({ input: value, result: value });
      expect(contentOf('result', json)).toEqual({ value });
    },
  );

  test('a value that nests too deeply is omitted, and such a result counts as omitted', () => {
    const read = fromRow(row({ input: nested(200), result: nested(200) }));
    expect(read).toMatchObject({ resultOmitted: true });
    expect(read).not.toHaveProperty('input');
    expect(read).not.toHaveProperty('result');
    expect(contentOf('result', nested(200))).toEqual({ value: null });
  });
});

describe('other columns', () => {
  test.each(['', 'ä'.repeat(501), 'x'.repeat(1_001)])(
    'the parent %j, which is not an id, is omitted',
    (parentId) => {
      expect(fromRow(row({ parentId }))).not.toHaveProperty('parentId');
      expect(summaryOf(row({ parentId: 'p1' }))).toMatchObject({ parentId: 'p1' });
    },
  );

  test.each([
    [0, 'abcdefghij'],
    [-1, 'abcdefghij'],
    [1, 'ABC'],
    [1, ''],
  ])('the end at seq %i of epoch %j, which is not a position, is omitted', (endSeq, endEpoch) => {
    expect(fromRow(row({ endSeq, endEpoch }))).not.toHaveProperty('end');
    const end = { seq: 1, epoch: 'abcdefghij' };
    expect(fromRow(row({ endSeq: end.seq, endEpoch: end.epoch }))).toMatchObject({ end });
  });

  test('a time that Prisma cannot read is one that events can carry', () => {
    const invalid = new Date(Number.NaN);
    const read = fromRow(row({ startedAt: invalid, finishedAt: invalid }));
    expect(read).toMatchObject({ startedAt: new Date(0), finishedAt: new Date(0) });
    expect(terminalEventOf(read)).toMatchObject({ ts: '1970-01-01T00:00:00.000Z', data: { durationMs: 0 } });
  });
});

test.each([
  { error: '{"message":"it broke","code":500}' },
  { error: '{"message":7}' },
  { error: '"it broke"', usage: '{"tokens":1}' },
  { error: 'null', usage: '[]' },
])('the terminal event of the row %j is valid', (columns) => {
  const terminal = terminalEventOf(fromRow(row(columns)))!;
  expect(checkEventData('error', terminal.data)).toEqual(terminal.data);
});

test('an integer that a double cannot hold is read as a string of its digits', () => {
  const json = '{"id":12345678901234567890,"ids":[-9007199254740993,1e400],"n":9007199254740991}';
  const value = { id: '12345678901234567890', ids: ['-9007199254740993', '1e400'], n: 9_007_199_254_740_991 };
  expect(fromRow(row({ input: json, result: json }))).toMatchObject({ input: value, result: value });
  expect(contentOf('result', json)).toEqual({ value });
});
