// What an error says, for people. Anything can be thrown: objects without a message, strings, errors whose message is in
// their cause or in a list, objects whose getters throw.
//
// Temporal's sandbox shares this file.
import { isExecstreamError } from './errors.ts';
import { truncate } from './text.ts';

/** Limits of a message that is put together here: code units, causes in a row, and errors of one list. */
const MAX_UNITS = 2_000;
const MAX_DEPTH = 6;
const MAX_LISTED = 3;

/** Where libraries put their message if not in `message`: `{ error: { message } }`, problem documents, settled promises. */
const OTHER_MESSAGES = ['error', 'reason', 'detail', 'title', 'description', 'statusText'];

/**
 * The message of an error. It includes the causes, unless the message already quotes them; those of an ExecstreamError
 * are for the log only. Never throws, and never returns an empty text.
 */
export function messageOf(error: unknown): string {
  try {
    return (
      describe(error) || `unknown error (${typeof error === 'string' ? 'an empty string' : String(error)})`
    );
  } catch {
    return 'unprintable error';
  }
}

/** The code of an error, if it is a text. */
export function codeOf(error: unknown): string | undefined {
  return textOf(propertyOf(error, 'code')) || undefined;
}

/** Empty if the value says nothing. */
function describe(value: unknown, path: readonly unknown[] = []): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return textOf(value);
  if (typeof value === 'function') return textOf(value.name) || 'a function was thrown';
  if (typeof value !== 'object') return String(value);
  if (path.length >= MAX_DEPTH || path.includes(value)) return '';
  if (isExecstreamError(value)) return value.message;
  return describeObject(value, [...path, value]);
}

function describeObject(value: object, path: readonly unknown[]): string {
  const stated = describe(propertyOf(value, 'message'), path);
  const listed = describeList(Array.isArray(value) ? value : propertyOf(value, 'errors'), path);
  const own = join(stated, listed) || firstOf(OTHER_MESSAGES, value, path);
  return join(own, describe(propertyOf(value, 'cause'), path)) || describeFields(value);
}

function describeList(errors: unknown, path: readonly unknown[]): string {
  if (!Array.isArray(errors)) return '';
  const listed = errors.slice(0, MAX_LISTED).map((error) => describe(error, path));
  const more = errors.length > MAX_LISTED ? [`${errors.length - MAX_LISTED} more`] : [];
  return [...new Set(listed.filter((text) => text !== '')), ...more].join('; ');
}

function firstOf(fields: readonly string[], value: object, path: readonly unknown[]): string {
  for (const field of fields) {
    const text = describe(propertyOf(value, field), path);
    if (text !== '') return text;
  }
  return '';
}

/** An object without any message: what it prints, or the name of its class and its code. */
function describeFields(value: object): string {
  const text = value instanceof Error ? '' : printed(value);
  if (text !== '') return truncate(text, MAX_UNITS);
  const name =
    textOf(propertyOf(value, 'name')) ||
    textOf(propertyOf(propertyOf(value, 'constructor'), 'name')) ||
    'object';
  const code = propertyOf(value, 'code') ?? propertyOf(value, 'status');
  return typeof code === 'string' || typeof code === 'number'
    ? `${name} (${code})`
    : `${name} without a message`;
}

function printed(value: object): string {
  try {
    const text = String(value);
    if (textOf(text) !== '' && !Array.isArray(value)) return text;
  } catch {
    // A `toString` that throws, or none.
  }
  try {
    const json = JSON.stringify(value);
    return json === undefined || json === '{}' ? '' : json;
  } catch {
    const names = Object.keys(value).join(', ');
    return names && `an object with the fields ${names}`;
  }
}

function join(message: string, cause: string): string {
  if (message === '' || cause === '') return message || cause;
  return message.includes(cause) ? message : truncate(`${message}: ${cause}`, MAX_UNITS + message.length);
}

/** A string that says something. `new Error(object)` has the message "[object Object]". */
function textOf(value: unknown): string {
  return typeof value !== 'string' || /^(?:\s|,|\[object \w+\])*$/.test(value) ? '' : value;
}

/** A property of anything; undefined if its getter throws. */
export function propertyOf(of: unknown, name: string): unknown {
  try {
    return (of as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}
