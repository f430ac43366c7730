// The texts and failures that OpenAI and other servers with its API send in chat completions.
import { type Replay, sse } from '../../support/model-sdks.ts';
import { chunk, DONE, finished, said } from './chat-chunks.ts';

/** Streams of text. */
export const TEXTS: [string, (object | string)[], string][] = [
  ['of OpenAI', said('Hel', 'lo'), 'Hello'],
  [
    'with an empty finish_reason in every chunk',
    [chunk({ content: 'Hel' }, ''), chunk({ content: 'lo' }, ''), ...finished('stop')],
    'Hello',
  ],
  [
    'as lists of parts',
    [
      chunk({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] }] }),
      chunk({
        content: [
          { type: 'text', text: 'Hel' },
          { type: 'text', text: 'lo' },
        ],
      }),
      ...finished('stop'),
    ],
    'Hello',
  ],
  [
    'with reasoning, a role, null and empty fields',
    [
      chunk({ role: 'assistant', content: null, reasoning_content: 'Hm.', tool_calls: null }),
      chunk({ content: 'Hello', reasoning: 'Hm.', tool_calls: [] }),
      { ...chunk({}), choices: null },
      ...finished('stop'),
    ],
    'Hello',
  ],
  [
    'that is declined',
    [
      chunk({ content: '', refusal: 'I can' }),
      chunk({ content: null, refusal: 'not.' }),
      ...finished('stop'),
    ],
    'I cannot.',
  ],
  [
    'that is declined after a beginning',
    [chunk({ content: 'Well. ' }), chunk({ refusal: 'No.' }), ...finished('stop')],
    'Well. No.',
  ],
  ['that was cut at the token limit', [chunk({ content: 'Hello' }), ...finished('length')], 'Hello'],
  [
    'of the first choice',
    [{ ...chunk({}), choices: [{ index: 1, delta: { content: 'x' } }] }, ...said('Hello')],
    'Hello',
  ],
  ['without [DONE]', said('Hello').slice(0, -1), 'Hello'],
];

const hello = chunk({ content: 'Hello' });
const failing = (...messages: (object | string)[]): Replay => ({ body: sse(...messages), end: 'complete' });
/** Streams of models that failed, and the error. */
export const FAILURES: [string, Replay, string][] = [
  ['an end without a finish_reason', failing(hello), 'ended before its finish_reason'],
  ['[DONE] without a finish_reason', failing(hello, DONE), 'ended before its finish_reason'],
  [
    'empty finish_reasons only',
    failing(chunk({ content: 'Hello' }, ''), DONE),
    'ended before its finish_reason',
  ],
  ['a broken connection', { body: sse(hello), end: 'break' }, 'terminated'],
  [
    'an error between the chunks',
    failing(hello, { error: { message: 'overloaded', code: 503 } }, DONE),
    'overloaded',
  ],
  ['an error that is a text', failing(hello, { error: 'overloaded' }, DONE), 'overloaded'],
  [
    'an error of vLLM',
    failing(hello, { object: 'error', message: 'overloaded', code: 500 }, DONE),
    'overloaded',
  ],
  ['an error of Groq', failing(hello, { ...chunk({}), x_groq: { error: 'overloaded' } }, DONE), 'overloaded'],
  [
    'an error in a choice',
    failing(
      hello,
      { ...chunk({}), choices: [{ index: 0, delta: {}, error: { message: 'overloaded' } }] },
      DONE,
    ),
    'overloaded',
  ],
  ...['error', 'abort', 'insufficient_system_resource', 'network_error'].map(
    (reason): [string, Replay, string] => [
      `the finish_reason ${reason}`,
      failing(hello, chunk({}, reason), DONE),
      reason,
    ],
  ),
  [
    'an error instead of a stream',
    { body: '{"error":{"message":"overloaded"}}', end: 'complete', status: 529 },
    'overloaded',
  ],
];
