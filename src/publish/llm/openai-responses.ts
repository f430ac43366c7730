// OpenAI's Responses stream into a run.
import type { ExecutionPublisher } from '../execution-publisher.ts';
import { type CollectedStream, collectStream, field, toError } from './stream-collector.ts';

/**
 * Publishes the events of a response: text, function calls once their arguments are whole, and the calls of hosted
 * tools with their ends. Whoever runs the functions tells their ends by `run.toolCall()`.
 *
 *   await publishOpenAiResponse(run, await openai.responses.create({ …, stream: true }));
 *
 * @returns what was gathered; the run is not ended.
 * @throws the stream's error, or one that says that it broke off, after all that came is published.
 */
export async function publishOpenAiResponse(
  run: ExecutionPublisher,
  events: AsyncIterable<{ readonly type: string }>,
): Promise<CollectedStream> {
  const gathering = collectStream(run);
  let isFinished = false;
  for await (const event of events) {
    const response = field(event, 'response');
    const item = field(event, 'item');
    gathering.model(field(response, 'model'));
    switch (event.type) {
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        await gathering.text(field(event, 'delta'));
        break;
      case 'response.output_item.added':
        if (isHosted(item)) await gathering.toolStarted(field(item, 'id'), nameOf(item), undefined);
        break;
      case 'response.output_item.done': {
        const kind = field(item, 'type');
        if (kind === 'function_call') {
          await gathering.toolStarted(field(item, 'call_id'), field(item, 'name'), field(item, 'arguments'));
        } else if (kind === 'custom_tool_call') {
          await gathering.toolStarted(field(item, 'call_id'), field(item, 'name'), field(item, 'input'));
        } else if (isHosted(item)) {
          await gathering.toolStarted(field(item, 'id'), nameOf(item), undefined);
          const error = field(item, 'error') ?? (field(item, 'status') === 'failed' ? 'failed' : undefined);
          await gathering.toolEnded(field(item, 'id'), error ? { error } : { result: field(item, 'output') });
        }
        break;
      }
      case 'response.completed':
      case 'response.incomplete': {
        isFinished = true;
        const usage = field(response, 'usage');
        gathering.usage(
          field(usage, 'input_tokens'),
          field(usage, 'output_tokens'),
          field(usage, 'total_tokens'),
        );
        const reason = field(field(response, 'incomplete_details'), 'reason');
        gathering.finished(reason ?? field(response, 'status'));
        break;
      }
      case 'response.failed':
        throw toError(field(response, 'error'), 'the response failed');
      case 'error':
        throw toError(field(event, 'error') ?? event, 'the stream failed');
    }
  }
  if (!isFinished) throw new Error('the stream broke off before the response was completed');
  return gathering.gathered;
}

/** Whether an item is the call of a tool that the provider runs: web_search_call, mcp_call, … */
function isHosted(item: unknown): boolean {
  const kind = field(item, 'type');
  return (
    typeof kind === 'string' && /_call$/.test(kind) && !['function_call', 'custom_tool_call'].includes(kind)
  );
}

function nameOf(item: unknown): unknown {
  return field(item, 'name') ?? String(field(item, 'type')).replace(/_call$/, '');
}
