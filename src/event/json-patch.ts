// JSON Patch (RFC 6902): what each operation does, independent of how a document is edited.
//
// Two editors exist: `applyPatch` here returns a new value that shares its unchanged parts with the old one, and
// `JsonDocument` edits in place, within limits, and can roll back.
import type { JsonValue, PatchOperation } from './events.ts';
import { jsonEquals } from './json-equals.ts';
import { indexIn, PatchError, parsePointer, shorten } from './json-pointer.ts';

export type JsonObject = { [key: string]: JsonValue };
export type Container = JsonValue[] | JsonObject;

/** The place of a value: a member of an object or an element of an array. */
export interface Location {
  readonly parent: Container;
  readonly key: string | number;
  /** Containers around the value; 0 for the root. */
  readonly depth: number;
}

/** How a document is edited. */
export interface PatchEditor {
  /** Has the document as its member `root`, so that the root is replaced like any other member. */
  readonly holder: { root: JsonValue };
  /** Called before each operation. */
  begin(): void;
  /** Returns the value at a location, to be edited: the value itself, or a copy that has replaced it there. */
  edit(location: Location): JsonValue;
  /** Called before a value of the document is inserted a second time. */
  share(): void;
  /**
   * Inserts an element into an array, or adds a member that does not exist yet.
   * @param isMoved whether the value was just removed from the document
   */
  insert(location: Location, value: JsonValue, isMoved: boolean): void;
  /** Replaces an existing value. */
  replace(location: Location, value: JsonValue, isMoved: boolean): void;
  /** Removes a member or an element; never the root. */
  remove(location: Location): void;
  equals(a: JsonValue, b: JsonValue): boolean;
}

/**
 * Applies the operations of a patch in order, up to the first that fails; the caller discards the partial result.
 * @throws PatchError that names the operation; its `cause` is a PatchError if the operation does not apply, or else the
 *   editor's error
 */
export function editWithPatch(editor: PatchEditor, patch: readonly PatchOperation[]): void {
  patch.forEach((operation, i) => {
    try {
      editor.begin();
      applyOperation(editor, operation);
    } catch (error) {
      const where = `patch.${i}: ${operation.op} "${shorten(String(operation.path))}"`;
      throw new PatchError(`${where}: ${(error as Error).message}`, { cause: error });
    }
  });
}

/**
 * The value after a patch. The old value does not change; what the patch does not touch is shared between both, and
 * the new value shares the patch's operands. The caller treats all of them as immutable.
 *
 * Each container on a path is copied once per patch, so an element added to an array costs the array's length.
 * @throws PatchError that names the operation that does not apply
 */
export function applyPatch(value: JsonValue, patch: readonly PatchOperation[]): JsonValue {
  /** Containers that this call created and nothing else refers to. */
  const owned = new Set<JsonValue>();
  const editor: PatchEditor = {
    holder: { root: value },
    edit(location) {
      const container = valueAt(location);
      if (typeof container !== 'object' || container === null || owned.has(container)) return container;
      const copy = Array.isArray(container) ? [...container] : { ...container };
      owned.add(copy);
      setAt(location, copy);
      return copy;
    },
    begin: () => {},
    share: () => owned.clear(),
    insert: insertAt,
    replace: setAt,
    remove: removeAt,
    equals: (a, b) => jsonEquals(a, b),
  };
  editWithPatch(editor, patch);
  return editor.holder.root;
}

/** Whether a patch begins by setting the whole value, so that it applies to any value. */
export function setsWholeValue(patch: readonly PatchOperation[]): boolean {
  const first = patch[0];
  return first?.path === '' && (first.op === 'add' || first.op === 'replace');
}

export function valueAt({ parent, key }: Location): JsonValue {
  return (parent as JsonObject)[key]!;
}

export function setAt({ parent, key }: Location, value: JsonValue): void {
  if (Array.isArray(parent)) parent[Number(key)] = value;
  else defineMember(parent, String(key), value);
}

export function insertAt({ parent, key }: Location, value: JsonValue): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 0, value);
  else defineMember(parent, String(key), value);
}

export function removeAt({ parent, key }: Location): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}

/** Sets a member. `__proto__` is an ordinary key in JSON; an assignment would set the prototype. */
export function defineMember(object: JsonObject, key: string, value: JsonValue): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

function applyOperation(editor: PatchEditor, { op, path, from, value }: PatchOperation): void {
  switch (op) {
    case 'add':
      add(editor, path, required(value), false);
      break;
    case 'remove':
      remove(editor, locateExisting(editor, path, true));
      break;
    case 'replace':
      editor.replace(locateExisting(editor, path, true), required(value), false);
      break;
    case 'test':
      if (!editor.equals(valueAt(locateExisting(editor, path, false)), required(value))) {
        throw new PatchError('the value is not the expected one');
      }
      break;
    case 'copy': {
      const source = valueAt(locateExisting(editor, from, false));
      editor.share();
      add(editor, path, source, false);
      break;
    }
    case 'move':
      move(editor, from, path);
      break;
    default:
      throw new PatchError(`unknown operation "${shorten(String(op))}"`);
  }
}

function move(editor: PatchEditor, from: string | undefined, path: string): void {
  if (`${path}`.startsWith(`${from}/`)) throw new PatchError('a value cannot be moved into itself');
  const source = locateExisting(editor, from, true);
  if (from === path) return;
  const value = valueAt(source);
  remove(editor, source);
  add(editor, path, value, true);
}

function add(editor: PatchEditor, path: string, value: JsonValue, isMoved: boolean): void {
  const location = locate(editor, path, true);
  const { parent, key } = location;
  if (!Array.isArray(parent) && Object.hasOwn(parent, key)) editor.replace(location, value, isMoved);
  else editor.insert(location, value, isMoved);
}

function remove(editor: PatchEditor, location: Location): void {
  // A document always has a root; without one it is `null`, the value that a structured execution begins with.
  if (location.depth === 0) editor.replace(location, null, false);
  else editor.remove(location);
}

function locateExisting(editor: PatchEditor, path: string | undefined, isEdited: boolean): Location {
  if (path === undefined) throw new PatchError('from: expected a JSON Pointer, got none');
  const location = locate(editor, path, isEdited);
  if (Object.hasOwn(location.parent, location.key)) return location;
  throw new PatchError('there is no value at this path');
}

function locate(editor: PatchEditor, path: string, isEdited: boolean): Location {
  let location: Location = { parent: editor.holder, key: 'root', depth: 0 };
  for (const token of parsePointer(path)) {
    const exists = Object.hasOwn(location.parent, location.key);
    const container = !exists ? null : isEdited ? editor.edit(location) : valueAt(location);
    if (typeof container !== 'object' || container === null) {
      throw new PatchError('the path leads through a value that is not an object or array, or is absent');
    }
    const key = Array.isArray(container) ? indexIn(container, token) : token;
    location = { parent: container, key, depth: location.depth + 1 };
  }
  return location;
}

function required(value: JsonValue | undefined): JsonValue {
  if (value !== undefined) return value;
  throw new PatchError('value: expected a JSON value, got none');
}
