// The errors of model streams: readable, with their code. Aborts by the caller are distinguished from failures.
import { field } from './fields.ts';

/** Errors of an aborted request, by name or by class: not every SDK sets the name. */
const ABORT_ERRORS: readonly unknown[] = [
  'AbortError',
  'APIUserAbortError',
  'ResponseAborted',
  'CancelledFailure',
];

/** The message of OpenAI's and Anthropic's error for an aborted request, whose class a bundler may have renamed. */
const ABORT_MESSAGE = 'Request was aborted.';

/**
 * Whether an error reports that the caller of an SDK has aborted its request. The AI SDK 5 and 6 report the reason of an
 * abort as the cause of a failed request.
 */
export function isAbortError(error: unknown): boolean {
  return [error, field(error, 'cause')].some(
    (each) =>
      ABORT_ERRORS.includes(field(each, 'name')) ||
      ABORT_ERRORS.includes(field(field(each, 'constructor'), 'name')) ||
      field(each, 'message') === ABORT_MESSAGE,
  );
}

/** @param reason the reason of the abort, if it is known */
export function abortError(reason: unknown): Error {
  if (isAbortError(reason)) return reason as Error;
  const message = describe(reason) ?? 'the stream was aborted';
  return Object.assign(new Error(message, { cause: reason }), { name: 'AbortError' });
}

/**
 * The parts of an SDK's stream.
 * @throws the stream's error; an AbortError if it is the reason with which the caller aborted the request.
 */
export async function* partsOf<T>(stream: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* stream;
  } catch (error) {
    const signal = signalOf(stream);
    throw field(signal, 'aborted') === true && field(signal, 'reason') === error ? abortError(error) : error;
  }
}

/**
 * The error of a stream that ended before its model finished. OpenAI's and Anthropic's SDKs end their iteration
 * without an error after an abort.
 */
export function unfinished(stream: unknown, message: string): Error {
  const signal = signalOf(stream);
  return field(signal, 'aborted') === true ? abortError(field(signal, 'reason')) : new Error(message);
}

/** An error from a stream: an Error, a string, or an object that describes one. */
export function toError(reported: unknown, fallback: string): Error {
  if (reported instanceof Error) return reported;
  const error = new Error(describe(reported) ?? fallback);
  const code = [field(reported, 'code'), field(reported, 'type')].find((each) => typeof each === 'string');
  return code === undefined ? error : Object.assign(error, { code });
}

/** The signal of the request, which the streams of OpenAI's and Anthropic's SDKs have. */
function signalOf(stream: unknown): unknown {
  return field(field(stream, 'controller'), 'signal');
}

/** Where the errors of providers and tools describe themselves. MCP tools do so in `content`, a list of text parts. */
const DESCRIPTIONS = ['text', 'message', 'error_message', 'error', 'content', 'error_code', 'code', 'type'];

/** The description in an error; undefined if there is none. */
function describe(reported: unknown, depth = 0): string | undefined {
  if (typeof reported === 'string') return reported === '' ? undefined : reported;
  if (depth > MAX_DEPTH) return undefined;
  if (Array.isArray(reported)) {
    const parts = reported.map((part) => describe(part, depth + 1));
    return parts.filter((part) => part !== undefined).join('\n') || undefined;
  }
  for (const name of DESCRIPTIONS) {
    const description = describe(field(reported, name), depth + 1);
    if (description !== undefined) return description;
  }
  return undefined;
}

/** An error that contains itself must not be followed forever. */
const MAX_DEPTH = 5;
