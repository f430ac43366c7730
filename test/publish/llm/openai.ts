// The versions of OpenAI's SDK, and a client of each for a server that replays responses.
import { importSdk } from '../../support/model-sdks.ts';

export const OPENAI_VERSIONS = ['5', '6', '7'] as const;
export type OpenAiVersion = (typeof OPENAI_VERSIONS)[number];

export async function createOpenAi(version: OpenAiVersion, server: { url: string }) {
  const { default: OpenAI } = await importSdk(`openai-${version}`);
  return new OpenAI({ apiKey: 'x', baseURL: server.url, maxRetries: 0 });
}

/** A request for a chat completion. */
export const CHAT = { model: 'gpt-x', messages: [], stream: true };
