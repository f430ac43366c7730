// OpenAI's Chat Completions stream, and those of the many servers that speak it, into a run.
import type { ExecutionPublisher } from '../execution-publisher.ts';
import { type CollectedStream, collectStream, count, field, toError } from './stream-collector.ts';

/**
 * Publishes the chunks of a chat completion: text, and tool calls once their arguments are whole. Whoever runs the
 * tools tells their ends by `run.toolCall()`. Only the first choice is published. Usage comes where the request has
 * `stream_options: { include_usage: true }`.
 *
 *   await publishOpenAiChat(run, await openai.chat.completions.create({ …, stream: true }));
 *
 * @returns what was gathered; the run is not ended.
 * @throws the stream's error, or one that says that it broke off, after all that came is published.
 */
export async function publishOpenAiChat(
  run: ExecutionPublisher,
  chunks: AsyncIterable<object>,
): Promise<CollectedStream> {
  const gathering = collectStream(run);
  const calls = new Map<number, { id?: unknown; name: string; args: string }>();
  let isFinished = false;
  for await (const chunk of chunks) {
    const error = field(chunk, 'error');
    if (error) throw toError(error, 'the stream failed');
    gathering.model(field(chunk, 'model'));
    const usage = field(chunk, 'usage');
    if (usage) {
      gathering.usage(
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
    // A refusal is what the user is shown instead of an answer.
    await gathering.text(field(delta, 'content') ?? field(delta, 'refusal'));
    const parts = field(delta, 'tool_calls');
    for (const part of Array.isArray(parts) ? parts : []) {
      const index = count(field(part, 'index'));
      const call = calls.get(index) ?? { name: '', args: '' };
      calls.set(index, call);
      call.id ??= field(part, 'id');
      const called = field(part, 'function');
      call.name += field(called, 'name') ?? '';
      call.args += field(called, 'arguments') ?? '';
    }
    const reason = field(choice, 'finish_reason');
    if (typeof reason !== 'string') continue;
    isFinished = true;
    gathering.finished(reason);
    for (const { id, name, args } of calls.values()) await gathering.toolStarted(id, name, args);
    calls.clear();
  }
  if (!isFinished) throw new Error('the stream broke off before its finish_reason');
  return gathering.gathered;
}
