// The content that a run has published so far: resent after a `reset`, and the default result.
import { initialContent, reduceContent } from '../event/content-state.ts';
import { messageOf } from '../event/error-message.ts';
import { type JsonValue, type NewEvent, type PatchOperation, timestamp } from '../event/events.ts';
import { diffJson, splitPatch, wholeValue } from '../event/json-diff.ts';
import { checkValueSize } from '../event/json-size.ts';
import { DEFAULT_SIZE_LIMITS, type SizeLimits } from '../event/size-limits.ts';
import { splitText, tailOf } from '../event/text.ts';
import type { PublisherLimits } from './limits.ts';

export interface ResendState {
  /** Adds a chunk of at most one event's size. */
  addText(chunk: string): void;
  /**
   * Takes the next value, a copy that nobody else changes.
   * @returns the events that turn the previous value into it
   * @throws ExecstreamError `EVENT_TOO_LARGE` for a value that exceeds the limits of structured values or does not fit
   *   into events; the previous value is kept.
   */
  setValue(value: JsonValue): NewEvent<'structured_delta'>[];
  /**
   * The events that restore the content after a `reset`: the text without its last `queuedUnits` UTF-16 code units,
   * whose chunks are still queued, or the whole value. The caller drops all queued `structured_delta` events.
   */
  resendEvents(queuedUnits: number): NewEvent[];
  /** The full text or value; undefined if the text was too long to be kept. */
  result(): JsonValue | undefined;
}

/** Keeps a text. It grows by concatenation, which copies nothing until the text is read. */
export function createTextState(
  limits: PublisherLimits,
  sizes: SizeLimits = DEFAULT_SIZE_LIMITS,
): ResendState {
  let content = initialContent('TEXT');
  return {
    addText(chunk) {
      content = reduceContent(content, { type: 'llm_chunk', data: { content: chunk } });
      const text = content.text!;
      if (text.length <= limits.resultUnits) return;
      const end = tailOf(text, Math.min(limits.heldTextBytes, limits.resultUnits));
      content = { text: end, completeness: 'partial' };
    },
    setValue: () => [],
    resendEvents(queuedUnits) {
      const text = content.text!;
      const sent = text.slice(0, Math.max(0, text.length - queuedUnits));
      const kept = tailOf(sent, limits.heldTextBytes);
      const ts = timestamp();
      const events: NewEvent[] = splitText(kept, sizes).map((chunk) => ({
        type: 'llm_chunk',
        ts,
        data: { content: chunk },
      }));
      if (content.completeness === 'full' && kept.length === sent.length) return events;
      const message = `the text is too long to be resent; only its last ${kept.length} code units follow`;
      return [{ type: 'warning', ts, data: { code: 'PREFIX_LOST', message } }, ...events];
    },
    result: () => (content.completeness === 'full' ? content.text : undefined),
  };
}

/** Keeps a value, initially `null`. The patches are computed from it, so it is not reduced from them. */
export function createValueState(
  limits: PublisherLimits,
  sizes: SizeLimits = DEFAULT_SIZE_LIMITS,
): ResendState {
  let current: JsonValue = null;
  /** Deltas since the last whole value. Starts at the limit, so that the first delta is a whole value. */
  let deltasSinceWhole = limits.wholeValueEvery;

  function eventsTo(value: JsonValue): NewEvent<'structured_delta'>[] {
    const patch = diffJson(current, value);
    if (patch.length === 0) return [];
    const patches = splitPatch(patch, { sizes });
    const sendsWhole =
      deltasSinceWhole + patches.length >= limits.wholeValueEvery ||
      JSON.stringify(patch).length > JSON.stringify(wholeValue(value)).length;
    if (sendsWhole) return sendWhole(value);
    deltasSinceWhole += patches.length;
    return toEvents(patches);
  }

  function sendWhole(value: JsonValue): NewEvent<'structured_delta'>[] {
    const patches = splitPatch(wholeValue(value), { sizes });
    deltasSinceWhole = patches.length - 1;
    return toEvents(patches);
  }

  return {
    addText: () => {},
    setValue(value) {
      checkValueSize(value);
      const events = eventsTo(value);
      current = value;
      return events;
    },
    resendEvents() {
      if (current === null) return [];
      try {
        return sendWhole(current);
      } catch (error) {
        // It grew by small patches and does not fit into events as a whole (keys of tens of KiB), so the next value
        // must be sent whole.
        deltasSinceWhole = limits.wholeValueEvery;
        current = null;
        const data = { code: 'EVENT_TOO_LARGE', message: messageOf(error) };
        return [{ type: 'warning', ts: timestamp(), data }];
      }
    },
    result: () => current,
  };
}

function toEvents(patches: readonly PatchOperation[][]): NewEvent<'structured_delta'>[] {
  const ts = timestamp();
  return patches.map((patch) => ({ type: 'structured_delta', ts, data: { patch } }));
}
