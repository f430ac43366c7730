// Adapter for OpenAI's Chat Completions stream, which many other servers offer as well.
import type { ExecutionPublisher } from '../execution-publisher.ts';
import { createCallAssembler } from './chat-tool-calls.ts';
import { count, field } from './fields.ts';
import { type CollectedStream, collectStream } from './stream-collector.ts';
import { partsOf, toError, unfinished } from './stream-errors.ts';
import { parseArguments } from './tool-calls.ts';

/** Finish reasons of servers whose model failed: OpenRouter and Mistral, vLLM, DeepSeek, Zhipu. */
const FAILURES: readonly string[] = ['error', 'abort', 'insufficient_system_resource', 'network_error'];

/**
 * Publishes the chunks of a chat completion: text, and tool calls once their arguments are complete. The results of
 * tools are published by the code that runs them, with `run.toolCall()` and the ids in `collected.toolCalls`. Only the
 * first choice is published. The stream reports usage if the request has `stream_options: { include_usage: true }`. The
 * run is not ended.
 * @returns the collected content of the stream.
 * @throws the stream's error, or an error if the stream ends before its `finish_reason`, after everything before it has
 *   been published; an AbortError if the stream was aborted.
 * @example
 * ```ts
 * await completeWith(run, async () => {
 *   const stream = await openai.chat.completions.create({ model, messages, stream: true });
 *   return publishOpenAiChat(run, stream);
 * });
 * ```
 */
export async function publishOpenAiChat(
  run: ExecutionPublisher,
  chunks: AsyncIterable<object>,
): Promise<CollectedStream> {
  const collector = collectStream(run);
  const calls = createCallAssembler();
  let isFinished = false;

  async function publishCalls(): Promise<void> {
    for (const { id, name, args } of calls.take()) {
      await collector.toolStarted({ id, name, args: parseArguments(args) });
    }
  }

  for await (const chunk of partsOf(chunks)) {
    const choices = field(chunk, 'choices');
    const choice = Array.isArray(choices)
      ? choices.find((each) => count(field(each, 'index')) === 0)
      : undefined;
    const error = errorOf(chunk) ?? field(choice, 'error');
    if (error) throw toError(error, 'the stream failed');
    collector.model(field(chunk, 'model'));
    const usage = field(chunk, 'usage') ?? field(field(chunk, 'x_groq'), 'usage');
    if (usage) {
      collector.usage(
        field(usage, 'prompt_tokens'),
        field(usage, 'completion_tokens'),
        field(usage, 'total_tokens'),
      );
    }
    const delta = field(choice, 'delta');
    await collector.text(textOf(field(delta, 'content')));
    // A refusal is shown to the user in place of content.
    await collector.text(field(delta, 'refusal'));
    const parts = field(delta, 'tool_calls');
    for (const part of Array.isArray(parts) ? parts : []) calls.add(part);
    // The predecessor of tool calls, which some servers still use.
    if (field(delta, 'function_call')) calls.add({ function: field(delta, 'function_call') });
    const reason = field(choice, 'finish_reason');
    // Some servers send an empty reason until the model has finished.
    if (typeof reason !== 'string' || reason === '') continue;
    if (FAILURES.includes(reason)) throw new Error(`the model stopped with the finish_reason ${reason}`);
    isFinished = true;
    collector.finished(reason);
    await publishCalls();
  }
  if (!isFinished) throw unfinished(chunks, 'the stream ended before its finish_reason');
  // Calls that follow the finish_reason.
  await publishCalls();
  return collector.collected;
}

/** An error between the chunks: OpenAI's form, that of vLLM, and that of Groq. */
function errorOf(chunk: object): unknown {
  const isError = field(chunk, 'object') === 'error';
  return field(chunk, 'error') ?? field(field(chunk, 'x_groq'), 'error') ?? (isError ? chunk : undefined);
}

/** The text of a content: a string, or a list of parts, of which those with the model's thinking are not published. */
function textOf(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  const texts = content.map((part) => (typeof part === 'string' ? part : textOfPart(part)));
  return texts.filter((text) => typeof text === 'string').join('');
}

function textOfPart(part: unknown): unknown {
  const isText = ['text', 'output_text', undefined].includes(field(part, 'type') as string | undefined);
  return isText ? field(part, 'text') : field(part, 'refusal');
}
