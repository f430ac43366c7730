// The versions of the AI SDK, with their OpenAI provider.
import { importSdk } from '../../support/model-sdks.ts';

export const AI_SDK_VERSIONS = ['5', '6', '7'] as const;

/** The module of a version, and options of its calls with a model of the server. */
export async function loadAiSdk(version: (typeof AI_SDK_VERSIONS)[number], server: { url: string }) {
  const ai = await importSdk(`ai-${version}`);
  const { createOpenAI } = await importSdk(`ai-${version}-openai`);
  const model = createOpenAI({ apiKey: 'x', baseURL: server.url }).chat('gpt-x');
  return { ai, options: { model, prompt: 'x', maxRetries: 0, onError: () => {} } };
}
