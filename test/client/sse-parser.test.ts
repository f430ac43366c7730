// The parser of event streams: the cases of the web platform's tests, and streams that are split anywhere.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSseParser, type SseMessage } from '../../src/client/sse-parser.ts';
import { propertyRuns } from '../support/property-runs.ts';

function parse(chunks: readonly string[], lastEventId = '') {
  const retries: number[] = [];
  const parser = createSseParser(lastEventId, (ms) => retries.push(ms));
  return { messages: chunks.flatMap((chunk) => parser.push(chunk)), retries };
}

/** The data of each message, or the id of a block without data. */
const dataOf = (text: string) => parse([text]).messages.map(({ data, id }) => data ?? { id });

/** The algorithm of the HTML Standard, over a complete text. */
function reference(text: string): SseMessage[] {
  const lines = text.split(/\r\n|\r|\n/);
  const messages: SseMessage[] = [];
  let id = '';
  let [event, data, hasId] = ['', undefined as string | undefined, false];
  for (const line of lines.slice(0, -1)) {
    const [, field, value] = /^([^:]*)(?:: ?([\s\S]*))?$/.exec(line)!;
    if (line === '') {
      if (data !== undefined) messages.push({ id, event: event || 'message', data });
      else if (hasId) messages.push({ id, event });
      [event, data, hasId] = ['', undefined, false];
    } else if (field === 'data') data = `${data === undefined ? '' : `${data}\n`}${value ?? ''}`;
    else if (field === 'event') event = value ?? '';
    else if (field === 'id' && !value?.includes('\0')) [id, hasId] = [value ?? '', true];
  }
  return messages;
}

// https://github.com/web-platform-tests/wpt/tree/master/eventsource, the files format-*
describe('the format', () => {
  test.each([
    ['data-before-final-empty-line', 'retry:1000\ndata:test1\n\nid:test\ndata:test2', ['test1']],
    ['field-data', 'data:\n\ndata\ndata\n\ndata:test\n\n', ['', '\n', 'test']],
    ['field-event-empty', 'event: \ndata:data\n\n', ['data']],
    [
      'field-parsing',
      'data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n',
      ['\0\n 2\n1\n3\n\n4'],
    ],
    [
      'field-unknown',
      'data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n',
      ['test\n\ntest'],
    ],
    ['leading-space', 'data:\ttest\rdata: \ndata:test\n\n', ['\ttest\n\ntest']],
    ['newlines', 'data:test\r\ndata\ndata:test\r\n\r', ['test\n\ntest']],
    ['null-character', 'data:\0\n\n\n\n', ['\0']],
    [
      'comments',
      `data:1\r:\0\n:\r\ndata:2\n:${'x'.repeat(4096)}\rdata:3\n:data:fail\r:${'x'.repeat(4096)}\ndata:4\n\n`,
      ['1\n2\n3\n4'],
    ],
    ['utf-8', 'data:ok…\n\n', ['ok…']],
  ])('%s', (_, text, expected) => {
    expect(dataOf(text)).toEqual(expected);
  });

  test('field-event: the type is that of the block, and `message` by default', () => {
    const { messages } = parse(['event:test\ndata:x\n\ndata:x\n\n']);
    expect(messages.map(({ event }) => event)).toEqual(['test', 'message']);
  });

  test('field-id: the id stays until another one is sent, also across responses', () => {
    const { messages } = parse(['data:a\n\nid: 1\ndata:b\n\ndata:c\n\nid\ndata:d\n\n'], '0');
    expect(messages.map(({ id }) => id)).toEqual(['0', '1', '1', '']);
  });

  test('field-id-null: an id with a NUL is ignored', () => {
    expect(parse(['id: 1\ndata:a\n\nid: 2\0\ndata:b\n\n']).messages.map(({ id }) => id)).toEqual(['1', '1']);
  });

  test('field-retry: only digits are a time', () => {
    expect(parse(['retry:3000\nretry:1000x\nretry: \nretry\nretry:-1\nretry: 20\n\n']).retries).toEqual([
      3_000, 20,
    ]);
  });

  test('a block without data moves the id, and an incomplete one does not', () => {
    expect(parse(['id: 7\n\nid: 8\n']).messages).toEqual([{ id: '7', event: '' }]);
    expect(parse(['id: 7\nid: 8\ndata:x']).messages).toEqual([]);
  });
});

describe('a message', () => {
  test('is complete with its last byte, also if that is a CR', () => {
    expect(parse(['data:a\r', '\r']).messages).toHaveLength(1);
    expect(parse(['data:a\r\n', '\r']).messages).toHaveLength(1);
    expect(parse(['data:a\r', '\n', '\r', '\n']).messages).toHaveLength(1);
    expect(parse(['data:a\r', '', '\n\r', '', '\n']).messages).toHaveLength(1);
  });

  const part = fc.constantFrom(
    'data',
    'data:',
    'data: ',
    ': x',
    'event: e',
    'id: 1',
    'id:',
    'id: 2\0',
    'retry: 5',
    '{"a":1}',
    'é🌊',
    ' ',
    ':',
    '\n',
    '\n',
    '\n\n',
    '\r',
    '\r\r',
    '\r\n',
    '\r\n\r\n',
    '\0',
    '\uFEFF',
  );
  const stream = fc.array(part, { maxLength: 40 }).map((parts) => parts.join(''));

  test('is what the HTML Standard defines, wherever the stream is split', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(200)), (text, at) => {
        const cuts = [0, ...at.map((each) => each % (text.length + 1)).sort((a, b) => a - b), text.length];
        const chunks = cuts.slice(1).map((end, i) => text.slice(cuts[i], end));
        // The reference sees the whole text: a CR at the very end ends its line.
        expect(parse(chunks).messages).toEqual(reference(text));
      }),
      { numRuns: propertyRuns(2_000) },
    );
  });

  test('of 16 MiB in 64,000 parts is parsed in linear time', () => {
    const parser = createSseParser('', () => {});
    const piece = 'x'.repeat(256);
    const startedAt = performance.now();
    parser.push('data: ');
    for (let i = 0; i < 64_000; i += 1) parser.push(piece);
    const [message] = parser.push('\n\n');
    expect(message?.data?.length).toBe(64_000 * 256);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
