// Reads a request's JSON body up to a limit.
import type { z } from 'zod';
import { messageOf } from '../event/error-message.ts';
import { ExecstreamError } from '../event/errors.ts';
import { exceedsDepth, MAX_JSON_DEPTH } from '../event/json-depth.ts';
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
 * @param maxBytes UTF-8 bytes
 * @throws RejectedRequest 413 above the limit; 422, naming the field, if the body does not match the schema, is nested
 *   too deeply or contains a number that JavaScript cannot represent.
 * @throws ExecstreamError `BAD_USER_INPUT` if it is not valid JSON.
 */
export async function readBody<T>(request: Request, schema: z.ZodType<T>, maxBytes: number): Promise<T> {
  const body = parse(await readText(request, maxBytes));
  checkJson(body);
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw unprocessable(`${path.length > 0 ? `${path.join('.')}: ` : ''}${message}`);
}

/** 422: valid JSON with an invalid value. */
export function unprocessable(detail: string): RejectedRequest {
  return new RejectedRequest(problem(422, 'BAD_USER_INPUT', detail));
}

/** 413: larger than a request or an event may be. */
export function bodyTooLarge(detail: string): RejectedRequest {
  return new RejectedRequest(problem(413, 'EVENT_TOO_LARGE', detail));
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const body = await readBounded(request, maxBytes);
  if (!body) throw bodyTooLarge(`body: larger than ${maxBytes} bytes; send several batches`);
  return body.toString('utf8');
}

/** A request's body; undefined if it is larger than `maxBytes`. */
export async function readBounded(request: Request, maxBytes: number): Promise<Buffer | undefined> {
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

/** Protects recursive code from deep nesting, and prevents that Infinity is stored as null. */
function checkJson(body: unknown): void {
  if (exceedsDepth(body, MAX_JSON_DEPTH)) {
    const path = pathOf(body, (member, depth) => exceedsDepth(member, MAX_JSON_DEPTH - depth));
    throw unprocessable(`${path}: nested deeper than ${MAX_JSON_DEPTH} levels`);
  }
  if (hasInfinity(body)) throw unprocessable(`${pathOf(body, hasInfinity)}: number out of range`);
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
