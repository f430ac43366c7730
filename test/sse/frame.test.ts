// SSE frames, and what a client reads in them.
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { describe, expect, test } from 'vitest';
import { cursorOnly, type Frame, frame, HEARTBEAT, joinFrames, opening } from '../../src/sse/frame.ts';

const text = ({ bytes }: Frame) => new TextDecoder().decode(bytes);

function parsed(frame: Frame) {
  const events: EventSourceMessage[] = [];
  const comments: string[] = [];
  const parser = createParser({ onEvent: (e) => events.push(e), onComment: (c) => comments.push(c) });
  parser.feed(text(frame));
  return { events, comments };
}

describe('a frame encodes', () => {
  test.each([
    ['one line', 'hello', 'id: 1-e\nevent: llm_chunk\ndata: hello\n\n'],
    ['LF', 'a\nb', 'id: 1-e\nevent: llm_chunk\ndata: a\ndata: b\n\n'],
    ['CR', 'a\rb', 'id: 1-e\nevent: llm_chunk\ndata: a\ndata: b\n\n'],
    ['CRLF as one line break', 'a\r\nb', 'id: 1-e\nevent: llm_chunk\ndata: a\ndata: b\n\n'],
    ['LF CR as two line breaks', 'a\n\rb', 'id: 1-e\nevent: llm_chunk\ndata: a\ndata: \ndata: b\n\n'],
    ['blank lines', 'a\n\n\nb', 'id: 1-e\nevent: llm_chunk\ndata: a\ndata: \ndata: \ndata: b\n\n'],
    ['a line break at the end', 'a\n', 'id: 1-e\nevent: llm_chunk\ndata: a\ndata: \n\n'],
    ['a single line break', '\n', 'id: 1-e\nevent: llm_chunk\ndata: \ndata: \n\n'],
    ['trailing white space', 'a  \t', 'id: 1-e\nevent: llm_chunk\ndata: a  \t\n\n'],
    ['a leading space', ' a', 'id: 1-e\nevent: llm_chunk\ndata:  a\n\n'],
    ['an empty chunk', '', 'id: 1-e\nevent: llm_chunk\ndata: \n\n'],
    [
      'text that looks like SSE fields',
      'id: 9\n: x\nevent: y',
      'id: 1-e\nevent: llm_chunk\ndata: id: 9\ndata: : x\ndata: event: y\n\n',
    ],
    [
      'U+2028, U+0085, VT and FF as text, not as line breaks',
      'a\u2028b\u0085c\vd\fe',
      'id: 1-e\nevent: llm_chunk\ndata: a\u2028b\u0085c\vd\fe\n\n',
    ],
    ['emoji and CJK', '👩‍🚀漢字', 'id: 1-e\nevent: llm_chunk\ndata: 👩‍🚀漢字\n\n'],
  ])('a frame encodes %s', (_, content, wire) => {
    const bytes = frame('1-e', 'llm_chunk', content);
    expect(text(bytes)).toBe(wire);
    expect(parsed(bytes).events).toEqual([
      { id: '1-e', event: 'llm_chunk', data: content.replace(/\r\n|\r/g, '\n') },
    ]);
  });

  test('a frame encodes no id line without an id, so that the client keeps the previous one', () => {
    expect(text(frame(undefined, 'next', '{}'))).toBe('event: next\ndata: {}\n\n');
  });
});

describe('frames that are not events', () => {
  test('the opening sets the delay before a reconnect, and is a comment', () => {
    expect(text(opening(1_000))).toBe('retry: 1000\n:\n\n');
    expect(parsed(opening(1_000))).toEqual({ events: [], comments: [''] });
  });

  test('a reason in the opening is a single comment, whatever it contains', () => {
    const bytes = opening(5_000, 'Redis\r\nis\n\ndata: gone\u2028');
    expect(text(bytes)).toBe('retry: 5000\n: Redis is data: gone \n\n');
    expect(parsed(bytes).events).toEqual([]);
  });

  test('a heartbeat is a comment', () => {
    expect(text(HEARTBEAT)).toBe(':\n\n');
    expect(parsed(HEARTBEAT).events).toEqual([]);
  });

  test('a block with only an id dispatches no event', () => {
    expect(text(cursorOnly('42-e'))).toBe('id: 42-e\n\n');
    expect(parsed(cursorOnly('42-e')).events).toEqual([]);
  });
});

describe('the chunk of a frame (RFC 9112, 7.1)', () => {
  const chunkOf = ({ chunk }: Frame) => new TextDecoder().decode(chunk);

  test('the chunk of a frame is its bytes after their number in hex, and before a line break', () => {
    const encoded = frame('1-e', 'llm_chunk', '👩‍🚀漢字');
    expect(chunkOf(encoded)).toBe(`${encoded.bytes.length.toString(16)}\r\n${text(encoded)}\r\n`);
  });

  test.each(['ASCII', 'ä', '👩‍🚀漢字'])(
    'counts bytes, even if their number has more digits than that of the characters: %s',
    (letters) => {
      for (let length = 0; length < 300; length++) {
        const encoded = frame('1-e', 'llm_chunk', letters.repeat(length).slice(0, length));
        expect(chunkOf(encoded)).toBe(`${encoded.bytes.length.toString(16)}\r\n${text(encoded)}\r\n`);
        expect(encoded.length).toBe(encoded.bytes.length);
      }
    },
  );

  test('the chunk of a frame of joined frames is a single one, and their bytes are concatenated', () => {
    const frames = [frame('1-e', 'a', 'ä'), frame('2-e', 'b', ''), HEARTBEAT];
    expect(text(joinFrames(frames))).toBe(frames.map(text).join(''));
    const { length, bytes } = joinFrames(frames);
    expect([length, chunkOf(joinFrames(frames))]).toEqual([
      bytes.length,
      `${bytes.length.toString(16)}\r\n${frames.map(text).join('')}\r\n`,
    ]);
    expect(joinFrames([frames[0]!])).toBe(frames[0]);
  });
});
