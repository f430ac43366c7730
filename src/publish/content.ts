// A run's text or value on its way to the outbox: redacted, split into events, retained, published.
//
// Invariants:
// 1. The retained state equals the published one: the events after a `reset` and the default result are both the sum of
//    the chunks and deltas.
// 2. Nothing is held back while another event is published: `pause()` precedes every other event, `end()` the last one.
import { type Timer, unref } from '../async/timer.ts';
import { type ExecutionMode, type JsonValue, type NewEvent, timestamp } from '../event/events.ts';
import { jsonEquals } from '../event/json-equals.ts';
import type { SizeLimits } from '../event/size-limits.ts';
import { createTextCutter } from '../event/text.ts';
import type { Redaction } from '../redact/redaction.ts';
import type { PublisherLimits } from './limits.ts';
import { createTextState, createValueState } from './resend-state.ts';

export interface ContentOptions {
  readonly mode: ExecutionMode;
  readonly limits: PublisherLimits;
  readonly sizes: SizeLimits;
  readonly redaction: Redaction;
  push(event: NewEvent, noMerge?: boolean): void;
  /** A value, or a string of it, is too large for viewers, who have been warned. */
  onTooLarge(): void;
}

export interface RunContent {
  addText(text: string, noMerge?: boolean): void;
  /**
   * Publishes a value, which must not be changed afterwards. A part that is too large for viewers is still in the result.
   */
  setValue(value: JsonValue): void;
  /** Publishes what redaction and the text cutter hold back, because another event follows. */
  pause(): void;
  /** Publishes the growth of strings that was deferred. What may be the beginning of a secret stays. */
  flush(): void;
  /** Publishes the text that is held back, because no content follows. */
  end(): void;
  /** See `ResendState.resendEvents`. */
  resendEvents(queuedUnits: number): NewEvent[];
  /** The complete text or value; undefined if the text was too long to be retained. */
  result(): JsonValue | undefined;
}

export function createContent(options: ContentOptions): RunContent {
  const { mode, limits, sizes, redaction, push, onTooLarge } = options;
  const retained = mode === 'TEXT' ? createTextState(limits, sizes) : createValueState(limits, sizes);
  const cutter = createTextCutter(sizes);
  /** The last value with complete strings. The published one may lack the ends of strings. */
  let lastValue: JsonValue = null;
  let lastVisible: JsonValue = null;
  let isPublished = true;
  /** Publishes the growth of strings that was deferred. */
  let growthTimer: Timer | undefined;

  function addChunk(content: string, noMerge = false): void {
    if (content === '') return;
    retained.addText(content);
    push({ type: 'llm_chunk', ts: timestamp(), data: { content } }, noMerge);
  }

  function release(heldBack: string): void {
    for (const chunk of cutter.add(heldBack)) addChunk(chunk);
    addChunk(cutter.flush());
  }

  function publishValue(value: JsonValue, defersGrowth: boolean): void {
    for (const event of retained.setValue(value, { defersGrowth })) {
      push(event);
      if (event.type === 'warning') onTooLarge();
    }
    if (!retained.isDeferred) stopTimer();
    else growthTimer ??= unref(setTimeout(publishGrowth, limits.growthDelayMs));
  }

  function publishGrowth(): void {
    publishValue(lastVisible, false);
  }

  function stopTimer(): void {
    clearTimeout(growthTimer);
    growthTimer = undefined;
  }

  return {
    addText(text, noMerge) {
      for (const chunk of cutter.add(redaction.text.add(text))) addChunk(chunk, noMerge);
    },
    setValue(value) {
      const { visible, complete } = redaction.partialJson(value);
      lastValue = complete;
      lastVisible = visible;
      publishValue(visible, limits.growthDelayMs > 0);
      isPublished = !retained.isDeferred && (visible === complete || jsonEquals(visible, complete));
    },
    pause: () => release(redaction.text.pause()),
    flush() {
      if (growthTimer !== undefined) publishGrowth();
    },
    end() {
      release(redaction.text.end());
      if (isPublished) return;
      isPublished = true;
      publishValue(lastValue, false);
    },
    resendEvents: (queuedUnits) => retained.resendEvents(queuedUnits),
    result: () => (mode === 'TEXT' ? retained.result() : lastValue),
  };
}
