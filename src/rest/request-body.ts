// Reads a request's JSON body up to a limit, with or without a content coding.
import type { z } from 'zod';
import { messageOf } from '../event/error-message.ts';
import { ExecstreamError, invalidInput } from '../event/errors.ts';
import { exceedsDepth, MAX_JSON_DEPTH } from '../event/json-depth.ts';
import { findInexactInteger } from '../event/json-integers.ts';
import { shorten } from '../event/json-pointer.ts';
import { describeIssue } from '../event/validation.ts';
import { ACCEPTED_CODINGS, type CodingProblem, decodeContent, decodeUtf8 } from '../http/content-coding.ts';
import { problem } from './problem.ts';

/**
 * A body above its limit is read and discarded up to this size: closing the connection while a client still sends would
 * lose the response.
 */
const MAX_DISCARDED_BYTES = 8 * 1024 * 1024;

/** Rejects a request with a response. */
export class RejectedRequest extends Error {
  override readonly name = 'RejectedRequest';
  readonly response: Response;

  constructor(response: Response) {
    super('request rejected');
    this.response = response;
  }
}

/**
 * Reads and validates a JSON body.
 * @param maxBytes bytes, with and without its content coding
 * @throws RejectedRequest 413 above the limit; 415 for a content coding that is not supported; 422, naming the field, if
 *   the body does not match the schema, is nested too deeply or contains a number that JavaScript cannot represent.
 * @throws ExecstreamError `BAD_USER_INPUT` if it is not valid JSON in UTF-8, or not in its content coding.
 */
export async function readBody<T>(request: Request, schema: z.ZodType<T>, maxBytes: number): Promise<T> {
  const text = await readText(request, maxBytes);
  const body = parse(text);
  checkJson(body, text);
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw unprocessable(describeIssue(parsed.error));
}

/** 422: valid JSON with an invalid value. */
export function unprocessable(detail: string): RejectedRequest {
  return new RejectedRequest(problem(422, 'BAD_USER_INPUT', detail));
}

/** 413: larger than a request or an event may be. */
export function bodyTooLarge(detail: string): RejectedRequest {
  return new RejectedRequest(problem(413, 'EVENT_TOO_LARGE', detail));
}

/** 415: a content coding that is not supported. */
function unsupportedCoding(): RejectedRequest {
  const headers = { 'Accept-Encoding': ACCEPTED_CODINGS };
  return new RejectedRequest(problem(415, 'BAD_USER_INPUT', UNSUPPORTED_CODING, headers));
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const body = await readDecoded(request, maxBytes);
  if (body === 'unsupported') throw unsupportedCoding();
  if (body === 'malformed') throw invalidInput(MALFORMED_CODING);
  if (body === 'too large') throw bodyTooLarge(`body: larger than ${maxBytes} bytes; send several batches`);
  const text = decodeUtf8(body);
  if (text === undefined) throw invalidInput('body: not valid UTF-8');
  return text;
}

/** Neither message quotes the header or the body. */
export const UNSUPPORTED_CODING = `header Content-Encoding: expected one of ${ACCEPTED_CODINGS}, or none`;
export const MALFORMED_CODING = 'body: does not match the header Content-Encoding';

/** A request's body without its content coding. */
export async function readDecoded(request: Request, maxBytes: number): Promise<Buffer | CodingProblem> {
  const body = await readBounded(request, maxBytes);
  return body ? decodeContent(request, body, maxBytes) : 'too large';
}

/** A request's body; undefined if it is larger than `maxBytes`. */
async function readBounded(request: Request, maxBytes: number): Promise<Buffer | undefined> {
  // Not read at all: Node discards it while it sends the response, and a client receives that.
  if (Number(request.headers.get('content-length')) > MAX_DISCARDED_BYTES) return undefined;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_DISCARDED_BYTES) break;
    if (bytes <= maxBytes) chunks.push(chunk);
  }
  return bytes > maxBytes ? undefined : Buffer.concat(chunks);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ExecstreamError('BAD_USER_INPUT', `body: not valid JSON: ${messageOf(cause)}`, {
      cause,
    });
  }
}

type JsonObject = { readonly [key: string]: unknown };

/** Protects recursive code from deep nesting, and prevents that numbers are changed: Infinity would be stored as null. */
function checkJson(body: unknown, text: string): void {
  if (exceedsDepth(body, MAX_JSON_DEPTH)) {
    const path = pathOf(body, (member, depth) => exceedsDepth(member, MAX_JSON_DEPTH - depth));
    throw unprocessable(`${path}: nested deeper than ${MAX_JSON_DEPTH} levels`);
  }
  if (hasInfinity(body)) throw unprocessable(`${pathOf(body, hasInfinity)}: number out of range`);
  const inexact = findInexactInteger(text);
  if (!inexact) return;
  const field = inexact.path.join('.') || 'body';
  throw unprocessable(
    `${field}: expected an integer that JSON readers keep, or a string, got ${shorten(inexact.text)}`,
  );
}

/** The path to the member that fails a check, up to four levels deep. */
function pathOf(body: unknown, fails: (member: unknown, depth: number) => boolean): string {
  const path: string[] = [];
  for (let at = body as JsonObject; path.length < 4; at = at[path.at(-1)!] as JsonObject) {
    const key = Object.keys(at ?? {}).find((each) => fails(at[each], path.length + 1));
    if (key === undefined) break;
    path.push(key);
  }
  return path.join('.') || 'body';
}

function hasInfinity(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasInfinity);
}
