// Sends a hostile input over a raw socket, and parses the HTTP responses.
import { connect } from 'node:net';
import type { HostileInput } from './inputs/input.ts';

/** The timeout of an exchange. It is far above every intended response time, so a longer one means a hanging server. */
const EXCHANGE_TIMEOUT_MS = 15_000;
/** How long a stream is read after its head. */
const STREAM_MS = 15;
/** How long the client waits after an incomplete request. */
const SILENCE_MS = 30;

export interface HttpResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** Whether the body arrived in full. */
  readonly isComplete: boolean;
}

export interface Exchange {
  readonly responses: readonly HttpResponse[];
  /** Received bytes that are not part of an HTTP response. */
  readonly rest: string;
  /** All received bytes. */
  readonly text: string;
  /** `cut`: by this client, after enough of a stream or an incomplete request. */
  readonly ended: 'by server' | 'cut' | 'hung';
}

export function exchange(port: number, input: HostileInput): Promise<Exchange> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let ended: Exchange['ended'] = 'by server';
    let received = '';
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const cut = (reason: Exchange['ended']) => {
      ended = reason;
      socket.destroy();
    };
    const timers = [setTimeout(() => cut('hung'), EXCHANGE_TIMEOUT_MS)];
    const later = (ms: number, act: () => void) => void timers.push(setTimeout(act, ms));

    socket.on('connect', async () => {
      for (const [i, piece] of input.pieces.entries()) {
        // One turn of the event loop between two pieces, so that they usually arrive separately.
        if (i > 0) await new Promise((next) => setImmediate(next));
        if (socket.destroyed) return;
        socket.write(piece);
      }
      // The server must close an ended connection, and must notice one that is cut.
      if (input.isIncomplete) later(SILENCE_MS, () => (received === '' ? socket.end() : cut('cut')));
    });
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (received.length > 4_096 || input.expects) return;
      const before = staysOpen(received);
      received += chunk.toString('latin1');
      if (!before && staysOpen(received)) later(STREAM_MS, () => cut('cut'));
    });
    // The server closed the connection during a write; 'close' follows.
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const timer of timers) clearTimeout(timer);
      const bytes = Buffer.concat(chunks);
      const isHead = input.pieces[0]?.subarray(0, 5).toString('latin1') === 'HEAD ';
      resolve({ ...parseResponses(bytes, isHead), text: bytes.toString('utf8'), ended });
    });
  });
}

/** Whether the connection stays open after the head: for a stream, or for another request. */
function staysOpen(text: string): boolean {
  return /\r\n(content-type: (text\/event-stream|multipart\/mixed)|connection: keep-alive)/i.test(text);
}

/** Parses bytes as responses, as a lenient client would. */
function parseResponses(bytes: Buffer, isHead = false): Pick<Exchange, 'responses' | 'rest'> {
  const responses: HttpResponse[] = [];
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
    // 100 Continue precedes the response.
    if (status.startsWith('1') && status !== '101') continue;
    const isBodiless = isHead || status === '204' || status === '304';
    const body = isBodiless
      ? { bytes: Buffer.alloc(0), end: at, isComplete: true }
      : bodyAt(bytes, at, headers);
    responses.push({
      status: Number(status),
      headers,
      body: body.bytes.toString(),
      isComplete: body.isComplete,
    });
    at = body.end;
  }
  return { responses, rest: bytes.toString('latin1', at) };
}

interface Body {
  readonly bytes: Buffer;
  readonly end: number;
  readonly isComplete: boolean;
}

function bodyAt(bytes: Buffer, at: number, headers: ReadonlyMap<string, string>): Body {
  if (headers.get('transfer-encoding') === 'chunked') return chunkedAt(bytes, at);
  const length = headers.get('content-length');
  const end = length === undefined ? bytes.length : at + Number(length);
  return {
    bytes: bytes.subarray(at, end),
    end: Math.min(end, bytes.length),
    isComplete: end <= bytes.length,
  };
}

function chunkedAt(bytes: Buffer, from: number): Body {
  const pieces: Buffer[] = [];
  for (let at = from; ; ) {
    const line = bytes.indexOf('\r\n', at);
    const size = line < 0 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (Number.isNaN(size)) return { bytes: Buffer.concat(pieces), end: bytes.length, isComplete: false };
    pieces.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
    if (size === 0) return { bytes: Buffer.concat(pieces), end: at, isComplete: true };
  }
}
