// What Node's HTTP server writes for us: status lines with the standard reason, and responses to requests that it cannot
// parse.
import {
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import { PROBLEM_TYPE, problemDocument, TITLES } from '../rest/problem.ts';
import { RESPONSE_HEADERS } from '../rest/security-headers.ts';

type Head = OutgoingHttpHeaders | OutgoingHttpHeader[];

/** The response to the last request of each connection. */
const lastResponses = new WeakMap<Socket, ServerResponse>();

/** A response whose status line has the reason phrase of its status. Those of `fetch` have none by default. */
export class HttpResponse extends ServerResponse {
  constructor(request: IncomingMessage, ...rest: unknown[]) {
    super(...([request, ...rest] as [IncomingMessage]));
    lastResponses.set(request.socket, this);
  }

  override writeHead(status: number, ...rest: [Head?] | [string?, Head?]): this {
    const headers = typeof rest[0] === 'object' ? rest[0] : rest[1];
    return super.writeHead(status, reasonOf(status), headers);
  }
}

function reasonOf(status: number): string {
  return TITLES[status] ?? STATUS_CODES[status] ?? 'Unknown';
}

/** An error of Node's parser, with the bytes that it was parsing. */
type ParseError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

/**
 * Responds to bytes that are not a request, or that did not arrive in time, and closes the connection. If a response is
 * in progress, only the latter: the client would read another one as a part of it. The same applies to bytes after a
 * response that was sent: they may be the rest of a body whose length was wrong.
 */
export function rejectUnparsable(error: ParseError, socket: Socket, maxHeaderBytes: number): void {
  const { _httpMessage: current } = socket as { _httpMessage?: ServerResponse | null };
  // A load balancer that opens connections in advance would read a response as that to its first request.
  const isUnused = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;
  const [status, detail] = rejectionOf(error, maxHeaderBytes);
  const isRest = status === 400 && lastResponses.get(socket)?.headersSent;
  if (!socket.writable || current?.headersSent || isRest || isUnused) return void socket.destroy();
  const body = mayBeHead(error, socket) ? '' : problemDocument(status, 'BAD_USER_INPUT', detail);
  const headers = {
    ...RESPONSE_HEADERS,
    'Content-Type': PROBLEM_TYPE,
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} ${reasonOf(status)}\r\n${lines.join('')}\r\n${body}`);
  socket.destroySoon();
}

/** Whether the request may be HEAD, whose response has no body. Of a request in several packets, only the last is known. */
function mayBeHead({ rawPacket }: ParseError, socket: Socket): boolean {
  if (!rawPacket) return false;
  const [, method] = /^([A-Z]+) /.exec(rawPacket.subarray(0, 20).toString('latin1')) ?? [];
  return method === undefined ? rawPacket.length < socket.bytesRead : method === 'HEAD';
}

function rejectionOf({ code }: NodeJS.ErrnoException, maxHeaderBytes: number): [number, string] {
  if (code === 'HPE_HEADER_OVERFLOW') return [431, `URL and headers: larger than ${maxHeaderBytes} bytes`];
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return [413, 'body: chunk extensions are too large'];
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'request did not arrive completely in time'];
  return [400, 'not a valid HTTP request'];
}
