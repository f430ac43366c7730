// The calls of a run that publish its text or its value.
import { delay } from '../async/delay.ts';
import { messageOf } from '../event/error-message.ts';
import { invalidInput } from '../event/errors.ts';
import type { ExecutionMode, JsonValue } from '../event/events.ts';
import { copyJson } from '../event/json.ts';
import type { ExecutionPublisher } from './execution-publisher.ts';
import type { RunContext } from './run-context.ts';
import { resolveSimulatedText, type SimulatedTextOptions, splitIntoChunks } from './simulated-chunks.ts';

export type ContentCalls = Pick<ExecutionPublisher, 'text' | 'simulateText' | 'value'>;

export function createContentCalls(context: RunContext): ContentCalls {
  const { kind, mode, content, lifecycle, isLate } = context;
  const { outbox } = lifecycle;

  function requireMode(required: ExecutionMode, call: string): void {
    if (kind === 'workflow') {
      throw invalidInput(`${call}: expected an agent or a task; a workflow has no text and no value`);
    }
    if (mode !== required) throw invalidInput(`${call}: expected a run of mode ${required}, got ${mode}`);
  }

  function addText(text: string, noMerge = false): Promise<void> {
    if (typeof text !== 'string') throw invalidInput(`text(): expected a string, got ${typeof text}`);
    if (isLate()) return Promise.resolve();
    content.addText(text, noMerge);
    return outbox.room();
  }

  async function addAll(texts: AsyncIterable<string>): Promise<void> {
    for await (const text of texts) await addText(text);
  }

  async function addChunks(text: string, options: SimulatedTextOptions): Promise<void> {
    if (typeof text !== 'string') {
      throw invalidInput(`simulateText(): expected a string, got ${typeof text}`);
    }
    const { delayMs } = resolveSimulatedText(options);
    for (const [i, chunk] of splitIntoChunks(text, options).entries()) {
      if (i > 0 && delayMs > 0 && lifecycle.state === 'open') await delay(delayMs, lifecycle.signal, true);
      // The rest of the text counts as one late call.
      if (lifecycle.state !== 'open') return void isLate();
      await addText(chunk, true);
    }
  }

  function setValue(value: JsonValue): void {
    try {
      content.setValue(value);
    } catch (error) {
      const message = `value: cannot be compared with the previous value: ${messageOf(error)}`;
      throw invalidInput(message, { cause: error });
    }
  }

  return {
    text(text) {
      requireMode('TEXT', 'text()');
      return typeof text === 'object' && text !== null ? addAll(text) : addText(text);
    },
    async simulateText(text, options = {}) {
      requireMode('TEXT', 'simulateText()');
      await addChunks(text, options);
    },
    value(partial) {
      requireMode('STRUCTURED', 'value()');
      const value = copyJson(partial as JsonValue, 'value');
      if (value === undefined || isLate()) return Promise.resolve();
      setValue(value);
      return outbox.room();
    },
  };
}
