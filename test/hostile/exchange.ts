// Sends a hostile input over a raw socket, and reads what comes back as far as it is HTTP.
import { connect } from 'node:net';
import type { HostileInput } from './inputs/input.ts';

/** How long an answer may take at most. Far above any that is meant: above it the server hangs. */
const ANSWER_MS = 15_000;
/** How long a stream is read once its head is there. */
const STREAM_MS = 15;
/** How long a half request is silent before its client gives up. */
const SILENCE_MS = 30;

export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** Whether all of it came. */
  readonly isWhole: boolean;
}

export interface Exchange {
  readonly answers: readonly Answer[];
  /** What came and is no HTTP answer. */
  readonly rest: string;
  /** All that came. */
  readonly text: string;
  /** `cut`: by this client, which had seen enough of a stream or sent half a request. */
  readonly ended: 'by server' | 'cut' | 'hung';
}

export function exchange(port: number, input: HostileInput): Promise<Exchange> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let ended: Exchange['ended'] = 'by server';
    let seen = '';
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const cut = (how: Exchange['ended']) => {
      ended = how;
      socket.destroy();
    };
    const timers = [setTimeout(() => cut('hung'), ANSWER_MS)];
    const later = (ms: number, act: () => void) => void timers.push(setTimeout(act, ms));

    socket.on('connect', async () => {
      for (const [i, piece] of input.pieces.entries()) {
        // A turn of the loop between two: so they arrive one by one, mostly.
        if (i > 0) await new Promise((next) => setImmediate(next));
        if (socket.destroyed) return;
        socket.write(piece);
      }
      // Ended, the server must close; cut, it must notice.
      if (input.isIncomplete) later(SILENCE_MS, () => (seen === '' ? socket.end() : cut('cut')));
    });
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (seen.length > 4_096 || input.expects) return;
      const before = staysOpen(seen);
      seen += chunk.toString('latin1');
      if (!before && staysOpen(seen)) later(STREAM_MS, () => cut('cut'));
    });
    // A connection that the server closed while we still wrote; 'close' follows.
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const timer of timers) clearTimeout(timer);
      const bytes = Buffer.concat(chunks);
      const isHead = input.pieces[0]?.subarray(0, 5).toString('latin1') === 'HEAD ';
      resolve({ ...answersIn(bytes, isHead), text: bytes.toString('utf8'), ended });
    });
  });
}

/** Whether the connection stays open behind the head: a stream, or kept for a next request that does not come. */
function staysOpen(text: string): boolean {
  return /\r\n(content-type: text\/event-stream|connection: keep-alive)/i.test(text);
}

/** Takes bytes apart into answers, as a lenient client would. */
function answersIn(bytes: Buffer, isHead = false): Pick<Exchange, 'answers' | 'rest'> {
  const answers: Answer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end < 0) break;
    const [first = '', ...lines] = bytes.toString('latin1', at, end).split('\r\n');
    const [, status] = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first) ?? [];
    if (status === undefined) break;
    const headers = new Map(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    at = end + 4;
    // 100 Continue comes before the answer.
    if (status.startsWith('1') && status !== '101') continue;
    const isBodiless = isHead || status === '204' || status === '304';
    const body = isBodiless ? { bytes: Buffer.alloc(0), end: at, isWhole: true } : bodyAt(bytes, at, headers);
    answers.push({ status: Number(status), headers, body: body.bytes.toString(), isWhole: body.isWhole });
    at = body.end;
  }
  return { answers, rest: bytes.toString('latin1', at) };
}

interface Body {
  readonly bytes: Buffer;
  readonly end: number;
  readonly isWhole: boolean;
}

function bodyAt(bytes: Buffer, at: number, headers: ReadonlyMap<string, string>): Body {
  if (headers.get('transfer-encoding') === 'chunked') return chunkedAt(bytes, at);
  const length = headers.get('content-length');
  const end = length === undefined ? bytes.length : at + Number(length);
  return { bytes: bytes.subarray(at, end), end: Math.min(end, bytes.length), isWhole: end <= bytes.length };
}

function chunkedAt(bytes: Buffer, from: number): Body {
  const pieces: Buffer[] = [];
  for (let at = from; ; ) {
    const line = bytes.indexOf('\r\n', at);
    const size = line < 0 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (Number.isNaN(size)) return { bytes: Buffer.concat(pieces), end: bytes.length, isWhole: false };
    pieces.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
    if (size === 0) return { bytes: Buffer.concat(pieces), end: at, isWhole: true };
  }
}
