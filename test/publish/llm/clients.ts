// All ways to stream with the SDKs of OpenAI and Anthropic, with the beginning of a response that says "Half ".
import {
  type ExecutionPublisher,
  publishAnthropic,
  publishOpenAiChat,
  publishOpenAiResponse,
} from '../../../src/worker.ts';
import { importSdk, sse } from '../../support/model-sdks.ts';
import { chunk } from './chat-chunks.ts';
import { CHAT, createOpenAi, OPENAI_VERSIONS } from './openai.ts';

interface Options {
  readonly signal?: AbortSignal;
}
type Stream = AsyncIterable<{ readonly type: string }> & { readonly controller: AbortController };

/** One way to stream with an SDK. */
interface Client {
  readonly title: string;
  /** The body before the abort: "Half ". */
  readonly body: string;
  open(server: { url: string }, options?: Options): Promise<Stream>;
  publish(run: ExecutionPublisher, stream: Stream): Promise<unknown>;
}

const half = sse(chunk({ content: 'Half ' }));
const created = { type: 'response.created', response: { id: 'r', model: 'gpt-x', output: [] } };
const message = { type: 'message', id: 'm', role: 'assistant', content: [] };
const place = { output_index: 0, content_index: 0, item_id: 'm' };
const halfResponse = sse(
  created,
  { type: 'response.output_item.added', output_index: 0, item: message },
  { type: 'response.content_part.added', ...place, part: { type: 'output_text', text: '', annotations: [] } },
  { type: 'response.output_text.delta', ...place, delta: 'Half ' },
);
const anthropicMessage = {
  type: 'message',
  id: 'm',
  role: 'assistant',
  content: [],
  model: 'c',
  usage: { input_tokens: 1, output_tokens: 1 },
};
const halfMessage = sse(
  { type: 'message_start', message: anthropicMessage },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Half ' } },
);

export const CLIENTS: Client[] = [
  ...OPENAI_VERSIONS.flatMap((version): Client[] => [
    {
      title: `chat.completions.create of openai ${version}`,
      body: half,
      open: async (server, options) =>
        (await createOpenAi(version, server)).chat.completions.create(CHAT, options),
      publish: publishOpenAiChat,
    },
    {
      title: `chat.completions.stream of openai ${version}`,
      body: half,
      open: async (server, options) =>
        (await createOpenAi(version, server)).chat.completions.stream(CHAT, options),
      publish: publishOpenAiChat,
    },
    {
      title: `responses.create of openai ${version}`,
      body: halfResponse,
      open: async (server, options) =>
        (await createOpenAi(version, server)).responses.create(
          { model: 'gpt-x', input: 'x', stream: true },
          options,
        ),
      publish: publishOpenAiResponse,
    },
    {
      title: `responses.stream of openai ${version}`,
      body: halfResponse,
      open: async (server, options) =>
        (await createOpenAi(version, server)).responses.stream({ model: 'gpt-x', input: 'x' }, options),
      publish: publishOpenAiResponse,
    },
  ]),
  ...['0', '1'].flatMap((version) =>
    (['create', 'stream'] as const).map(
      (call): Client => ({
        title: `messages.${call} of @anthropic-ai/sdk ${version}`,
        body: halfMessage,
        async open(server, options) {
          const { default: Anthropic } = await importSdk(`anthropic-${version}`);
          const client = new Anthropic({ apiKey: 'x', baseURL: server.url, maxRetries: 0 });
          return client.messages[call](
            { model: 'c', max_tokens: 9, messages: [], ...(call === 'create' && { stream: true }) },
            options,
          );
        },
        publish: publishAnthropic,
      }),
    ),
  ),
];
