// A simple implementation of JSON Patch (RFC 6902), written from the specification: the reference for the product.
// It imports nothing, and copies the document and every value in each operation, so that no two results share an
// object.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One operation of RFC 6902. */
export interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string | undefined;
  readonly value?: unknown;
}

/**
 * Applies a patch.
 * @returns a new document; neither `document` nor `patch` is changed.
 * @throws Error that names the first operation that does not apply.
 */
export function applyJsonPatch(document: unknown, patch: readonly Operation[]): Json {
  let current = copyJson(document as Json);
  for (const [i, operation] of patch.entries()) {
    try {
      current = applyOperation(current, operation);
    } catch (error) {
      const shown = JSON.stringify(operation).slice(0, 200);
      throw new Error(`operation ${i} ${shown}: ${(error as Error).message}`);
    }
  }
  return current;
}

/** A deep copy. The key `__proto__` stays an ordinary member. */
export function copyJson(value: Json): Json {
  if (Array.isArray(value)) return value.map(copyJson);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, copyJson(member)]));
}

/** Equality according to RFC 6902, section 4.6: the order of an object's members is irrelevant. */
export function equalJson(a: Json, b: Json): boolean {
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((element, i) => equalJson(element, b[i]!));
  }
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && equalJson(a[key]!, b[key]!));
}

/** The reference tokens of a JSON Pointer (RFC 6901). */
export function parsePointer(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw new Error(`"${pointer}" is not a JSON Pointer`);
  if (/~(?![01])/.test(pointer)) throw new Error(`"${pointer}" has an invalid escape`);
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A JSON Pointer from its reference tokens. */
export function formatPointer(tokens: readonly (string | number)[]): string {
  return tokens.map((token) => `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function applyOperation(document: Json, { op, path, from, value }: Operation): Json {
  const target = parsePointer(pointer(path, 'path'));
  switch (op) {
    case 'add':
      return add(document, target, requireValue(value));
    case 'remove':
      return remove(document, target);
    case 'replace':
      read(document, target);
      return target.length === 0
        ? requireValue(value)
        : add(remove(document, target), target, requireValue(value));
    case 'move': {
      const source = parsePointer(pointer(from, 'from'));
      const moved = read(document, source);
      if (isPrefix(source, target)) throw new Error('a value cannot be moved into itself');
      return add(remove(document, source), target, moved);
    }
    case 'copy':
      return add(document, target, read(document, parsePointer(pointer(from, 'from'))));
    case 'test':
      if (!equalJson(read(document, target), requireValue(value))) throw new Error('the test failed');
      return copyJson(document);
    default:
      throw new Error(`unknown operation "${op}"`);
  }
}

function pointer(text: unknown, name: string): string {
  if (typeof text !== 'string') throw new Error(`${name} is missing`);
  return text;
}

function requireValue(value: unknown): Json {
  if (value === undefined) throw new Error('value is missing');
  return copyJson(value as Json);
}

/** Whether `source` is a proper prefix of `target`. */
function isPrefix(source: readonly string[], target: readonly string[]): boolean {
  return source.length < target.length && source.every((token, i) => token === target[i]);
}

function read(document: Json, [token, ...rest]: readonly string[]): Json {
  if (token === undefined) return copyJson(document);
  if (Array.isArray(document)) return read(document[indexOf(token, document.length - 1)]!, rest);
  return read(memberOf(document, token), rest);
}

function add(document: Json, [token, ...rest]: readonly string[], value: Json): Json {
  if (token === undefined) return value;
  if (Array.isArray(document)) {
    const copy = document.map(copyJson);
    if (rest.length > 0) {
      const i = indexOf(token, document.length - 1);
      copy[i] = add(document[i]!, rest, value);
    } else if (token === '-') copy.push(value);
    else copy.splice(indexOf(token, document.length), 0, value);
    return copy;
  }
  if (!isObject(document)) throw new Error(`"${token}" is not below an object or array`);
  const set = rest.length > 0 ? add(memberOf(document, token), rest, value) : value;
  return withMember(document, token, set);
}

function remove(document: Json, [token, ...rest]: readonly string[]): Json {
  // The specification leaves this open; here a removed document is `null`.
  if (token === undefined) return null;
  if (Array.isArray(document)) {
    const i = indexOf(token, document.length - 1);
    const copy = document.map(copyJson);
    if (rest.length > 0) copy[i] = remove(document[i]!, rest);
    else copy.splice(i, 1);
    return copy;
  }
  const member = memberOf(document, token);
  if (rest.length > 0) return withMember(document as { [key: string]: Json }, token, remove(member, rest));
  return Object.fromEntries(
    Object.entries(copyJson(document) as { [key: string]: Json }).filter(([key]) => key !== token),
  );
}

function memberOf(document: Json, key: string): Json {
  if (!isObject(document) || !Object.hasOwn(document, key)) throw new Error(`there is no member "${key}"`);
  return document[key]!;
}

function withMember(document: { [key: string]: Json }, key: string, value: Json): Json {
  const others = Object.entries(copyJson(document) as { [key: string]: Json });
  const at = others.findIndex(([name]) => name === key);
  if (at < 0) others.push([key, value]);
  else others[at] = [key, value];
  return Object.fromEntries(others);
}

function indexOf(token: string, max: number): number {
  const index = /^(0|[1-9]\d*)$/.test(token) ? Number(token) : -1;
  if (index < 0 || index > max) throw new Error(`"${token}" is not an index from 0 to ${max}`);
  return index;
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
