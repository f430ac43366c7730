// Chunks of chat completions, as OpenAI's API sends them.

interface Called {
  index?: number;
  id?: string;
  name?: string;
  args?: unknown;
}

export const DONE = 'data: [DONE]\n\n';

export function chunk(delta: object, finish_reason: string | null = null) {
  const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt-x' };
  return { ...head, choices: [{ index: 0, delta, finish_reason }] };
}

/** A part of a tool call; fields that are not given are absent. */
export function called({ index, id, name, args }: Called, finishReason?: string) {
  const part = {
    ...(index !== undefined && { index }),
    ...(id !== undefined && { id }),
    type: 'function',
    function: { ...(name !== undefined && { name }), ...(args !== undefined && { arguments: args }) },
  };
  return chunk({ tool_calls: [part] }, finishReason);
}

/** The end of a stream: the finish reason, the usage, and the message that ends it. */
export function finished(reason: string): (object | string)[] {
  const usage = { prompt_tokens: 8, completion_tokens: 9, total_tokens: 17 };
  return [chunk({}, reason), { ...chunk({}), choices: [], usage }, DONE];
}

/** A stream of text. */
export function said(...deltas: string[]): (object | string)[] {
  return [...deltas.map((content) => chunk({ content })), ...finished('stop')];
}
