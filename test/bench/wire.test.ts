// The generator's reader must count correctly wherever the network splits the bytes.
import { describe, expect, it } from 'vitest';
import { stamp, WireReader } from '../../bench/generator/wire.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n';
const BODY = `retry: 1000\n:\n\nid: 1-x\ndata: {"a":"${stamp(1, 250)}"}\n\n:\n\ndata: ${stamp(2, 900)}\ndata: more\n\n`;

function chunked(text: string, size: number): string {
  const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
  return [...pieces, ''].map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');
}

function read(response: string, step: number) {
  const received: unknown[] = [];
  const reader = new WireReader({
    onHead: (status) => received.push(status),
    onFrame: (n, sentUs) => received.push([n, sentUs]),
  });
  const bytes = Buffer.from(response);
  for (let at = 0; at < bytes.length; at += step) reader.read(bytes.subarray(at, at + step));
  return { received, ended: reader.ended };
}

const ALL = [200, [1, 250], [2, 900]];

describe('reader of frames', () => {
  const response = `${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunked(BODY, 17)}`;

  it.each([1, 2, 3, 7, 64, 10_000])('reads frames in chunked coding, in reads of %i bytes', (step) => {
    expect(read(response, step)).toEqual({ received: ALL, ended: true });
  });

  it.each([1, 5, 10_000])('reads frames of a body without chunks, in reads of %i bytes', (step) => {
    expect(read(`${HEAD}\r\n${BODY}`, step)).toEqual({ received: ALL, ended: false });
  });

  it('reads frames with lines that end in CRLF', () => {
    expect(read(`${HEAD}\r\n${BODY.replaceAll('\n', '\r\n')}`, 9).received).toEqual(ALL);
  });

  it.each([
    [
      'Centrifugo',
      `\r\ndata: {"connect":{"ping":25}}\n\ndata: {"channel":"x","pub":{"data":"${stamp(1, 250)}"}}\n\n`,
      'data: {}\n\n',
    ],
    ['Mercure', `:\nid: urn:uuid:1\ndata: ${stamp(1, 250)}\n\n`, ':\n'],
  ])('reads frames of %s and ignores its pings', (_, frames, ping) => {
    const body = `${frames}${ping}${ping}data: ${stamp(2, 900)}\n\n${ping}`;
    expect(read(`${HEAD}\r\n${body}`, 9).received).toEqual(ALL);
  });

  it('does not count an incomplete frame', () => {
    expect(read(`${HEAD}\r\n${BODY.slice(0, -1)}`, 9).received).toEqual(ALL.slice(0, 2));
  });
});
