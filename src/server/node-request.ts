// A Node request in the form in which the adapter (@whatwg-node/server) converts it: with a normalized target, and with
// the body that a framework may have read. The adapter would use properties that frameworks add, such as Express'
// `query` and `originalUrl`, so it does not receive the request itself.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { takeAccessTokens } from './auth/access-token.ts';
import { normalizeTarget } from './request-target.ts';

/** A request, with what frameworks add to it. */
export interface FrameworkRequest extends IncomingMessage {
  /** The target before a router removed the path that it is mounted at (Express). */
  originalUrl?: string;
  /** The body as a parser has left it. */
  readonly body?: unknown;
  /** The bytes of a body that was parsed (NestJS, serverless platforms). */
  readonly rawBody?: unknown;
}

/** What the adapter reads of a request. */
export interface NodeRequest {
  readonly method: string;
  url: string;
  headers: IncomingHttpHeaders;
  readonly httpVersion: string;
  readonly protocol: 'http' | 'https';
  /** The address of this machine; absent for a Unix socket. */
  readonly localAddress: string | undefined;
  /** Absent over HTTP/2, whose sockets belong to many requests: the adapter would configure it. */
  readonly socket: Socket | undefined;
  readonly body: Readable | undefined;
  /** The different values of `access_token` in its URL, from which they were removed. */
  readonly accessTokens: readonly string[];
}

/** What the adapter passes with a request. */
export interface NodeContext {
  readonly req: NodeRequest;
}

/**
 * Converts a request. Stream tokens are removed from its own URL too, so that middleware of the framework cannot log them.
 * @throws Error if its body was read and is not available
 */
export function toNodeRequest(request: FrameworkRequest): NodeRequest {
  const { method = 'GET', headers, httpVersion, socket } = request;
  const target = { url: request.originalUrl ?? request.url ?? '', headers };
  normalizeTarget(target);
  const accessTokens = takeAccessTokens(target);
  if (accessTokens.length > 0) removeAccessTokens(request);
  const body = method === 'GET' || method === 'HEAD' ? undefined : bodyOf(request);
  const isRead = Buffer.isBuffer(body);
  return {
    ...{ method, httpVersion, accessTokens, url: target.url, localAddress: socket.localAddress },
    protocol: 'encrypted' in socket && socket.encrypted ? 'https' : 'http',
    socket: request.httpVersionMajor > 1 ? undefined : socket,
    headers: isRead ? headersOfRead(target.headers, body) : target.headers,
    body: isRead ? Readable.from([body]) : body,
  };
}

function removeAccessTokens(request: FrameworkRequest): void {
  takeAccessTokens(request);
  if (request.originalUrl === undefined) return;
  const original = { url: request.originalUrl };
  takeAccessTokens(original);
  request.originalUrl = original.url;
}

/** The request itself if its body was not read, otherwise the bytes that were read. */
function bodyOf(request: FrameworkRequest): Readable | Buffer {
  const { body, rawBody, headers } = request;
  const isDeclared = Number(headers['content-length']) > 0 || headers['transfer-encoding'] !== undefined;
  // HTTP/2 needs neither header. Parsers set `body` to an empty object also where they leave the body.
  if (!request.readableDidRead || !(isDeclared || request.httpVersionMajor > 1)) return request;
  const bytes = bytesOf(rawBody) ?? bytesOf(body);
  if (bytes) return bytes;
  if (body === undefined) {
    if (!isDeclared) return request;
    throw new Error('the body of a request was read by middleware: mount execstream before it');
  }
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  return Buffer.from(isForm ? formOf(Object(body)) : JSON.stringify(body));
}

function bytesOf(body: unknown): Buffer | undefined {
  if (typeof body === 'string') return Buffer.from(body);
  return body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : undefined;
}

/** Repeated parameters stay repeated; nested ones, which no request has, are left out. */
function formOf(body: object): string {
  const values = Object.entries(body).flatMap(([name, value]) => [value].flat().map((each) => [name, each]));
  return new URLSearchParams(values.filter(([, value]) => typeof value === 'string')).toString();
}

/** Parsers remove the content coding and the chunks of what they read. */
function headersOfRead(headers: IncomingHttpHeaders, body: Buffer): IncomingHttpHeaders {
  const { 'content-encoding': _, 'transfer-encoding': __, ...others } = headers;
  return { ...others, 'content-length': String(body.length) };
}
