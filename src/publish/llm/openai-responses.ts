// Adapter for OpenAI's Responses stream.
import type { ExecutionPublisher } from '../execution-publisher.ts';
import { type CollectedStream, collectStream, field, toError } from './stream-collector.ts';

/**
 * Publishes the events of a response: text, function calls once their arguments are complete, and the calls of hosted
 * tools with their results. The results of functions are published by the code that runs them, with `run.toolCall()`.
 * The run is not ended.
 * @returns the collected content of the stream.
 * @throws the stream's error, or an error if the stream ends before the response is completed, after everything before
 *   it has been published.
 * @example
 * ```ts
 * const stream = await openai.responses.create({ model, input: 'Write a poem.', stream: true });
 * await completeWith(run, publishOpenAiResponse(run, stream));
 * ```
 */
export async function publishOpenAiResponse(
  run: ExecutionPublisher,
  events: AsyncIterable<{ readonly type: string }>,
): Promise<CollectedStream> {
  const collector = collectStream(run);
  let isFinished = false;
  for await (const event of events) {
    const response = field(event, 'response');
    const item = field(event, 'item');
    collector.model(field(response, 'model'));
    switch (event.type) {
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        await collector.text(field(event, 'delta'));
        break;
      case 'response.output_item.added':
        if (isHosted(item)) await collector.toolStarted(field(item, 'id'), nameOf(item), undefined);
        break;
      case 'response.output_item.done': {
        const kind = field(item, 'type');
        if (kind === 'function_call') {
          await collector.toolStarted(field(item, 'call_id'), field(item, 'name'), field(item, 'arguments'));
        } else if (kind === 'custom_tool_call') {
          await collector.toolStarted(field(item, 'call_id'), field(item, 'name'), field(item, 'input'));
        } else if (isHosted(item)) {
          await collector.toolStarted(field(item, 'id'), nameOf(item), undefined);
          const error = field(item, 'error') ?? (field(item, 'status') === 'failed' ? 'failed' : undefined);
          await collector.toolEnded(field(item, 'id'), error ? { error } : { result: field(item, 'output') });
        }
        break;
      }
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
        throw toError(field(response, 'error'), 'the response failed');
      case 'error':
        throw toError(field(event, 'error') ?? event, 'the stream failed');
    }
  }
  if (!isFinished) throw new Error('the stream ended before the response was completed');
  return collector.collected;
}

/** Whether an item is a call of a tool that the provider runs: web_search_call, mcp_call, … */
function isHosted(item: unknown): boolean {
  const kind = field(item, 'type');
  return (
    typeof kind === 'string' && /_call$/.test(kind) && !['function_call', 'custom_tool_call'].includes(kind)
  );
}

function nameOf(item: unknown): unknown {
  return field(item, 'name') ?? String(field(item, 'type')).replace(/_call$/, '');
}
