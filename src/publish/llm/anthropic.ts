// Adapter for Anthropic's Messages stream.
import type { ExecutionPublisher } from '../execution-publisher.ts';
import { count, field } from './fields.ts';
import { type CollectedStream, collectStream } from './stream-collector.ts';
import { partsOf, toError, unfinished } from './stream-errors.ts';
import { parseArguments } from './tool-calls.ts';

/**
 * Publishes the events of a message: text, tool calls once their input is complete, and the results of tools that the
 * provider runs. The results of all other tools are published by the code that runs them, with `run.toolCall()` and the
 * ids in `collected.toolCalls`. Thinking is not published. The run is not ended.
 * @returns the collected content of the stream.
 * @throws the stream's error, or an error if the stream ends before `message_stop`, after everything before it has been
 *   published; an AbortError if the stream was aborted.
 * @example
 * ```ts
 * await completeWith(run, () => {
 *   const stream = anthropic.messages.stream({ model, max_tokens: 1_000, messages });
 *   return publishAnthropic(run, stream);
 * });
 * ```
 */
export async function publishAnthropic(
  run: ExecutionPublisher,
  events: AsyncIterable<{ readonly type: string }>,
): Promise<CollectedStream> {
  const collector = collectStream(run);
  const calls = new Map<unknown, { block: unknown; json: string }>();
  let isFinished = false;
  let input = 0;
  let output = 0;

  /** Counts are totals of the message so far. Tokens read from or written to the cache are input as well. */
  function recordUsage(usage: unknown): void {
    const parts = ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'];
    const reported = parts.reduce((sum, name) => sum + count(field(usage, name)), 0);
    input = Math.max(input, reported);
    output = Math.max(output, count(field(usage, 'output_tokens')));
    collector.usage(input, output);
  }

  for await (const event of partsOf(events)) {
    const index = field(event, 'index');
    const delta = field(event, 'delta');
    switch (event.type) {
      case 'message_start':
        collector.model(field(field(event, 'message'), 'model'));
        recordUsage(field(field(event, 'message'), 'usage'));
        break;
      case 'content_block_start': {
        const block = field(event, 'content_block');
        const kind = String(field(block, 'type'));
        if (kind === 'text') await collector.text(field(block, 'text'));
        else if (kind.endsWith('tool_use')) calls.set(index, { block, json: '' });
        else if (kind.endsWith('tool_result')) await toolResult(block);
        // Another model continues where the first one declined.
        else if (kind === 'fallback') collector.model(field(field(block, 'to'), 'model'));
        break;
      }
      case 'content_block_delta': {
        const call = calls.get(index);
        if (field(delta, 'type') === 'text_delta') await collector.text(field(delta, 'text'));
        else if (call && field(delta, 'type') === 'input_json_delta')
          call.json += field(delta, 'partial_json');
        break;
      }
      case 'content_block_stop': {
        const call = calls.get(index);
        calls.delete(index);
        if (!call) break;
        const args = call.json === '' ? field(call.block, 'input') : parseArguments(call.json);
        await collector.toolStarted({ id: field(call.block, 'id'), name: field(call.block, 'name'), args });
        break;
      }
      case 'message_delta':
        collector.finished(field(delta, 'stop_reason'));
        recordUsage(field(event, 'usage'));
        break;
      case 'message_stop':
        isFinished = true;
        break;
      case 'error':
        throw toError(field(event, 'error'), 'the stream failed');
    }
  }
  if (!isFinished) throw unfinished(events, 'the stream ended before message_stop');
  return collector.collected;

  /** The end of a call of a tool that the provider runs, which may have started in the previous stream of the run. */
  async function toolResult(block: unknown): Promise<void> {
    const content = field(block, 'content');
    const isError = field(block, 'is_error') === true || field(content, 'error_code') !== undefined;
    const name = String(field(block, 'type')).replace(/_tool_result$/, '');
    const call = { id: field(block, 'tool_use_id'), name };
    await collector.toolEnded(call, isError ? { error: content } : { result: content });
  }
}
