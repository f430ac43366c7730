// A JSON value that is changed by JSON Patches in place, within limits, and can be rolled back. The cost of an operation
// depends on the size of the patch, not of the document.
//
// Invariants
// 1. The document shares no object with its callers: inserted values are copied, and `toJson()` returns a copy.
// 2. A patch that fails leaves the document as it was before that patch.
// 3. Size, depth and work are checked while a copy is made, so a short patch cannot build a large value.
// A rollback may change the order of an object's members, which has no meaning in JSON.
import { ExecstreamError, isExecstreamError } from './errors.ts';
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
import { PatchError } from './json-pointer.ts';
import { copyWithin, type JsonSize, type PatchWork, sizeOf, unlimitedWork } from './json-size.ts';

export class JsonDocument {
  readonly #editor = new UndoableEditor();

  /** The value itself, initially `null`. The next operation changes it in place. */
  get root(): JsonValue {
    return this.#editor.holder.root;
  }

  /** The size of the value, kept up to date without its depth. */
  get size(): Pick<JsonSize, 'units' | 'nodes'> {
    return this.#editor.size;
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
    const editor = this.#editor;
    const mark = editor.mark();
    editor.work = work;
    try {
      editWithPatch(editor, patch);
    } catch (error) {
      editor.undoTo(mark);
      throw toExecstreamError(error);
    }
  }

  /** Keeps all changes since the last commit. */
  commit(): void {
    this.#editor.commit();
  }

  /** Undoes all changes since the last commit. */
  rollback(): void {
    this.#editor.rollback();
  }
}

function toExecstreamError(error: unknown): unknown {
  if (!(error instanceof PatchError)) return error;
  const { message, cause } = error;
  if (cause instanceof PatchError) return new ExecstreamError('BAD_USER_INPUT', message, { cause });
  return isExecstreamError(cause) ? new ExecstreamError(cause.code, message, { cause }) : cause;
}

interface Mark {
  readonly changes: number;
  readonly size: JsonSize;
}

/** Edits in place, counts sizes, and records how to undo each edit. */
class UndoableEditor implements PatchEditor {
  readonly holder: { root: JsonValue } = { root: null };
  size: JsonSize = sizeOf(null, unlimitedWork());
  /** The limits of the current patch. */
  work = unlimitedWork();
  #committed = this.size;
  readonly #undo: (() => void)[] = [];

  mark(): Mark {
    return { changes: this.#undo.length, size: this.size };
  }

  undoTo({ changes, size }: Mark): void {
    while (this.#undo.length > changes) this.#undo.pop()!();
    this.size = size;
  }

  commit(): void {
    this.#undo.length = 0;
    this.#committed = this.size;
  }

  rollback(): void {
    this.undoTo({ changes: 0, size: this.#committed });
  }

  begin(): void {
    this.work.spend(1);
  }

  edit(location: Location): JsonValue {
    return valueAt(location);
  }

  share(): void {
    // A value that is inserted is copied.
  }

  insert(location: Location, value: JsonValue, isMoved: boolean): void {
    const { parent, key } = location;
    const inserted = this.#sized(location, value, isMoved);
    if (Array.isArray(parent)) this.work.spendMove(parent.length - Number(key));
    insertAt(location, inserted.value);
    this.#undo.push(() => removeAt(location));
    this.#grow(inserted.size.units + memberUnits(location), inserted.size.nodes);
  }

  replace(location: Location, value: JsonValue, isMoved: boolean): void {
    const old = valueAt(location);
    // The size of the whole document is known.
    const { units, nodes } = location.depth === 0 ? this.size : sizeOf(old, this.work);
    this.#grow(-units, -nodes);
    const replacement = this.#sized(location, value, isMoved);
    setAt(location, replacement.value);
    this.#undo.push(() => setAt(location, old));
    this.#grow(replacement.size.units, replacement.size.nodes);
  }

  remove(location: Location): void {
    const { parent, key } = location;
    const old = valueAt(location);
    const { units, nodes } = sizeOf(old, this.work);
    if (Array.isArray(parent)) this.work.spendMove(parent.length - Number(key));
    removeAt(location);
    this.#undo.push(() => insertAt(location, old));
    this.#grow(-units - memberUnits(location), -nodes);
  }

  equals(a: JsonValue, b: JsonValue): boolean {
    return jsonEquals(a, b, (visits) => this.work.spend(visits));
  }

  /** The value to store at a location, with its size: a copy, except of a value that was moved. */
  #sized({ depth }: Location, value: JsonValue, isMoved: boolean) {
    if (!isMoved) return copyWithin(value, { work: this.work, depth, beside: this.size });
    const size = sizeOf(value, this.work);
    this.work.checkDepth(depth + size.depth);
    return { value, size };
  }

  #grow(units: number, nodes: number): void {
    this.work.checkSize(this.size, units, nodes);
    this.size = { units: this.size.units + units, nodes: this.size.nodes + nodes, depth: 0 };
  }
}

/** UTF-16 code units that a container adds to a value: the comma, and a member's key with its quotes and colon. */
function memberUnits({ parent, key }: Location): number {
  return Array.isArray(parent) ? 1 : String(key).length + 4;
}
