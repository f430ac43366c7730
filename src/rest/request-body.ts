// A request's JSON body, read no further than its bound.
import type { z } from 'zod';
import { ExecstreamError, messageOf } from '../event/errors.ts';
import { exceedsDepth, MAX_JSON_DEPTH } from '../event/json-depth.ts';
import { problem } from './problem.ts';

/** Read on, and let go of: a connection that is cut while a client still sends takes the answer with it. */
const MAX_DISCARDED_BYTES = 8 * 1024 * 1024;

/** A refusal that has its answer already. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly response: Response;

  constructor(response: Response) {
    super('refused');
    this.response = response;
  }
}

/**
 * Reads and checks a JSON body.
 * @param maxBytes UTF-8 bytes
 * @throws Refusal 413 above the limit; 422 where the body is not of the shape, is nested too deep or holds a number
 *   that JavaScript cannot represent, naming the field.
 * @throws ExecstreamError `BAD_USER_INPUT` where it is not JSON.
 */
export async function readBody<T>(request: Request, shape: z.ZodType<T>, maxBytes: number): Promise<T> {
  const body = parse(await readText(request, maxBytes));
  checkJson(body);
  const checked = shape.safeParse(body);
  if (checked.success) return checked.data;
  const { path, message } = checked.error.issues[0]!;
  throw unprocessable(`${path.length > 0 ? `${path.join('.')}: ` : ''}${message}`);
}

/** 422: well-formed, and wrong. */
export function unprocessable(detail: string): Refusal {
  return new Refusal(problem(422, 'BAD_USER_INPUT', detail));
}

/** 413: more than is taken at once. */
export function tooLarge(detail: string): Refusal {
  return new Refusal(problem(413, 'EVENT_TOO_LARGE', detail));
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const body = await readBounded(request, maxBytes);
  if (!body) throw tooLarge(`the body is larger than ${maxBytes} bytes; send several batches`);
  return body.toString('utf8');
}

/** A request's body; undefined where it has more than `maxBytes`. */
export async function readBounded(request: Request, maxBytes: number): Promise<Buffer | undefined> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    if (bytes > MAX_DISCARDED_BYTES) break;
    if (bytes <= maxBytes) pieces.push(piece);
  }
  return bytes > maxBytes ? undefined : Buffer.concat(pieces);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ExecstreamError('BAD_USER_INPUT', `the body is not JSON: ${messageOf(cause)}`, {
      cause,
    });
  }
}

type Keyed = { readonly [key: string]: unknown };

/** Before recursive code meets the body, and before a number that became Infinity is stored as null. */
function checkJson(body: unknown): void {
  if (exceedsDepth(body, MAX_JSON_DEPTH)) {
    const where = pathOf(body, (member, depth) => exceedsDepth(member, MAX_JSON_DEPTH - depth));
    throw unprocessable(`${where}: nested deeper than ${MAX_JSON_DEPTH} levels`);
  }
  if (hasInfinity(body)) throw unprocessable(`${pathOf(body, hasInfinity)}: the number is out of range`);
}

/** The path to the member that fails a check, as far as it names what the caller would look for. */
function pathOf(body: unknown, fails: (member: unknown, depth: number) => boolean): string {
  const path: string[] = [];
  for (let at = body as Keyed; path.length < 4; at = at[path.at(-1)!] as Keyed) {
    const key = Object.keys(at ?? {}).find((each) => fails(at[each], path.length + 1));
    if (key === undefined) break;
    path.push(key);
  }
  return path.join('.') || 'the body';
}

function hasInfinity(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasInfinity);
}
