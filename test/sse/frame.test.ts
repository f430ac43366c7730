// SSE bytes, and what a client makes of them (PROTOCOL.md, "REST aliases", "GraphQL").
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { describe, expect, test } from 'vitest';
import { cursorOnly, type Frame, frame, HEARTBEAT, joined, opening } from '../../src/sse/frame.ts';

const text = ({ bytes }: Frame) => new TextDecoder().decode(bytes);

function parsed(made: Frame) {
  const events: EventSourceMessage[] = [];
  const comments: string[] = [];
  const parser = createParser({ onEvent: (e) => events.push(e), onComment: (c) => comments.push(c) });
  parser.feed(text(made));
  return { events, comments };
}

describe('PROTOCOL.md, REST aliases: a frame', () => {
  test.each([
    ['one line', 'hello', 'id: 1-e\nevent: llm_chunk\ndata: hello\n\n'],
    ['LF', 'a\nb', 'id: 1-e\nevent: llm_chunk\ndata: a\ndata: b\n\n'],
    ['CR', 'a\rb', 'id: 1-e\nevent: llm_chunk\ndata: a\ndata: b\n\n'],
    ['CRLF is one break', 'a\r\nb', 'id: 1-e\nevent: llm_chunk\ndata: a\ndata: b\n\n'],
    ['LF CR are two', 'a\n\rb', 'id: 1-e\nevent: llm_chunk\ndata: a\ndata: \ndata: b\n\n'],
    ['blank lines', 'a\n\n\nb', 'id: 1-e\nevent: llm_chunk\ndata: a\ndata: \ndata: \ndata: b\n\n'],
    ['a break at the end', 'a\n', 'id: 1-e\nevent: llm_chunk\ndata: a\ndata: \n\n'],
    ['nothing but a break', '\n', 'id: 1-e\nevent: llm_chunk\ndata: \ndata: \n\n'],
    ['trailing blanks', 'a  \t', 'id: 1-e\nevent: llm_chunk\ndata: a  \t\n\n'],
    ['a leading space', ' a', 'id: 1-e\nevent: llm_chunk\ndata:  a\n\n'],
    ['an empty chunk', '', 'id: 1-e\nevent: llm_chunk\ndata: \n\n'],
    [
      'what looks like fields',
      'id: 9\n: x\nevent: y',
      'id: 1-e\nevent: llm_chunk\ndata: id: 9\ndata: : x\ndata: event: y\n\n',
    ],
    [
      'U+2028, U+0085, VT and FF are no breaks',
      'a\u2028b\u0085c\vd\fe',
      'id: 1-e\nevent: llm_chunk\ndata: a\u2028b\u0085c\vd\fe\n\n',
    ],
    ['emoji and CJK', '👩‍🚀漢字', 'id: 1-e\nevent: llm_chunk\ndata: 👩‍🚀漢字\n\n'],
  ])('%s', (_, content, wire) => {
    const bytes = frame('1-e', 'llm_chunk', content);
    expect(text(bytes)).toBe(wire);
    expect(parsed(bytes).events).toEqual([
      { id: '1-e', event: 'llm_chunk', data: content.replace(/\r\n|\r/g, '\n') },
    ]);
  });

  test('without an id has no id line, so that the client keeps the one before', () => {
    expect(text(frame(undefined, 'next', '{}'))).toBe('event: next\ndata: {}\n\n');
  });
});

describe('PROTOCOL.md, GraphQL and Filters: what is no event', () => {
  test('the opening says when to come back, and is a comment', () => {
    expect(text(opening(1_000))).toBe('retry: 1000\n:\n\n');
    expect(parsed(opening(1_000))).toEqual({ events: [], comments: [''] });
  });

  test('a reason in the opening stays one comment, whatever it holds', () => {
    const bytes = opening(5_000, 'Redis\r\nis\n\ndata: away\u2028');
    expect(text(bytes)).toBe('retry: 5000\n: Redis is data: away \n\n');
    expect(parsed(bytes).events).toEqual([]);
  });

  test('a heartbeat is a comment', () => {
    expect(text(HEARTBEAT)).toBe(':\n\n');
    expect(parsed(HEARTBEAT).events).toEqual([]);
  });

  test('a block of id alone dispatches nothing', () => {
    expect(text(cursorOnly('42-e'))).toBe('id: 42-e\n\n');
    expect(parsed(cursorOnly('42-e')).events).toEqual([]);
  });
});

describe('the chunk of a frame (RFC 9112, 7.1)', () => {
  const chunkOf = ({ chunk }: Frame) => new TextDecoder().decode(chunk);

  test('is its bytes with their number in hex before them, and a line break behind', () => {
    const made = frame('1-e', 'llm_chunk', '👩‍🚀漢字');
    expect(chunkOf(made)).toBe(`${made.bytes.length.toString(16)}\r\n${text(made)}\r\n`);
  });

  test.each(['ASCII', 'ä', '👩‍🚀漢字'])(
    'counts bytes, also where they have more digits than characters: %s',
    (letters) => {
      for (let length = 0; length < 300; length++) {
        const made = frame('1-e', 'llm_chunk', letters.repeat(length).slice(0, length));
        expect(chunkOf(made)).toBe(`${made.bytes.length.toString(16)}\r\n${text(made)}\r\n`);
        expect(made.length).toBe(made.bytes.length);
      }
    },
  );

  test('of joined frames is one, and their bytes are the bytes in a row', () => {
    const frames = [frame('1-e', 'a', 'ä'), frame('2-e', 'b', ''), HEARTBEAT];
    expect(text(joined(frames))).toBe(frames.map(text).join(''));
    const { length, bytes } = joined(frames);
    expect([length, chunkOf(joined(frames))]).toEqual([
      bytes.length,
      `${bytes.length.toString(16)}\r\n${frames.map(text).join('')}\r\n`,
    ]);
    expect(joined([frames[0]!])).toBe(frames[0]);
  });
});
