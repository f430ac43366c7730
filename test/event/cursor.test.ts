// Cursors and execution ids (PROTOCOL.md, "Cursors").
import { describe, expect, test } from 'vitest';
import { formatCursor, newEpoch, parseCursor } from '../../src/event/cursor.ts';
import { isExecstreamError } from '../../src/event/errors.ts';
import { checkExecutionId } from '../../src/event/execution-id.ts';

function codeOf(call: () => unknown): string | undefined {
  try {
    call();
  } catch (error) {
    return isExecstreamError(error) ? error.code : 'not ours';
  }
  return undefined;
}

describe('a cursor', () => {
  test('is parsed as it was formatted', () => {
    const epoch = newEpoch();
    expect(parseCursor(formatCursor(42, epoch))).toEqual({ seq: 42, epoch });
  });

  test.each([
    ['42-k3f9ab01zz', { seq: 42, epoch: 'k3f9ab01zz' }],
    ['0-k3f9ab01zz', { seq: 0, epoch: 'k3f9ab01zz' }],
    ['7-0123456789abcdef', { seq: 7, epoch: '0123456789abcdef' }],
    ['42', { seq: 42 }],
    ['0', { seq: 0 }],
  ])('%s is a cursor', (text, cursor) => expect(parseCursor(text)).toStrictEqual(cursor));

  test.each([
    '',
    '-1-k3f9ab01zz',
    '1.5-k3f9ab01zz',
    '042-k3f9ab01zz',
    '42-',
    '42-short',
    '42-K3F9AB01ZZ',
    '42-0123456789abcdefg',
    ' 42-k3f9ab01zz',
    '42-k3f9ab01zz\n',
    '9007199254740993',
    '99999999999999999999',
    'x'.repeat(1_000_000),
  ])('%j is not a cursor, and the error shows it', (text) => {
    expect(codeOf(() => parseCursor(text))).toBe('BAD_CURSOR');
    expect(() => parseCursor(text)).toThrow(/expected <seq>-<epoch>/);
  });

  test('that is invalid is shown in the error up to its first 40 characters', () => {
    const rest = ' is not a cursor; expected <seq>-<epoch>, such as 42-k3f9ab01zz';
    expect(() => parseCursor('x'.repeat(40))).toThrow(
      expect.objectContaining({ code: 'BAD_CURSOR', message: `"${'x'.repeat(40)}"${rest}` }),
    );
    expect(() => parseCursor('x'.repeat(41))).toThrow(
      expect.objectContaining({ code: 'BAD_CURSOR', message: `"${'x'.repeat(40)}…"${rest}` }),
    );
  });

  test('an epoch is unique and has the letters and length that the protocol specifies', () => {
    const epochs = Array.from({ length: 1_000 }, newEpoch);
    for (const epoch of epochs) expect(epoch).toMatch(/^[0-9a-z]{10,16}$/);
    expect(new Set(epochs).size).toBe(epochs.length);
  });
});

describe('an execution id', () => {
  test.each([
    ...[
      'a',
      'order/42',
      'A-Z.a_z:0~9@x+y',
      ' ',
      'ümlaut',
      '注文 🙂',
      'a{b}',
      'a\r\nb',
      '%2F',
      '.',
      '..',
      '/',
      '"',
    ],
    ...['x'.repeat(1_000), 'é'.repeat(500), '🙂'.repeat(250)],
  ])('%j is an execution id', (id) => {
    expect(checkExecutionId(id)).toBe(id);
  });

  test.each([
    ...['', 'x'.repeat(1_001), 'é'.repeat(501), '🙂'.repeat(251), 'a\0b', 'a\ud83d', '\ude42b'],
    ...([undefined, null, 7, ['a']] as unknown as string[]),
  ])('%j is not an execution id', (id) => {
    expect(codeOf(() => checkExecutionId(id))).toBe('BAD_USER_INPUT');
  });

  test('that is invalid is shown in the error, up to its first 80 characters', () => {
    const rest = ' is not an execution id; expected 1 to 1000 bytes of UTF-8 without U+0000';
    const rejected = (message: string) => expect.objectContaining({ message });
    expect(() => checkExecutionId('a\n\0')).toThrow(rejected(`"a\\n\\u0000"${rest}`));
    expect(() => checkExecutionId('x'.repeat(1_001))).toThrow(rejected(`"${'x'.repeat(80)}"${rest}`));
    const pairs = `x${'🙂'.repeat(500)}`;
    expect(() => checkExecutionId(pairs)).toThrow(rejected(`"x${'🙂'.repeat(39)}"${rest}`));
  });
});
