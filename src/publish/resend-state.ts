// What a run has published so far, folded: what is sent again after a `reset`, and the result by default.
import { messageOf } from '../event/errors.ts';
import { type JsonValue, type NewEvent, timestamp } from '../event/events.ts';
import { diffJson, splitPatch, wholeValue } from '../event/json-diff.ts';
import { checkValueSize } from '../event/json-size.ts';
import { splitText, tailOf } from '../event/text.ts';
import type { PublisherLimits } from './limits.ts';

export interface ResendState {
  /** Adds a chunk that has been cut. */
  addText(chunk: string): void;
  /**
   * Takes a value (a copy that nobody else changes) and answers the events that make the one before into it.
   * @throws ExecstreamError `EVENT_TOO_LARGE` for a value beyond the limits of structured values, or one that does not
   *   fit into events; then the value before remains.
   */
  setValue(value: JsonValue): NewEvent<'structured_delta'>[];
  /**
   * The events that say again, after a `reset`, all but the last `queuedUnits` code units of the text, or the whole
   * value: whoever calls this drops the deltas that are still queued.
   */
  resendEvents(queuedUnits: number): NewEvent[];
  /** The whole text or value; undefined where the text was too long to be kept. */
  result(): JsonValue | undefined;
}

/** Holds a text. It grows by concatenation, which costs nothing until it is read. */
export function createTextState(limits: PublisherLimits): ResendState {
  let text = '';
  /** Whether `text` is the whole text and not only the end of it. */
  let whole = true;
  return {
    addText(chunk) {
      text += chunk;
      if (text.length <= limits.resultUnits) return;
      text = tailOf(text, Math.min(limits.heldTextBytes, limits.resultUnits));
      whole = false;
    },
    setValue: () => [],
    resendEvents(queuedUnits) {
      const sent = text.slice(0, Math.max(0, text.length - queuedUnits));
      const kept = tailOf(sent, limits.heldTextBytes);
      const ts = timestamp();
      const events: NewEvent[] = splitText(kept).map((content) => ({
        type: 'llm_chunk',
        ts,
        data: { content },
      }));
      if (whole && kept.length === sent.length) return events;
      const message = `the text is too long to be sent again whole; its last ${kept.length} code units follow`;
      return [{ type: 'warning', ts, data: { code: 'PREFIX_LOST', message } }, ...events];
    },
    result: () => (whole ? text : undefined),
  };
}

/** Holds a value, `null` at first. */
export function createValueState(limits: PublisherLimits): ResendState {
  let held: JsonValue = null;
  /** Deltas since the one that set the whole value; as many as allowed at first, so that the first one does. */
  let since = limits.wholeValueEvery;

  function deltas(value: JsonValue): NewEvent<'structured_delta'>[] {
    const patch = diffJson(held, value);
    if (patch.length === 0) return [];
    const ts = timestamp();
    const toEvents = (patches: ReturnType<typeof splitPatch>): NewEvent<'structured_delta'>[] =>
      patches.map((operations) => ({ type: 'structured_delta', ts, data: { patch: operations } }));
    const steps = splitPatch(patch);
    const goesWhole =
      since + steps.length >= limits.wholeValueEvery ||
      JSON.stringify(patch).length > JSON.stringify(wholeValue(value)).length;
    if (goesWhole) {
      const pieces = splitPatch(wholeValue(value));
      since = pieces.length - 1;
      return toEvents(pieces);
    }
    since += steps.length;
    return toEvents(steps);
  }

  return {
    addText: () => {},
    setValue(value) {
      checkValueSize(value);
      const events = deltas(value);
      held = value;
      return events;
    },
    resendEvents() {
      if (held === null) return [];
      const ts = timestamp();
      let pieces: ReturnType<typeof splitPatch>;
      try {
        pieces = splitPatch(wholeValue(held));
      } catch (error) {
        // It came in small steps and does not go out whole (keys of tens of KiB): the next value must be whole.
        since = limits.wholeValueEvery;
        held = null;
        return [{ type: 'warning', ts, data: { code: 'EVENT_TOO_LARGE', message: messageOf(error) } }];
      }
      since = pieces.length - 1;
      return pieces.map((patch) => ({ type: 'structured_delta', ts, data: { patch } }));
    },
    result: () => held,
  };
}
