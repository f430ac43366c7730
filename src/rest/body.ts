// A request's JSON body, read no further than its bound.
import type { z } from 'zod';
import { ExecstreamError, messageOf } from '../event/error.ts';
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
 * @throws Refusal 413 above the bound, 422 where the body is not of the shape, naming the field.
 * @throws ExecstreamError `BAD_USER_INPUT` where it is not JSON.
 */
export async function readBody<T>(request: Request, shape: z.ZodType<T>, maxBytes: number): Promise<T> {
  const checked = shape.safeParse(parse(await readText(request, maxBytes)));
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
