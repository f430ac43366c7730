// The answers that several paths share, each with an example that a test compares with what the server gives.
import type { JsonSchema } from './schemas.ts';

interface Answer {
  readonly description: string;
  readonly headers?: Record<string, JsonSchema>;
  readonly content?: Record<string, JsonSchema>;
}

/** A problem with this code and words. */
export function problemAnswer(
  status: number,
  title: string,
  code: string,
  detail: string,
  description: string,
): Answer {
  const example = { type: 'about:blank', title, status, detail, code };
  const schema = { $ref: '#/components/schemas/Problem' };
  const retry = { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } } };
  return {
    description,
    ...((status === 429 || status === 503) && { headers: retry }),
    content: { 'application/problem+json': { schema, example } },
  };
}

export const UNKNOWN = problemAnswer(
  404,
  'Not Found',
  'NOT_FOUND',
  'no such execution: nobody',
  'No such execution, one of another kind, or one that the caller may not know of.',
);

export const FORBIDDEN = problemAnswer(
  403,
  'Forbidden',
  'FORBIDDEN',
  'you may not read execution report-42',
  'The caller may know of the execution, and may not read it.',
);

export const UNAVAILABLE = problemAnswer(
  503,
  'Service Unavailable',
  'SOURCE_UNAVAILABLE',
  'The database of executions does not answer',
  'Redis or the database does not answer for now. With `Last-Event-ID`: 200, `retry:`, and an end instead.',
);

export const BAD_PARAMETER = problemAnswer(
  400,
  'Bad Request',
  'BAD_USER_INPUT',
  'poll_ms: expected 250 to 2000, not "1"',
  'A parameter is malformed; `detail` names it.',
);

export const NOT_ACCEPTABLE = problemAnswer(
  406,
  'Not Acceptable',
  'NOT_ACCEPTABLE',
  'this path answers text/event-stream, which Accept leaves out',
  '`Accept` leaves `text/event-stream` out.',
);

export const NOT_ALLOWED = {
  ...problemAnswer(
    405,
    'Method Not Allowed',
    'METHOD_NOT_ALLOWED',
    'DELETE is not allowed here; GET, HEAD are',
    'Another method than those of this path.',
  ),
  headers: { Allow: { description: 'The methods of this path.', schema: { type: 'string' } } },
};
