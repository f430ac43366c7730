// Limits the bytes of large fields that one operation reads and returns. Both are limited, because a value that is read
// once may appear in the result many times.
import type { ContentField, FieldContent } from '../execution/store.ts';

type ReadContents = (
  ids: readonly string[],
  field: ContentField,
  maxBytes: number,
) => Promise<ReadonlyMap<string, FieldContent>>;

const FIELDS: readonly ContentField[] = ['input', 'result', 'error'];

export class ContentBudget {
  readonly #maxBytes: number;
  /** Fields that are in the result. */
  readonly #returned = new Set<string>();
  readonly #executions = new Set<string>();
  #readBytes = 0;
  #returnedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The key of one field of one execution. */
  static key(field: ContentField, id: string): string {
    return `${field} ${id}`;
  }

  /** Reads fields as far as the budget allows, and omits the others. All fields of a single execution are read. */
  async load(keys: readonly string[], read: ReadContents): Promise<Map<string, FieldContent>> {
    const loaded = new Map<string, FieldContent>();
    const idsOf = new Map<string, string[]>(FIELDS.map((field) => [field, []]));
    for (const key of keys) {
      const end = key.indexOf(' ');
      const id = key.slice(end + 1);
      idsOf.get(key.slice(0, end))!.push(id);
      this.#executions.add(id);
    }
    for (const field of FIELDS) {
      const ids = idsOf.get(field)!;
      if (ids.length === 0) continue;
      const remaining = Math.max(0, this.#maxBytes - this.#readBytes);
      const contents = await read(
        ids,
        field,
        this.#executions.size === 1 ? Number.MAX_SAFE_INTEGER : remaining,
      );
      for (const [id, content] of contents) {
        loaded.set(ContentBudget.key(field, id), content);
        if (!content.isOmitted) this.#readBytes += content.bytes;
      }
    }
    return loaded;
  }

  /** Adds a field that was read to the result, and returns whether the budget allows that. */
  admits(id: string, field: ContentField, { bytes, isOmitted }: FieldContent): boolean {
    if (isOmitted) return false;
    const key = ContentBudget.key(field, id);
    const isFirst = !this.#returned.has(key);
    this.#returned.add(key);
    this.#returnedBytes += bytes;
    return this.#returnedBytes <= this.#maxBytes || (isFirst && this.#executions.size === 1);
  }
}
