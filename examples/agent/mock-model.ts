// A model that needs no key: it calls the tool `weather` for each city of the question, and then compares the results.
import { simulateReadableStream } from 'ai';
import { MockLanguageModelV3 } from 'ai/test';

type DoStream = MockLanguageModelV3['doStream'];
type Prompt = Parameters<DoStream>[0]['prompt'];
type Part = Awaited<ReturnType<DoStream>>['stream'] extends ReadableStream<infer P> ? P : never;

/** @param isOverloaded whether the second response breaks off with an error */
export function createMockModel(isOverloaded: boolean): MockLanguageModelV3 {
  return new MockLanguageModelV3({
    modelId: 'mock-model',
    doStream: async ({ prompt }) => {
      const results = resultsIn(prompt);
      const response = results.length === 0 ? callTools(citiesIn(prompt)) : compare(results);
      const error: Part = { type: 'error', error: new Error('the model is overloaded') };
      const isBreakingOff = isOverloaded && results.length > 0;
      const chunks = isBreakingOff ? [...response.slice(0, response.length / 2), error] : response;
      return { stream: simulateReadableStream({ chunks, chunkDelayInMs: 80 }) };
    },
  });
}

function callTools(cities: readonly string[]): Part[] {
  const calls = cities.map((city): Part => {
    const input = JSON.stringify({ city });
    return { type: 'tool-call', toolCallId: `weather-${city}`, toolName: 'weather', input };
  });
  return [
    ...words(`Let me check the weather in ${cities.join(' and ')}.\n\n`),
    ...calls,
    finish('tool-calls'),
  ];
}

function compare(results: readonly Result[]): Part[] {
  const known = results.filter((result) => typeof result !== 'string');
  const [warmest] = known.toSorted((a, b) => b.degrees - a.degrees);
  const lines = results.map((result) =>
    typeof result === 'string' ? `- ${result}\n` : `- ${result.city}: ${result.degrees} °C\n`,
  );
  const conclusion = warmest ? `It is warmest in ${warmest.city}.` : 'I do not know.';
  return [...words(`${lines.join('')}\n${conclusion}\n`), finish('stop')];
}

/** What the tool has returned, or its error. */
type Result = { readonly city: string; readonly degrees: number } | string;

function resultsIn(prompt: Prompt): Result[] {
  const parts = prompt.flatMap(({ role, content }) => (role === 'tool' ? content : []));
  return parts.flatMap((part) =>
    part.type === 'tool-result' && 'value' in part.output ? [part.output.value as Result] : [],
  );
}

function citiesIn(prompt: Prompt): string[] {
  const parts = prompt.flatMap(({ role, content }) => (role === 'user' ? content : []));
  const question = parts.map((part) => (part.type === 'text' ? part.text : '')).join(' ');
  return question.match(/(?<=\bin )\p{Lu}\p{L}+/gu) ?? [];
}

function words(text: string): Part[] {
  const deltas = text.match(/\s*\S+|\s+$/g) ?? [];
  return [
    { type: 'text-start', id: 'text' },
    ...deltas.map((delta): Part => ({ type: 'text-delta', id: 'text', delta })),
    { type: 'text-end', id: 'text' },
  ];
}

function finish(reason: 'stop' | 'tool-calls'): Part {
  return {
    type: 'finish',
    finishReason: { unified: reason, raw: reason },
    usage: {
      inputTokens: { total: 50, noCache: 50, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: 20, text: 20, reasoning: 0 },
    },
  };
}
