// Adapter for OpenAI's Responses stream.
import type { ExecutionPublisher } from '../execution-publisher.ts';
import { field } from './fields.ts';
import { callOf, outputOf } from './response-items.ts';
import {
  type CollectedStream,
  collectStream,
  type PartReader,
  type StreamCollector,
} from './stream-collector.ts';
import { abortError, partsOf, toError, unfinished } from './stream-errors.ts';

/**
 * Publishes the events of a response: text, and tool calls. The calls of tools that OpenAI runs are published with their
 * results. The results of all other tools (functions, custom tools, shell, apply_patch, computer) are published by the
 * code that runs them, with `run.toolCall()` and the ids in `collected.toolCalls`. The run is not ended.
 * @returns the collected content of the stream.
 * @throws the stream's error, or an error if the stream ends before the response is completed, after everything before
 *   it has been published; an AbortError if the stream was aborted or the response cancelled.
 * @example
 * ```ts
 * await completeWith(run, async () => {
 *   const stream = await openai.responses.create({ model, input: 'Write a poem.', stream: true });
 *   return publishOpenAiResponse(run, stream);
 * });
 * ```
 */
export async function publishOpenAiResponse(
  run: ExecutionPublisher,
  events: AsyncIterable<{ readonly type: string }>,
): Promise<CollectedStream> {
  const collector = collectStream(run);
  const reader = readResponse(collector);
  for await (const event of partsOf(events)) {
    await reader.read(event);
    if (reader.failure) throw reader.failure;
  }
  if (!reader.isFinished) throw unfinished(events, 'the stream ended before the response was completed');
  return collector.collected;
}

/** Reads the events of one response. */
export function readResponse(collector: StreamCollector): PartReader {
  let failure: Error | undefined;
  let isFinished = false;

  /** A call of a tool that OpenAI runs starts with its first event; others when their arguments are complete. */
  async function itemAdded(item: unknown): Promise<void> {
    const call = callOf(item);
    if (call?.outcome && !collector.isOpen(call.id))
      await collector.toolStarted({ ...call, args: undefined });
  }

  async function itemDone(item: unknown): Promise<void> {
    const call = callOf(item);
    if (call && !collector.isOpen(call.id)) await collector.toolStarted(call);
    if (call?.outcome) await collector.toolEnded(call, call.outcome);
    const output = outputOf(item);
    if (output?.outcome) await collector.toolEnded(output, output.outcome);
  }

  async function read(event: { readonly type: string }): Promise<void> {
    const response = field(event, 'response');
    collector.model(field(response, 'model'));
    switch (event.type) {
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        await collector.text(field(event, 'delta'));
        break;
      case 'response.output_item.added':
        await itemAdded(field(event, 'item'));
        break;
      case 'response.output_item.done':
        await itemDone(field(event, 'item'));
        break;
      case 'response.completed':
      case 'response.incomplete': {
        isFinished = true;
        const usage = field(response, 'usage');
        collector.usage(
          field(usage, 'input_tokens'),
          field(usage, 'output_tokens'),
          field(usage, 'total_tokens'),
        );
        const reason = field(field(response, 'incomplete_details'), 'reason');
        collector.finished(reason ?? field(response, 'status'));
        break;
      }
      case 'response.failed':
        failure = toError(field(response, 'error'), 'the response failed');
        break;
      case 'response.cancelled':
        failure = abortError('the response was cancelled');
        break;
      case 'error':
        failure = toError(field(event, 'error') ?? event, 'the stream failed');
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
