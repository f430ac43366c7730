// The content of one log: what its events add up to, the text or the value that the next patch applies to.
//
// Invariants
// 1. The state is that after the event `seq`. Events that are about to be appended are staged, and become part of it
//    only when the log has accepted them directly after `seq`.
// 2. Partial content is undefined, never mistaken for the full content: the beginning has left the log, the text is too
//    long, or a patch did not apply.
// The rules are those of the reducer. Only the value is held in a document that patches change in place, because the
// cost of a patch must not depend on the size of the value.
import {
  type ContentState,
  type EventContent,
  initialContent,
  reduceContent,
} from '../event/content-state.ts';
import { ExecstreamError, isExecstreamError } from '../event/errors.ts';
import type { ExecutionEvent, JsonValue, NewEvent, PatchOperation } from '../event/events.ts';
import { JsonDocument } from '../event/json-document.ts';
import { setsWholeValue } from '../event/json-patch.ts';
import { PatchWork, unlimitedWork } from '../event/json-size.ts';

/** UTF-16 code units of a text that are kept; a longer text is unknown. */
export const MAX_TEXT_UNITS = 4 * 1024 * 1024;

/** An estimate of the memory of each value within a structured value. */
const BYTES_PER_NODE = 48;

export class LogState {
  /** The log's epoch; empty if there is no log. */
  readonly epoch: string;
  #seq = 0;
  // One each, because the log does not know the execution's mode.
  #text = initialContent('TEXT');
  /** Its value is the root of the document. */
  #value = initialContent('STRUCTURED');
  readonly #document = new JsonDocument();
  #staged: { readonly events: number; readonly undo: () => void } | undefined;

  constructor(epoch: string) {
    this.epoch = epoch;
  }

  /** The last event that is part of the state; 0 if there is none. */
  get seq(): number {
    return this.#seq;
  }

  /** The text, staged events included; undefined if it is not known completely. */
  get text(): string | undefined {
    return isFull(this.#text) ? this.#text.text : undefined;
  }

  /** The value, staged events included; undefined if it is not known. The next event changes it in place. */
  get value(): JsonValue | undefined {
    return isFull(this.#value) ? this.#document.root : undefined;
  }

  /** A copy of the value that later events do not change. */
  copyValue(): JsonValue | undefined {
    return isFull(this.#value) ? this.#document.toJson() : undefined;
  }

  /** An estimate of the state's memory. */
  get bytes(): number {
    const { units, nodes } = this.#document.size;
    return 2 * (units + (this.#text.text?.length ?? 0)) + BYTES_PER_NODE * nodes;
  }

  /** Adds an event of the log. */
  add(event: ExecutionEvent): void {
    if (event.seq > this.#seq + 1) {
      this.#reduce({ type: 'gap', data: { fromSeq: this.#seq + 1, toSeq: event.seq - 1 } }, new PatchWork());
    }
    this.#seq = event.seq;
    // A patch that does not apply makes the value unknown.
    this.#reduce(event, new PatchWork());
    this.#document.commit();
  }

  /**
   * Adds events that are about to be appended, until `settle` is called with the outcome.
   * @param nameOf names an event by its index, for error messages
   * @throws ExecstreamError `BAD_USER_INPUT` for a patch that does not apply, `EVENT_TOO_LARGE` for one that exceeds the
   *   limits; the message names the event, and nothing is staged.
   */
  stage(events: readonly NewEvent[], nameOf: (index: number) => string): void {
    const text = this.#text;
    const value = this.#value;
    const undo = () => {
      this.#document.rollback();
      this.#text = text;
      this.#value = value;
    };
    const work = new PatchWork();
    try {
      for (const [i, event] of events.entries()) this.#stageOne(event, nameOf(i), work);
    } catch (error) {
      undo();
      throw error;
    }
    this.#staged = { events: events.length, undo };
  }

  /**
   * Keeps the staged events if they follow this state in the log, and drops them otherwise.
   * @param head the log's last event after the append; undefined if it failed, or its outcome is unknown
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

  #stageOne(event: NewEvent, name: string, work: PatchWork): void {
    try {
      if (event.type === 'structured_delta' && !isFull(this.#value)) rejectCopies(event.data.patch);
      this.#reduce(event, work, (error) => {
        throw error;
      });
    } catch (error) {
      if (!isExecstreamError(error)) throw error;
      throw new ExecstreamError(error.code, `${name}: structured_delta: ${error.message}`, { cause: error });
    }
  }

  #reduce(event: EventContent, work: PatchWork, onRejected: (error: unknown) => void = () => {}): void {
    this.#text = reduceContent(this.#text, event);
    const isTooLong = this.#text.text!.length > MAX_TEXT_UNITS;
    if (isTooLong || !isFull(this.#text)) this.#text = { text: '', completeness: 'partial' };

    let rejection: { readonly error: unknown } | undefined;
    this.#value = reduceContent(this.#value, event, (_, patch) => {
      try {
        this.#document.apply(patch, work);
        return this.#document.root;
      } catch (error) {
        rejection = { error };
        throw error;
      }
    });
    if (rejection) onRejected(rejection.error);
    if (!isFull(this.#value)) this.#value = { value: null, completeness: 'partial' };
    if (this.#value.value !== this.#document.root) this.#replaceDocument();
  }

  /** The reducer has set another value, such as `null` after a `reset`. */
  #replaceDocument(): void {
    this.#document.apply([{ op: 'replace', path: '', value: this.#value.value! }], unlimitedWork());
    this.#value = { ...this.#value, value: this.#document.root };
  }
}

function isFull({ completeness }: ContentState): boolean {
  return completeness === 'full';
}

/** A patch for an unknown value cannot be checked. It may add to the value, but not multiply it. */
function rejectCopies(patch: readonly PatchOperation[]): void {
  if (setsWholeValue(patch) || !patch.some(({ op }) => op === 'copy')) return;
  const reason = 'copy: the value is unknown, because its beginning has left the log';
  throw new ExecstreamError('BAD_USER_INPUT', `${reason}; send the whole value first (path "")`);
}
