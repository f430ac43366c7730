// Adapter for OpenAI's Chat Completions stream, which many other servers offer as well.
import type { ExecutionPublisher } from '../execution-publisher.ts';
import { type CollectedStream, collectStream, count, field, toError } from './stream-collector.ts';

/**
 * Publishes the chunks of a chat completion: text, and tool calls once their arguments are complete. The results of
 * tools are published by the code that runs them, with `run.toolCall()`. Only the first choice is published. The stream
 * reports usage if the request has `stream_options: { include_usage: true }`. The run is not ended.
 * @returns the collected content of the stream.
 * @throws the stream's error, or an error if the stream ends before its `finish_reason`, after everything before it has
 *   been published.
 * @example
 * ```ts
 * const stream = await openai.chat.completions.create({ model, messages, stream: true });
 * await completeWith(run, publishOpenAiChat(run, stream));
 * ```
 */
export async function publishOpenAiChat(
  run: ExecutionPublisher,
  chunks: AsyncIterable<object>,
): Promise<CollectedStream> {
  const collector = collectStream(run);
  const calls = new Map<number, { id?: unknown; name: string; args: string }>();
  let isFinished = false;
  for await (const chunk of chunks) {
    const error = field(chunk, 'error');
    if (error) throw toError(error, 'the stream failed');
    collector.model(field(chunk, 'model'));
    const usage = field(chunk, 'usage');
    if (usage) {
      collector.usage(
        field(usage, 'prompt_tokens'),
        field(usage, 'completion_tokens'),
        field(usage, 'total_tokens'),
      );
    }
    const choices = field(chunk, 'choices');
    const choice = Array.isArray(choices)
      ? choices.find((each) => count(field(each, 'index')) === 0)
      : undefined;
    const delta = field(choice, 'delta');
    // A refusal is shown to the user in place of content.
    await collector.text(field(delta, 'content') ?? field(delta, 'refusal'));
    const parts = field(delta, 'tool_calls');
    for (const part of Array.isArray(parts) ? parts : []) {
      const index = count(field(part, 'index'));
      const call = calls.get(index) ?? { name: '', args: '' };
      calls.set(index, call);
      call.id ??= field(part, 'id');
      const partial = field(part, 'function');
      call.name += field(partial, 'name') ?? '';
      call.args += field(partial, 'arguments') ?? '';
    }
    const reason = field(choice, 'finish_reason');
    if (typeof reason !== 'string') continue;
    isFinished = true;
    collector.finished(reason);
    for (const { id, name, args } of calls.values()) await collector.toolStarted(id, name, args);
    calls.clear();
  }
  if (!isFinished) throw new Error('the stream ended before its finish_reason');
  return collector.collected;
}
