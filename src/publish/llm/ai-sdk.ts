// Adapter for Vercel's AI SDK: `fullStream` (the part types of versions 4 to 6) and `partialObjectStream`.
import type { ExecutionPublisher } from '../execution-publisher.ts';
import { type CollectedStream, collectStream, field, toError } from './stream-collector.ts';

/**
 * Publishes the stream of `streamText`: text, tool calls with their results, usage. Reasoning is not published. The run
 * is not ended.
 * @returns the collected content of the stream.
 * @throws the stream's error, after everything before it has been published; an AbortError if the stream was aborted.
 * @example
 * ```ts
 * const { fullStream } = streamText({ model, prompt: 'Write a poem.' });
 * await completeWith(run, publishFullStream(run, fullStream));
 * ```
 */
export async function publishFullStream(
  run: ExecutionPublisher,
  fullStream: AsyncIterable<{ readonly type: string }>,
): Promise<CollectedStream> {
  const collector = collectStream(run);
  let failure: Error | undefined;
  /** Tokens of the finished steps. */
  let [input, output, total] = [0, 0, 0];
  for await (const part of fullStream) {
    const of = (name: string): unknown => field(part, name);
    switch (part.type) {
      case 'text-delta':
        await collector.text(of('text') ?? of('textDelta'));
        break;
      case 'tool-call':
        await collector.toolStarted(of('toolCallId'), of('toolName'), of('input') ?? of('args'));
        // The tool is unknown or its arguments are invalid. Not every version sends a result for such a call.
        if (of('invalid') === true) await collector.toolEnded(of('toolCallId'), { error: of('error') });
        break;
      case 'tool-result':
        // A preliminary result is an intermediate state.
        if (of('preliminary') === true) break;
        await collector.toolEnded(of('toolCallId'), { result: of('output') ?? of('result') });
        break;
      case 'tool-error':
        await collector.toolEnded(of('toolCallId'), { error: of('error') });
        break;
      case 'tool-output-denied':
        await collector.toolEnded(of('toolCallId'), { error: 'not approved' });
        break;
      case 'finish-step':
      case 'step-finish': {
        collector.model(field(of('response'), 'modelId'));
        const used = tokens(of('usage'));
        [input, output, total] = [input + used[0], output + used[1], total + used[2]];
        collector.usage(input, output, total);
        break;
      }
      case 'finish': {
        collector.finished(of('finishReason'));
        const used = tokens(of('totalUsage') ?? of('usage'));
        if (used[2] > 0) collector.usage(...used);
        break;
      }
      case 'error':
        failure ??= toError(of('error'), 'the stream failed');
        break;
      case 'abort':
        failure ??= aborted(of('reason'));
        break;
    }
  }
  if (failure) throw failure;
  return collector.collected;
}

/**
 * Publishes the partial objects of `streamObject` (`partialObjectStream`), or of `streamText` with an output
 * (`partialOutputStream`), on a run of mode STRUCTURED. The run is not ended.
 * @returns the last object.
 * @throws the stream's error.
 * @example
 * ```ts
 * const run = await publisher.begin({ kind: 'agent', id: 'recipe-1', mode: 'STRUCTURED' });
 * const { partialObjectStream } = streamObject({ model, schema, prompt: 'A recipe for bread.' });
 * await completeWith(run, publishPartialObjects(run, partialObjectStream));
 * ```
 */
export async function publishPartialObjects<T>(
  run: ExecutionPublisher,
  partialObjectStream: AsyncIterable<T>,
): Promise<T | undefined> {
  let last: T | undefined;
  for await (const partial of partialObjectStream) {
    last = partial;
    await run.value(partial);
  }
  return last;
}

function tokens(usage: unknown): [number, number, number] {
  const number = (...names: string[]): number => {
    const value = names.map((name) => field(usage, name)).find((each) => Number.isSafeInteger(each));
    return typeof value === 'number' ? value : 0;
  };
  const input = number('inputTokens', 'promptTokens');
  const output = number('outputTokens', 'completionTokens');
  return [input, output, number('totalTokens') || input + output];
}

function aborted(reason: unknown): Error {
  const error = toError(reason, 'the stream was aborted');
  if (error !== reason) error.name = 'AbortError';
  return error;
}
