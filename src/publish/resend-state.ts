// The content that a run has published so far: resent after a `reset`, and the default result.
import { initialContent, reduceContent } from '../event/content-state.ts';
import { type ExecstreamError, isExecstreamError } from '../event/errors.ts';
import { type JsonValue, type NewEvent, type PatchOperation, timestamp } from '../event/events.ts';
import { checkStringFits, diffJson, splitPatch, wholeValue } from '../event/json-diff.ts';
import { applyPatch } from '../event/json-patch.ts';
import { checkValueSize } from '../event/json-size.ts';
import { DEFAULT_SIZE_LIMITS, type SizeLimits } from '../event/size-limits.ts';
import { splitText, tailOf } from '../event/text.ts';
import type { PublisherLimits } from './limits.ts';

export interface ResendState {
  /** Adds a chunk of at most one event's size. */
  addText(chunk: string): void;
  /**
   * Takes the next value, a copy that nobody else changes. A string that is too large for an event keeps its previous
   * content; so does a value that exceeds the limits of structured values or does not fit into events otherwise. The
   * first time, the events include a `warning`.
   * @param options `defersGrowth`: whether strings that have grown by little may be left as they are
   * @returns the events that turn the previous value into it
   */
  setValue(value: JsonValue, options?: { readonly defersGrowth?: boolean }): NewEvent[];
  /** Whether the last `setValue` has left a string as it was. */
  readonly isDeferred: boolean;
  /**
   * The events that restore the content after a `reset`: the text without its last `queuedUnits` UTF-16 code units,
   * whose chunks are still queued, or the whole value. The caller drops all queued `structured_delta` events.
   */
  resendEvents(queuedUnits: number): NewEvent[];
  /** The full text, undefined if it was too long to be kept; or the value that the events add up to. */
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
    isDeferred: false,
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

/** A JSON Patch repeats a string that grows. Below this length, the rest of its event costs more than the string. */
const MIN_DEFERRED_UNITS = 256;
/** The factor by which a longer string has to grow: all of its versions together are up to 3 times the last one. */
const GROWTH = 1.5;

/** Keeps a value, initially `null`. The patches are computed from it, so it is not reduced from them. */
export function createValueState(
  limits: PublisherLimits,
  sizes: SizeLimits = DEFAULT_SIZE_LIMITS,
): ResendState {
  /** What the events add up to. */
  let current: JsonValue = null;
  /** Deltas since the last whole value. Starts at the limit, so that the first delta is a whole value. */
  let deltasSinceWhole = limits.wholeValueEvery;
  let isDeferred = false;
  let tooLarge: ExecstreamError | undefined;

  /** The events to a value, without the strings that are too large or, if that is permitted, deferred. */
  function eventsTo(value: JsonValue, defersGrowth: boolean): NewEvent[] {
    let isPartial = false;
    const patch = diffJson(current, value, (before, after, path) => {
      const defers = defersGrowth && isSmallGrowth(before, after);
      isDeferred ||= defers;
      const keeps = defers || !fits(after, path);
      isPartial ||= keeps;
      return keeps;
    });
    if (patch.length === 0) return [];
    const next = isPartial ? applyPatch(current, patch) : value;
    const events = eventsFor(patch, next);
    current = next;
    return events;
  }

  function fits(text: string, path: string): boolean {
    try {
      checkStringFits(text, path, sizes);
      return true;
    } catch (error) {
      tooLarge ??= asTooLarge(error);
      return false;
    }
  }

  function eventsFor(patch: PatchOperation[], next: JsonValue): NewEvent[] {
    const patches = splitPatch(patch, { sizes });
    const sendsWhole =
      deltasSinceWhole + patches.length >= limits.wholeValueEvery ||
      JSON.stringify(patch).length > JSON.stringify(wholeValue(next)).length;
    if (sendsWhole) return sendWhole(next);
    deltasSinceWhole += patches.length;
    return toEvents(patches);
  }

  function sendWhole(value: JsonValue): NewEvent[] {
    const patches = splitPatch(wholeValue(value), { sizes });
    deltasSinceWhole = patches.length - 1;
    return toEvents(patches);
  }

  return {
    addText: () => {},
    setValue(value, { defersGrowth = false } = {}) {
      const wasTooLarge = tooLarge !== undefined;
      isDeferred = false;
      tooLarge = undefined;
      let events: NewEvent[] = [];
      try {
        checkValueSize(value);
        events = eventsTo(value, defersGrowth);
      } catch (error) {
        tooLarge = asTooLarge(error);
      }
      if (tooLarge && !wasTooLarge) events.push(warningOf(tooLarge));
      return events;
    },
    get isDeferred() {
      return isDeferred;
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
        return [warningOf(asTooLarge(error))];
      }
    },
    result: () => current,
  };
}

/** Whether a string has only been extended, and by too little to repeat it. */
function isSmallGrowth(before: string, after: string): boolean {
  const isSmall = after.length > MIN_DEFERRED_UNITS && after.length < before.length * GROWTH;
  return isSmall && after.startsWith(before);
}

/** @throws any other error */
function asTooLarge(error: unknown): ExecstreamError {
  if (isExecstreamError(error, 'EVENT_TOO_LARGE')) return error;
  throw error;
}

function warningOf({ code, message }: ExecstreamError): NewEvent {
  return { type: 'warning', ts: timestamp(), data: { code, message } };
}

function toEvents(patches: readonly PatchOperation[][]): NewEvent[] {
  const ts = timestamp();
  return patches.map((patch) => ({ type: 'structured_delta', ts, data: { patch } }));
}
