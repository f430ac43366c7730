// The limits of sizes in bytes, all derived from one: that of a message (PROTOCOL.md, "Size limits"). Readers with a
// buffer of 64 KiB, such as Go's Scanner, fail on a longer message.
import { ExecstreamError, invalidInput } from './errors.ts';

/** The smallest message limit, and the default: readers with a buffer of 64 KiB can read every message. */
export const MIN_MESSAGE_BYTES = 60 * 1024;
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** What a message may contain besides the data of its event: the envelope, names of fields, aliases. */
export const ENVELOPE_BYTES = 4 * 1024;

export interface SizeLimits {
  /** One SSE message, from `id:` to the blank line, or one part of a multipart response. */
  readonly message: number;
  /** JSON of the data of an event with fields that can be omitted, as in `tool_call` and `complete`. */
  readonly data: number;
  /**
   * JSON of the data of all other events, and of what remains if all fields that can be omitted are. It is half of
   * `data`, because a selection may contain a field twice: typed, and in `data`.
   */
  readonly part: number;
}

/**
 * The limits that follow from the limit of a message.
 * @param messageBytes by default 61440
 * @throws ExecstreamError `BAD_USER_INPUT` for a number that is not an integer from 61440 to 16777216
 */
export function sizeLimitsOf(messageBytes: number = MIN_MESSAGE_BYTES): SizeLimits {
  const isValid =
    Number.isInteger(messageBytes) && messageBytes >= MIN_MESSAGE_BYTES && messageBytes <= MAX_MESSAGE_BYTES;
  if (!isValid) {
    const expected = `an integer from ${MIN_MESSAGE_BYTES} to ${MAX_MESSAGE_BYTES}`;
    throw invalidInput(`messageBytes: expected ${expected}, got ${messageBytes}`);
  }
  return derivedFrom(messageBytes);
}

/** Not `sizeLimitsOf()`, whose check would be part of every workflow's bundle. */
export const DEFAULT_SIZE_LIMITS: SizeLimits = derivedFrom(MIN_MESSAGE_BYTES);

function derivedFrom(message: number): SizeLimits {
  const data = message - ENVELOPE_BYTES;
  return { message, data, part: Math.floor(data / 2) };
}

/** The error for an event whose data exceeds a limit. */
export function eventTooLarge(subject: string, bytes: number, limit: number): ExecstreamError {
  return new ExecstreamError(
    'EVENT_TOO_LARGE',
    `${subject} has ${bytes} bytes of data; an event may have ${limit}`,
  );
}
