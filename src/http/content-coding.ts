// The content codings of request bodies (RFC 9110, 8.4), and UTF-8 without replacement characters.
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw, type ZlibOptions } from 'node:zlib';

type Decompress = (bytes: Uint8Array, options: ZlibOptions) => Promise<Buffer>;

/** HTTP's `deflate` is the zlib format, but some clients send it without the zlib header. */
const deflate: Decompress = (bytes, options) =>
  promisify<Uint8Array, ZlibOptions, Buffer>(((bytes[0] ?? 0) & 0x0f) === 8 ? inflate : inflateRaw)(
    bytes,
    options,
  );

const CODINGS: { readonly [coding: string]: Decompress } = {
  gzip: promisify<Uint8Array, ZlibOptions, Buffer>(gunzip),
  'x-gzip': promisify<Uint8Array, ZlibOptions, Buffer>(gunzip),
  deflate,
  br: promisify<Uint8Array, ZlibOptions, Buffer>(brotliDecompress),
};

/** The codings that a body may have, as `Accept-Encoding` lists them. */
export const ACCEPTED_CODINGS = 'gzip, deflate, br';

/** Why a body could not be decoded. */
export type CodingProblem = 'unsupported' | 'malformed' | 'too large';

/** Whether a body has a coding that has to be removed. */
export function isCoded(request: Request): boolean {
  return codingsOf(request).length > 0;
}

/**
 * Removes the content coding of a body.
 * @param maxBytes limit of the decoded body; decompression stops there
 */
export async function decodeContent(
  request: Request,
  body: Buffer,
  maxBytes: number,
): Promise<Buffer | CodingProblem> {
  const [coding, ...others] = codingsOf(request);
  if (coding === undefined) return body;
  if (others.length > 0 || !Object.hasOwn(CODINGS, coding)) return 'unsupported';
  try {
    return await CODINGS[coding]!(body, { maxOutputLength: maxBytes });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too large' : 'malformed';
  }
}

function codingsOf(request: Request): string[] {
  const codings = (request.headers.get('content-encoding') ?? '').toLowerCase().split(',');
  return codings.map((coding) => coding.trim()).filter((coding) => coding !== '' && coding !== 'identity');
}

/** Decodes UTF-8, without a byte order mark; undefined if it is invalid. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
