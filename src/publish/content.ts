// A run's text or value on its way to the outbox: redacted first, then cut, held, and published.
//
// Invariants:
// 1. What is held is what was published: a `reset` says the same again, and the default result is what chunks and
//    deltas add up to.
// 2. Nothing is kept behind while something else is said: `pause()` comes before every other event, `end()` before
//    the last one.
import { type ExecutionMode, type JsonValue, type NewEvent, timestamp } from '../event/events.ts';
import { jsonEquals } from '../event/json.ts';
import { createTextCutter } from '../event/text.ts';
import type { Redaction } from '../redact/redaction.ts';
import type { PublisherLimits } from './limits.ts';
import { createTextState, createValueState } from './resend-state.ts';

export interface ContentOptions {
  readonly mode: ExecutionMode;
  readonly limits: PublisherLimits;
  readonly redaction: Redaction;
  push(event: NewEvent, apart?: boolean): void;
  /** A last value could not be published whole, as the one before it. */
  onNotWhole(error: unknown): void;
}

export interface Content {
  addText(text: string, apart?: boolean): void;
  /**
   * Publishes a value, a copy that nobody else changes.
   * @throws ExecstreamError `EVENT_TOO_LARGE`; then the value published before stands, and this one is the result.
   */
  setValue(value: JsonValue): void;
  /** Lets out what redaction and cutter keep behind, for something else comes now. */
  pause(): void;
  /** Lets out what is kept behind: nothing follows. */
  end(): void;
  /** See Held. */
  again(queuedUnits: number): NewEvent[];
  /** The whole text or value; undefined where the text was too long to be kept. */
  result(): JsonValue | undefined;
}

export function createContent({ mode, limits, redaction, push, onNotWhole }: ContentOptions): Content {
  const held = mode === 'TEXT' ? createTextState(limits) : createValueState(limits);
  const cutter = createTextCutter();
  /** What the value is if it stays as it is: what is shown of it may lack the ends of strings. */
  let lastValue: JsonValue = null;
  let isShownWhole = true;

  function addChunk(content: string, apart = false): void {
    if (content === '') return;
    held.addText(content);
    push({ type: 'llm_chunk', ts: timestamp(), data: { content } }, apart);
  }

  function letOut(rest: string): void {
    for (const chunk of cutter.add(rest)) addChunk(chunk);
    addChunk(cutter.flush());
  }

  return {
    addText(text, apart) {
      for (const chunk of cutter.add(redaction.text.add(text))) addChunk(chunk, apart);
    },
    setValue(value) {
      const { now, whole } = redaction.growing(value);
      lastValue = whole;
      isShownWhole = now === whole || jsonEquals(now, whole);
      for (const event of held.setValue(now)) push(event);
    },
    pause: () => letOut(redaction.text.pause()),
    end() {
      letOut(redaction.text.end());
      if (isShownWhole) return;
      isShownWhole = true;
      try {
        for (const event of held.setValue(lastValue)) push(event);
      } catch (error) {
        onNotWhole(error);
      }
    },
    again: (queuedUnits) => held.resendEvents(queuedUnits),
    result: () => (mode === 'TEXT' ? held.result() : lastValue),
  };
}
