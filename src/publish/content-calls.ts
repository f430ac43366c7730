// The calls of a run that publish its text or its value.
import { delay } from '../async/delay.ts';
import { messageOf } from '../event/error-message.ts';
import { invalidInput } from '../event/errors.ts';
import type { ExecutionMode, JsonValue } from '../event/events.ts';
import { copyJson } from '../event/json.ts';
import type { ExecutionPublisher } from './execution-publisher.ts';
import { isAsyncIterable } from './noop-run.ts';
import type { RunContext } from './run-context.ts';
import { resolveSimulatedText, type SimulatedTextOptions, splitIntoChunks } from './simulated-chunks.ts';

export type ContentCalls = Pick<ExecutionPublisher, 'text' | 'simulateText' | 'value'>;

export function createContentCalls(context: RunContext): ContentCalls {
  const { kind, mode, content, lifecycle, isLate, guard, accepted } = context;

  function requireMode(required: ExecutionMode, call: string): void {
    if (kind === 'workflow') {
      throw invalidInput(`${call}: expected an agent or a task; a workflow has no text and no value`);
    }
    if (mode !== required) throw invalidInput(`${call}: expected a run of mode ${required}, got ${mode}`);
  }

  function addText(text: string, noMerge = false): Promise<boolean> {
    requireMode('TEXT', 'text()');
    if (typeof text !== 'string') throw invalidInput(`text(): expected a string, got ${typeof text}`);
    if (isLate()) return Promise.resolve(false);
    content.addText(text, noMerge);
    return accepted();
  }

  /** The error of the iterable is one of the work, and is not guarded. */
  async function addAll(texts: AsyncIterable<string>): Promise<boolean> {
    let isPublished = true;
    for await (const text of texts) {
      const isAdded = await guard('text()', () => addText(text));
      isPublished &&= isAdded;
    }
    return isPublished;
  }

  async function addChunks(text: string, given: SimulatedTextOptions): Promise<boolean> {
    requireMode('TEXT', 'simulateText()');
    if (typeof text !== 'string') {
      throw invalidInput(`simulateText(): expected a string, got ${typeof text}`);
    }
    const options = resolveSimulatedText(given);
    for (const [i, chunk] of splitIntoChunks(text, options).entries()) {
      if (i > 0 && options.delayMs > 0 && lifecycle.state === 'open') {
        await delay(options.delayMs, lifecycle.signal, true);
      }
      // The rest of the text counts as one late call.
      if (lifecycle.state !== 'open') return !isLate();
      await addText(chunk, true);
    }
    return true;
  }

  function setValue(partial: unknown): Promise<boolean> {
    requireMode('STRUCTURED', 'value()');
    const value = copyJson(partial as JsonValue, 'value');
    if (value === undefined || isLate()) return Promise.resolve(false);
    try {
      content.setValue(value);
    } catch (error) {
      const message = `value: cannot be compared with the previous value: ${messageOf(error)}`;
      throw invalidInput(message, { cause: error });
    }
    return accepted();
  }

  return {
    text(text) {
      return isAsyncIterable(text) ? addAll(text) : guard('text()', () => addText(text));
    },
    simulateText: (text, options = {}) => guard('simulateText()', async () => addChunks(text, options)),
    value: (partial) => guard('value()', () => setValue(partial)),
  };
}
