// Anthropic's Messages stream into a run.
import type { ExecutionPublisher } from '../execution-publisher.ts';
import { type CollectedStream, collectStream, count, field, toError } from './stream-collector.ts';

/**
 * Publishes the events of a message: text, tool calls once their input is whole, and the ends of those that the
 * provider runs. Whoever runs the others tells their ends by `run.toolCall()`. Thinking is not published.
 *
 *   await publishAnthropic(run, anthropic.messages.stream({ … }));
 *
 * @returns what was gathered; the run is not ended.
 * @throws the stream's error, or one that says that it broke off, after all that came is published.
 */
export async function publishAnthropic(
  run: ExecutionPublisher,
  events: AsyncIterable<{ readonly type: string }>,
): Promise<CollectedStream> {
  const gathering = collectStream(run);
  const calls = new Map<unknown, { block: unknown; json: string }>();
  let isFinished = false;
  let input = 0;
  let output = 0;

  /** Counts are of the message so far; what the cache read or wrote is input too. */
  function note(usage: unknown): void {
    const parts = ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'];
    const told = parts.reduce((sum, name) => sum + count(field(usage, name)), 0);
    input = Math.max(input, told);
    output = Math.max(output, count(field(usage, 'output_tokens')));
    gathering.usage(input, output);
  }

  for await (const event of events) {
    const index = field(event, 'index');
    const delta = field(event, 'delta');
    switch (event.type) {
      case 'message_start':
        gathering.model(field(field(event, 'message'), 'model'));
        note(field(field(event, 'message'), 'usage'));
        break;
      case 'content_block_start': {
        const block = field(event, 'content_block');
        const kind = String(field(block, 'type'));
        if (kind === 'text') await gathering.text(field(block, 'text'));
        else if (kind.endsWith('tool_use')) calls.set(index, { block, json: '' });
        else if (kind.endsWith('tool_result')) await toolResult(block);
        break;
      }
      case 'content_block_delta': {
        const call = calls.get(index);
        if (field(delta, 'type') === 'text_delta') await gathering.text(field(delta, 'text'));
        else if (call && field(delta, 'type') === 'input_json_delta')
          call.json += field(delta, 'partial_json');
        break;
      }
      case 'content_block_stop': {
        const call = calls.get(index);
        calls.delete(index);
        if (!call) break;
        const args = call.json === '' ? field(call.block, 'input') : call.json;
        await gathering.toolStarted(field(call.block, 'id'), field(call.block, 'name'), args);
        break;
      }
      case 'message_delta':
        gathering.finished(field(delta, 'stop_reason'));
        note(field(event, 'usage'));
        break;
      case 'message_stop':
        isFinished = true;
        break;
      case 'error':
        throw toError(field(event, 'error'), 'the stream failed');
    }
  }
  if (!isFinished) throw new Error('the stream broke off before message_stop');
  return gathering.gathered;

  async function toolResult(block: unknown): Promise<void> {
    const content = field(block, 'content');
    const error = field(content, 'error_code');
    const isError = error !== undefined || field(block, 'is_error') === true;
    const outcome = isError ? { error: error ?? content } : { result: content };
    await gathering.toolEnded(field(block, 'tool_use_id'), outcome);
  }
}
