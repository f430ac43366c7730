// A JSON value that is changed by JSON Patches in place, within limits, and can be rolled back. The cost of an operation
// depends on the size of the patch, not of the document.
//
// Invariants
// 1. The document shares no object with its callers: inserted values are copied, and `toJson()` returns a copy.
// 2. A patch that fails leaves the document as it was before that patch.
// 3. Size, depth and work are checked while a copy is made, so a short patch cannot build a large value.
// A rollback may change the order of an object's members, which has no meaning in JSON.
import type { JsonValue, PatchOperation } from './events.ts';
import { jsonEquals } from './json-equals.ts';
import {
  editWithPatch,
  insertAt,
  type Location,
  type PatchEditor,
  removeAt,
  setAt,
  valueAt,
} from './json-patch.ts';
import { copyWithin, type JsonSize, type PatchWork, sizeOf, unlimitedWork } from './json-size.ts';

export class JsonDocument {
  readonly #holder: { root: JsonValue } = { root: null };
  #size: JsonSize = sizeOf(null, unlimitedWork());
  #committed = this.#size;
  readonly #undo: (() => void)[] = [];

  /** The value itself, initially `null`. The next operation changes it in place. */
  get root(): JsonValue {
    return this.#holder.root;
  }

  /** The size of the value, kept up to date without its depth. */
  get size(): Pick<JsonSize, 'units' | 'nodes'> {
    return this.#size;
  }

  /** A copy that later operations do not change. */
  toJson(): JsonValue {
    return copyWithin(this.root, { work: unlimitedWork() }).value;
  }

  /**
   * Applies all operations of a patch, or none.
   * @param work limits the cost of the patch; shared by the patches of one batch
   * @throws ExecstreamError `BAD_USER_INPUT` for an operation that does not apply, `EVENT_TOO_LARGE` for one that exceeds
   *   a limit; the message names the operation.
   */
  apply(patch: readonly PatchOperation[], work: PatchWork): void {
    const mark = this.#undo.length;
    const before = this.#size;
    try {
      editWithPatch(this.#editor(work), patch);
    } catch (error) {
      this.#undoTo(mark, before);
      throw error;
    }
  }

  /** Makes the document `null`, keeping it. */
  clear(): void {
    this.apply([{ op: 'remove', path: '' }], unlimitedWork());
    this.commit();
  }

  /** Keeps all changes since the last commit. */
  commit(): void {
    this.#undo.length = 0;
    this.#committed = this.#size;
  }

  /** Undoes all changes since the last commit. */
  rollback(): void {
    this.#undoTo(0, this.#committed);
  }

  #undoTo(mark: number, size: JsonSize): void {
    while (this.#undo.length > mark) this.#undo.pop()!();
    this.#size = size;
  }

  #editor(work: PatchWork): PatchEditor {
    const spend = (visits: number) => work.spend(visits);
    return {
      holder: this.#holder,
      begin: () => work.spend(1),
      edit: valueAt,
      // A value that is inserted is copied.
      share: () => {},
      insert: (location, value, isMoved) => this.#insert(location, value, isMoved, work),
      replace: (location, value, isMoved) => this.#replace(location, value, isMoved, work),
      remove: (location) => this.#remove(location, work),
      equals: (a, b) => jsonEquals(a, b, spend),
    };
  }

  #insert(location: Location, value: JsonValue, isMoved: boolean, work: PatchWork): void {
    const { parent, key } = location;
    const inserted = this.#sized(location, value, isMoved, work);
    if (Array.isArray(parent)) work.spendMove(parent.length - Number(key));
    insertAt(location, inserted.value);
    this.#undo.push(() => removeAt(location));
    this.#grow(inserted.size.units + memberUnits(location), inserted.size.nodes, work);
  }

  #replace(location: Location, value: JsonValue, isMoved: boolean, work: PatchWork): void {
    const old = valueAt(location);
    // The size of the whole document is known.
    const { units, nodes } = location.depth === 0 ? this.#size : sizeOf(old, work);
    this.#grow(-units, -nodes, work);
    const replacement = this.#sized(location, value, isMoved, work);
    setAt(location, replacement.value);
    this.#undo.push(() => setAt(location, old));
    this.#grow(replacement.size.units, replacement.size.nodes, work);
  }

  #remove(location: Location, work: PatchWork): void {
    const { parent, key } = location;
    const old = valueAt(location);
    const { units, nodes } = sizeOf(old, work);
    if (Array.isArray(parent)) work.spendMove(parent.length - Number(key));
    removeAt(location);
    this.#undo.push(() => insertAt(location, old));
    this.#grow(-units - memberUnits(location), -nodes, work);
  }

  /** The value to store at a location, with its size: a copy, except of a value that was moved. */
  #sized({ depth }: Location, value: JsonValue, isMoved: boolean, work: PatchWork) {
    if (!isMoved) return copyWithin(value, { work, depth, beside: this.#size });
    const size = sizeOf(value, work);
    work.checkDepth(depth + size.depth);
    return { value, size };
  }

  #grow(units: number, nodes: number, work: PatchWork): void {
    work.checkSize(this.#size, units, nodes);
    this.#size = { units: this.#size.units + units, nodes: this.#size.nodes + nodes, depth: 0 };
  }
}

/** UTF-16 code units that a container adds to a value: the comma, and a member's key with its quotes and colon. */
function memberUnits({ parent, key }: Location): number {
  return Array.isArray(parent) ? 1 : String(key).length + 4;
}
