// Vercel's AI SDK into a run: `fullStream` (the part types of versions 4 to 6) and `partialObjectStream`.
import type { ExecutionPublisher } from '../execution-publisher.ts';
import { type CollectedStream, collectStream, field, toError } from './stream-collector.ts';

/**
 * Publishes what `streamText` gives: text, tool calls with their ends, usage. Reasoning is not published.
 *
 *   await publishFullStream(run, streamText({ … }).fullStream);
 *
 * @returns what was gathered; the run is not ended.
 * @throws the stream's error, after all that came is published; an AbortError where it was aborted.
 */
export async function publishFullStream(
  run: ExecutionPublisher,
  fullStream: AsyncIterable<{ readonly type: string }>,
): Promise<CollectedStream> {
  const gathering = collectStream(run);
  let failure: Error | undefined;
  /** Of the steps that have finished. */
  let [input, output, total] = [0, 0, 0];
  for await (const part of fullStream) {
    const of = (name: string): unknown => field(part, name);
    switch (part.type) {
      case 'text-delta':
        await gathering.text(of('text') ?? of('textDelta'));
        break;
      case 'tool-call':
        await gathering.toolStarted(of('toolCallId'), of('toolName'), of('input') ?? of('args'));
        // A call that names no tool or has wrong arguments; no result follows in every version.
        if (of('invalid') === true) await gathering.toolEnded(of('toolCallId'), { error: of('error') });
        break;
      case 'tool-result':
        // A preliminary one is a state on the way.
        if (of('preliminary') === true) break;
        await gathering.toolEnded(of('toolCallId'), { result: of('output') ?? of('result') });
        break;
      case 'tool-error':
        await gathering.toolEnded(of('toolCallId'), { error: of('error') });
        break;
      case 'tool-output-denied':
        await gathering.toolEnded(of('toolCallId'), { error: 'not approved' });
        break;
      case 'finish-step':
      case 'step-finish': {
        gathering.model(field(of('response'), 'modelId'));
        const used = tokens(of('usage'));
        [input, output, total] = [input + used[0], output + used[1], total + used[2]];
        gathering.usage(input, output, total);
        break;
      }
      case 'finish': {
        gathering.finished(of('finishReason'));
        const used = tokens(of('totalUsage') ?? of('usage'));
        if (used[2] > 0) gathering.usage(...used);
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
  return gathering.gathered;
}

/**
 * Publishes the partial objects of `streamObject` (`partialObjectStream`), or of `streamText` with an output
 * (`partialOutputStream`), on a run of mode STRUCTURED.
 * @returns the last one; the run is not ended.
 * @throws the stream's error.
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
