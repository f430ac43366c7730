// JSON Patch (RFC 6902) on a document that its holder alone refers to: operations change it in place, within limits,
// and can be rolled back. The cost of an operation follows the size of the patch, not of the document.
//
// Invariants
// 1. The document shares no object with its callers: what an operation inserts is copied, and `toJson()` copies out.
// 2. A patch that fails leaves the document as it was before that patch.
// 3. Size, depth and work are checked while a copy is made, so a short patch cannot build a large value.
// A rollback may change the order of an object's members, which has no meaning in JSON.
import { ExecstreamError, isExecstreamError } from './errors.ts';
import type { JsonValue, PatchOperation } from './events.ts';
import { inapplicable, indexIn, parsePointer, shorten } from './json-pointer.ts';
import {
  copyWithin,
  defineMember,
  isEqual,
  type JsonObject,
  type JsonSize,
  type PatchWork,
  sizeOf,
  unlimitedWork,
} from './json-size.ts';

type Container = JsonValue[] | JsonObject;

/** Where a value is, or is to be: a member of an object or an element of an array. */
interface Location {
  readonly parent: Container;
  readonly key: string | number;
  /** Containers around the value; 0 for the whole document. */
  readonly depth: number;
}

interface Sized {
  readonly value: JsonValue;
  readonly size: JsonSize;
}

/** Gives a value that is to be put at a location, beside a document of this size. */
type Insertion = (location: Location, beside: JsonSize) => Sized;

export class JsonDocument {
  /** The value is a member of this object, so that the root is replaced like any other member. */
  readonly #holder: { root: JsonValue } = { root: null };
  #size: JsonSize = sizeOf(null, unlimitedWork());
  #committed = this.#size;
  readonly #undo: (() => void)[] = [];

  /** The value itself, `null` at first. To be read at once: the next operation changes it. */
  get root(): JsonValue {
    return this.#holder.root;
  }

  /** Its `depth` is not kept up to date. */
  get size(): Pick<JsonSize, 'units' | 'nodes'> {
    return this.#size;
  }

  /** A copy that later operations do not change. */
  toJson(): JsonValue {
    return copyWithin(this.root, { work: unlimitedWork() }).value;
  }

  /**
   * Applies all operations of a patch, or none.
   * @param work what the patch may cost; shared by the patches of one batch
   * @throws ExecstreamError `BAD_USER_INPUT` for an operation that does not apply, `EVENT_TOO_LARGE` for one that goes
   *   beyond a limit; the message names the operation.
   */
  apply(patch: readonly PatchOperation[], work: PatchWork): void {
    const mark = this.#undo.length;
    const before = this.#size;
    patch.forEach((operation, i) => {
      try {
        this.#applyOne(operation, work);
      } catch (error) {
        this.#undoTo(mark, before);
        if (!isExecstreamError(error)) throw error;
        const where = `patch.${i}: ${operation.op} "${shorten(String(operation.path))}"`;
        throw new ExecstreamError(error.code, `${where}: ${error.message}`, { cause: error });
      }
    });
  }

  /** Keeps what was applied. */
  commit(): void {
    this.#undo.length = 0;
    this.#committed = this.#size;
  }

  /** Takes back everything that was applied since the last commit. */
  rollback(): void {
    this.#undoTo(0, this.#committed);
  }

  #undoTo(mark: number, size: JsonSize): void {
    while (this.#undo.length > mark) this.#undo.pop()!();
    this.#size = size;
  }

  #applyOne({ op, path, from, value }: PatchOperation, work: PatchWork): void {
    work.spend(1);
    switch (op) {
      case 'add':
        this.#add(this.#locate(path), copyOf(required(value), work), work);
        break;
      case 'remove':
        this.#remove(this.#locateExisting(path), work);
        break;
      case 'replace':
        this.#replace(this.#locateExisting(path), copyOf(required(value), work), work);
        break;
      case 'test':
        if (!isEqual(valueAt(this.#locateExisting(path)), required(value), work)) {
          throw inapplicable('the value is not the expected one');
        }
        break;
      case 'copy': {
        const source = valueAt(this.#locateExisting(from));
        this.#add(this.#locate(path), copyOf(source, work), work);
        break;
      }
      case 'move':
        this.#move(from, path, work);
        break;
      default:
        throw inapplicable(`unknown operation "${shorten(String(op))}"`);
    }
  }

  #move(from: string | undefined, path: string, work: PatchWork): void {
    if (`${path}`.startsWith(`${from}/`)) throw inapplicable('a value cannot be moved into itself');
    const source = this.#locateExisting(from);
    if (from === path) return;
    const value = valueAt(source);
    const size = sizeOf(value, work);
    this.#remove(source, work);
    const sized = ({ depth }: Location): Sized => {
      work.checkDepth(depth + size.depth);
      return { value, size };
    };
    this.#add(this.#locate(path), sized, work);
  }

  #add(location: Location, toInsert: Insertion, work: PatchWork): void {
    const { parent, key } = location;
    if (!Array.isArray(parent) && Object.hasOwn(parent, key)) {
      this.#replace(location, toInsert, work);
      return;
    }
    const { value, size } = toInsert(location, this.#size);
    if (Array.isArray(parent)) {
      this.#insertElement(parent, Number(key), value, work);
    } else {
      defineMember(parent, String(key), value);
      this.#undo.push(() => delete parent[key]);
    }
    this.#grow(size.units + memberUnits(location), size.nodes, work);
  }

  #replace(location: Location, toInsert: Insertion, work: PatchWork): void {
    const old = valueAt(location);
    // The size of the whole document is known.
    const { units, nodes } = location.depth === 0 ? this.#size : sizeOf(old, work);
    this.#grow(-units, -nodes, work);
    const { value, size } = toInsert(location, this.#size);
    setAt(location, value);
    this.#undo.push(() => setAt(location, old));
    this.#grow(size.units, size.nodes, work);
  }

  #remove(location: Location, work: PatchWork): void {
    const { parent, key } = location;
    if (location.depth === 0) {
      this.#replace(location, copyOf(null, work), work);
      return;
    }
    const old = valueAt(location);
    const { units, nodes } = sizeOf(old, work);
    if (Array.isArray(parent)) {
      work.spendMove(parent.length - Number(key));
      parent.splice(Number(key), 1);
      this.#undo.push(() => parent.splice(Number(key), 0, old));
    } else {
      delete parent[key];
      this.#undo.push(() => defineMember(parent, String(key), old));
    }
    this.#grow(-units - memberUnits(location), -nodes, work);
  }

  #insertElement(array: JsonValue[], index: number, value: JsonValue, work: PatchWork): void {
    work.spendMove(array.length - index);
    array.splice(index, 0, value);
    this.#undo.push(() => array.splice(index, 1));
  }

  #grow(units: number, nodes: number, work: PatchWork): void {
    work.checkSize(this.#size, units, nodes);
    this.#size = { units: this.#size.units + units, nodes: this.#size.nodes + nodes, depth: 0 };
  }

  #locateExisting(path: string | undefined): Location {
    if (path === undefined) throw inapplicable('from: expected a JSON Pointer, got none');
    const location = this.#locate(path);
    if (!Object.hasOwn(location.parent, location.key)) throw inapplicable('there is no value at this path');
    return location;
  }

  #locate(path: string): Location {
    const tokens = parsePointer(path);
    let location: Location = { parent: this.#holder, key: 'root', depth: 0 };
    for (const token of tokens) {
      const container = Object.hasOwn(location.parent, location.key) ? valueAt(location) : undefined;
      if (typeof container !== 'object' || container === null) {
        throw inapplicable('the path leads through a value that is no object and no array, or absent');
      }
      const key = Array.isArray(container) ? indexIn(container, token) : token;
      location = { parent: container, key, depth: location.depth + 1 };
    }
    return location;
  }
}

/** Whether a patch begins by setting the whole value, so that it applies whatever the value was. */
export function setsWholeValue(patch: readonly PatchOperation[]): boolean {
  const first = patch[0];
  return first?.path === '' && (first.op === 'add' || first.op === 'replace');
}

function copyOf(value: JsonValue, work: PatchWork): Insertion {
  return ({ depth }, beside) => copyWithin(value, { work, depth, beside });
}

function valueAt({ parent, key }: Location): JsonValue {
  return (parent as JsonObject)[key]!;
}

function setAt({ parent, key }: Location, value: JsonValue): void {
  if (Array.isArray(parent)) parent[Number(key)] = value;
  else defineMember(parent, String(key), value);
}

/** Code units of what a container has beside a value: the comma, and the member's key with its quotes and colon. */
function memberUnits({ parent, key }: Location): number {
  return Array.isArray(parent) ? 1 : String(key).length + 4;
}

function required(value: JsonValue | undefined): JsonValue {
  if (value !== undefined) return value;
  throw inapplicable('value: expected a JSON value, got none');
}
