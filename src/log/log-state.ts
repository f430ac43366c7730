// The state of one log: what its events add up to, the text or the value that the next patch applies to.
//
// Invariants
// 1. A state is that after the event `seq`; events that are about to be appended are staged, and become part of it
//    only when the log has accepted them right after `seq`.
// 2. What cannot be known is undefined, never a part taken for the whole: the beginning has left the log, the text is
//    too long, or a patch did not apply.
import { ExecstreamError, isExecstreamError } from '../event/errors.ts';
import type { ExecutionEvent, JsonValue, NewEvent, PatchOperation } from '../event/events.ts';
import { JsonDocument } from '../event/json-document.ts';
import { setsWholeValue } from '../event/json-patch.ts';
import { PatchWork } from '../event/json-size.ts';

/** UTF-16 code units of a text that are kept; a longer one is unknown. */
export const MAX_TEXT_UNITS = 4 * 1024 * 1024;

/** An estimate of the memory that a value within a structured value takes. */
const BYTES_PER_NODE = 48;

export class LogState {
  /** Identifies the log that this is the state of; empty where there is none. */
  readonly epoch: string;
  #seq = 0;
  #text: string | undefined = '';
  readonly #document = new JsonDocument();
  #isValueKnown = true;
  /** Undoes what is staged. */
  #staged: { readonly events: number; readonly undo: () => void } | undefined;

  constructor(epoch: string) {
    this.epoch = epoch;
  }

  /** The last event that is part of the state; 0 where there is none. */
  get seq(): number {
    return this.#seq;
  }

  /** The text, staged events included. */
  get text(): string | undefined {
    return this.#text;
  }

  /** The value, staged events included. To be read at once: the next event changes it. */
  get value(): JsonValue | undefined {
    return this.#isValueKnown ? this.#document.root : undefined;
  }

  /** A copy of the value that later events do not change. */
  copyValue(): JsonValue | undefined {
    return this.#isValueKnown ? this.#document.toJson() : undefined;
  }

  /** An estimate of the memory that the state takes. */
  get bytes(): number {
    const { units, nodes } = this.#document.size;
    return 2 * (units + (this.#text?.length ?? 0)) + BYTES_PER_NODE * nodes;
  }

  /** Adds an event of the log. */
  add(event: ExecutionEvent): void {
    const isTrimmed = event.seq > this.#seq + 1;
    this.#seq = event.seq;
    if (isTrimmed) this.#forget();
    if (event.type === 'reset') {
      this.#clear();
    } else if (event.type === 'warning' && event.data.code === 'PREFIX_LOST') {
      this.#text = undefined;
    } else if (event.type === 'llm_chunk') {
      this.#addText(event.data.content);
    } else if (event.type === 'structured_delta') {
      this.#addPatch(event.data.patch);
    }
  }

  /**
   * Adds events that are about to be appended, until `settle` says what became of them.
   * @param nameOf names an event by its index, for the message of an error
   * @throws ExecstreamError `BAD_USER_INPUT` for a patch that does not apply, `EVENT_TOO_LARGE` for one beyond the
   *   limits; the message names the event, and nothing is staged.
   */
  stage(events: readonly NewEvent[], nameOf: (index: number) => string): void {
    const text = this.#text;
    const isValueKnown = this.#isValueKnown;
    const undo = () => {
      this.#text = text;
      this.#document.rollback();
      this.#isValueKnown = isValueKnown;
    };
    const work = new PatchWork();
    try {
      events.forEach((event, i) => {
        if (event.type === 'llm_chunk') this.#addText(event.data.content);
        else if (event.type === 'structured_delta') this.#stagePatch(event.data.patch, work, nameOf(i));
      });
    } catch (error) {
      undo();
      throw error;
    }
    this.#staged = { events: events.length, undo };
  }

  /**
   * Keeps what was staged where it follows this state in the log, and drops it otherwise.
   * @param head the log's last event after the append; undefined where it failed, or its outcome is unknown
   */
  settle(head: number | undefined): void {
    const staged = this.#staged;
    if (!staged) return;
    this.#staged = undefined;
    if (head === this.#seq + staged.events) {
      this.#seq = head;
      this.#document.commit();
    } else {
      staged.undo();
    }
  }

  #addText(content: string): void {
    if (this.#text === undefined) return;
    const isTooLong = this.#text.length + content.length > MAX_TEXT_UNITS;
    this.#text = isTooLong ? undefined : this.#text + content;
  }

  #addPatch(patch: readonly PatchOperation[]): void {
    try {
      if (!this.#isValueKnown && !setsWholeValue(patch)) return;
      this.#document.apply(patch, new PatchWork());
      this.#isValueKnown = true;
    } catch {
      this.#isValueKnown = false;
      this.#emptyValue();
    }
    this.#document.commit();
  }

  #stagePatch(patch: readonly PatchOperation[], work: PatchWork, name: string): void {
    try {
      if (this.#isValueKnown || setsWholeValue(patch)) {
        this.#document.apply(patch, work);
        this.#isValueKnown = true;
      } else {
        rejectCopies(patch);
      }
    } catch (error) {
      if (!isExecstreamError(error)) throw error;
      throw new ExecstreamError(error.code, `${name}: structured_delta: ${error.message}`, { cause: error });
    }
  }

  #clear(): void {
    this.#text = '';
    this.#emptyValue();
    this.#isValueKnown = true;
  }

  #forget(): void {
    this.#text = undefined;
    this.#emptyValue();
    this.#isValueKnown = false;
  }

  #emptyValue(): void {
    this.#document.apply([{ op: 'remove', path: '' }], new PatchWork());
    this.#document.commit();
  }
}

/** A patch for a value that is unknown cannot be checked. It may add to the value, and not multiply it. */
function rejectCopies(patch: readonly PatchOperation[]): void {
  if (!patch.some(({ op }) => op === 'copy')) return;
  const why = 'copy: the value is unknown, because its beginning has left the log';
  throw new ExecstreamError('BAD_USER_INPUT', `${why}; send the whole value first (path "")`);
}
