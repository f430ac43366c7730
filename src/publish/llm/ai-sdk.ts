// Adapter for Vercel's AI SDK: the parts of `fullStream` and `stream`, of versions 4 to 7.
import type { ExecutionPublisher } from '../execution-publisher.ts';
import { field } from './fields.ts';
import {
  type CollectedStream,
  collectStream,
  type PartReader,
  type StreamCollector,
} from './stream-collector.ts';
import { abortError, partsOf, toError, unfinished } from './stream-errors.ts';
import { denialOf, type ReportedCall, type ToolOutcome } from './tool-calls.ts';

/**
 * Publishes the stream of `streamText`: text, tool calls with their results, usage. Reasoning is not published. The run
 * is not ended.
 *
 * Do not publish `textStream` instead: it ends without an error when the model fails.
 * @param fullStream `fullStream`, or `stream` of version 7.
 * @returns the collected content of the stream.
 * @throws the stream's error, or an error if the model did not finish, after everything before it has been published;
 *   an AbortError if the stream was aborted.
 * @example
 * ```ts
 * await completeWith(run, () => {
 *   const { fullStream } = streamText({ model, prompt: 'Write a poem.' });
 *   return publishFullStream(run, fullStream);
 * });
 * ```
 */
export async function publishFullStream(
  run: ExecutionPublisher,
  fullStream: AsyncIterable<{ readonly type: string }>,
): Promise<CollectedStream> {
  const collector = collectStream(run);
  const reader = readFullStream(collector);
  for await (const part of partsOf(fullStream)) await reader.read(part);
  if (reader.failure) throw reader.failure;
  if (!reader.isFinished) throw unfinished(fullStream, 'the stream ended before its finish part');
  return collector.collected;
}

/** Reads the parts of one stream. A failure does not end the reading: the last part has the usage. */
export function readFullStream(collector: StreamCollector): PartReader {
  let failure: Error | undefined;
  let isFinished = false;
  /** Tokens of the finished steps. */
  let [input, output, total] = [0, 0, 0];

  async function read(part: { readonly type: string }): Promise<void> {
    const of = (name: string): unknown => field(part, name);
    switch (part.type) {
      case 'text-delta':
        await collector.text(either(part, 'text', 'textDelta'));
        break;
      case 'tool-call':
        await collector.toolStarted(callOf(part));
        // The tool is unknown or its arguments are invalid. Not every version sends a result for such a call.
        if (of('invalid') === true) await collector.toolEnded(callOf(part), { error: of('error') });
        break;
      case 'tool-result':
        // A preliminary result is an intermediate state.
        if (of('preliminary') === true) break;
        await collector.toolEnded(callOf(part), outcomeOf(either(part, 'output', 'result')));
        break;
      case 'tool-error':
        await collector.toolEnded(callOf(part), { error: of('error') });
        break;
      case 'tool-approval-response':
        if (of('approved') !== false) break;
        await collector.toolEnded(callOf(of('toolCall')), { error: denialOf(of('reason')) });
        break;
      case 'tool-output-denied':
        await collector.toolEnded(callOf(part), { error: denialOf(undefined) });
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
        isFinished = true;
        collector.finished(of('finishReason'));
        const used = tokens(either(part, 'totalUsage', 'usage'));
        if (used[2] > 0) collector.usage(...used);
        failure ??= failureOf(part);
        break;
      }
      case 'error':
        failure ??= toError(of('error'), 'the stream failed');
        break;
      case 'abort':
        failure ??= abortError(of('reason'));
        break;
    }
  }

  return {
    read,
    get failure() {
      return failure;
    },
    get isFinished() {
      return isFinished;
    },
  };
}

/** The failure that a finish reason means, if any. Providers also finish a stream that broke off. */
export function failureOf(finish: object): Error | undefined {
  const reason = field(finish, 'finishReason');
  if (reason === 'error') return new Error('the model failed');
  // A stream that broke off: `interrupted` in version 7, `other` without a reason of the provider in version 6, `unknown`
  // before.
  const isOther = reason === 'other' && 'rawFinishReason' in finish && !finish.rawFinishReason;
  if (!isOther && reason !== 'interrupted' && reason !== 'unknown') return undefined;
  return new Error('the stream ended before the model gave a finish reason');
}

/** Input, output and total tokens. */
export function tokens(usage: unknown): [number, number, number] {
  const number = (...names: string[]): number => {
    const value = names.map((name) => field(usage, name)).find((each) => Number.isSafeInteger(each));
    return typeof value === 'number' ? value : 0;
  };
  const input = number('inputTokens', 'promptTokens');
  const output = number('outputTokens', 'completionTokens');
  return [input, output, number('totalTokens') || input + output];
}

function callOf(part: unknown): ReportedCall {
  return {
    id: field(part, 'toolCallId'),
    name: field(part, 'toolName'),
    args: either(part, 'input', 'args'),
  };
}

/** The outcome of a call. The tools of MCP servers return their errors. */
function outcomeOf(result: unknown): ToolOutcome {
  const isMcpError = field(result, 'isError') === true && Array.isArray(field(result, 'content'));
  return isMcpError ? { error: result } : { result };
}

/** A field that older versions call differently. Null is a value. */
function either(part: unknown, name: string, oldName: string): unknown {
  const value = field(part, name);
  return value === undefined ? field(part, oldName) : value;
}
