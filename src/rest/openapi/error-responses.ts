// Error responses, each with an example that a test compares with the server's response.
import { DEFAULT_QUOTAS } from '../../execution/quotas.ts';
import { TITLES } from '../problem.ts';
import { UNSUPPORTED_CODING as UNSUPPORTED } from '../request-body.ts';
import { notAllowedDetail } from '../router.ts';
import type { JsonSchema } from './json-schema.ts';

interface ErrorResponse {
  readonly description: string;
  readonly headers?: Record<string, JsonSchema>;
  readonly content?: Record<string, JsonSchema>;
}

/** A problem document with its details by code; a status may have several. */
export function problemResponse(
  status: number,
  description: string,
  details: Record<string, string>,
): ErrorResponse {
  const all = Object.entries(details).map(([code, detail]) => {
    const value = { type: 'about:blank', title: TITLES[status], status, detail, code };
    return [code, { value }] as const;
  });
  const [[, { value: example }]] = all as [(typeof all)[0]];
  const schema = { $ref: '#/components/schemas/Problem' };
  const retry = { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } } };
  return {
    description,
    ...((status === 429 || status === 503) && { headers: retry }),
    content: {
      'application/problem+json':
        all.length > 1 ? { schema, examples: Object.fromEntries(all) } : { schema, example },
    },
  };
}

export const UNAUTHENTICATED = {
  ...problemResponse(401, 'If authentication is on: credentials are missing or invalid.', {
    UNAUTHENTICATED: 'credentials are missing: send Authorization: Bearer <token>',
  }),
  headers: { 'WWW-Authenticate': { description: 'Bearer.', schema: { type: 'string' } } },
};

export const UNKNOWN = problemResponse(
  404,
  'The execution does not exist, is of another kind, or is hidden from the caller.',
  { NOT_FOUND: 'no such execution: nobody' },
);

export const UNKNOWN_PARENT = problemResponse(
  404,
  '`parentId` does not exist or is hidden from the caller. Begin the parent first.',
  { NOT_FOUND: 'parentId: no such execution: nobody' },
);

export const FORBIDDEN = problemResponse(403, 'The caller may not read the execution.', {
  FORBIDDEN: 'you may not read execution report-42',
});

export const OTHER_TENANT = problemResponse(403, 'The execution or its parent belongs to another tenant.', {
  FORBIDDEN: 'execution "report-42" belongs to another tenant',
});

export const UNAVAILABLE = problemResponse(503, 'Redis or the database is unavailable.', {
  SOURCE_UNAVAILABLE: 'database of executions is unavailable',
});

export const STREAM_UNAVAILABLE = {
  ...UNAVAILABLE,
  description:
    'Redis or the database is unavailable (`SOURCE_UNAVAILABLE`), or the server is at its stream limit (`CAPACITY`). With `Last-Event-ID`: 200, a longer `retry:`, and an unfinished response instead.',
};

export const BAD_PARAMETER = problemResponse(400, 'A parameter is invalid; `detail` names it.', {
  BAD_USER_INPUT: 'poll_ms: expected 250 to 2000, got "1"',
  BAD_CURSOR: '"yesterday" is not a cursor; expected <seq>-<epoch>, such as 42-k3f9ab01zz',
});

export const BAD_ID = problemResponse(400, 'The id or a parameter is invalid; `detail` names it.', {
  BAD_USER_INPUT: '"report\\u0000" is not an execution id; expected 1 to 1000 bytes of UTF-8 without U+0000',
});

export const BAD_BODY = problemResponse(
  400,
  'The id is invalid, the body is not valid JSON, or the execution is of another kind or mode.',
  { BAD_USER_INPUT: 'body: not valid JSON: Unexpected end of JSON input' },
);

export const BAD_HEADER = problemResponse(400, 'A header is missing, or the body is not valid JSON.', {
  BAD_USER_INPUT: 'header Publisher-Token: expected 1 to 200 characters',
});

export const NOT_ACCEPTABLE = problemResponse(406, '`Accept` does not include `text/event-stream`.', {
  NOT_ACCEPTABLE: 'Accept: expected text/event-stream',
});

/** The response to PUT. */
export const CANNOT_BEGIN = problemResponse(
  409,
  'The execution belongs to a newer attempt or another publisher (`SUPERSEDED`), or it has ended (`ENDED`).',
  {
    SUPERSEDED: 'execution "report-42" is at attempt 2',
    ENDED: 'execution "report-42" has ended: SUCCESS',
  },
);

/** The response to POST. */
export const CANNOT_APPEND = problemResponse(
  409,
  'The execution belongs to a newer attempt or another publisher, or its log was lost (`SUPERSEDED`); or it has ended (`ENDED`).',
  {
    SUPERSEDED: 'execution report-42 belongs to another attempt or publisher (attempt 2)',
    ENDED: 'execution report-42 has ended',
  },
);

export const TOO_LARGE = problemResponse(
  413,
  'The body is larger than 256 KiB, or an event that can neither be split nor reduced is larger than 28 KiB.',
  { EVENT_TOO_LARGE: 'body: larger than 262144 bytes; send several batches' },
);

export const UNSUPPORTED_CODING = {
  ...problemResponse(415, 'The body has another `Content-Encoding`.', { BAD_USER_INPUT: UNSUPPORTED }),
  headers: { 'Accept-Encoding': { description: 'The supported ones.', schema: { type: 'string' } } },
};

export const WRONG_BEGIN = problemResponse(
  422,
  'Valid JSON with an invalid value; `detail` names the field.',
  {
    BAD_USER_INPUT: 'attempt: Too small: expected number to be >=1',
  },
);

export const WRONG_EVENT = problemResponse(422, 'Valid JSON with an invalid event; `detail` names it.', {
  BAD_USER_INPUT: 'events.0: unknown type "nonsense"',
});

export const TOO_MANY = problemResponse(
  429,
  'Backpressure: wait for the response to a batch before sending the next. Or the caller exceeds its quota of batches per second.',
  {
    TOO_MANY_REQUESTS:
      'too many batches queued for this execution; wait for a response before sending the next',
  },
);

/** The response to a caller that exceeds a quota, which the server names in the same words. */
export function overQuota(requests: string, perSecond: number): ErrorResponse {
  return problemResponse(429, 'The caller exceeds its quota of requests per second.', {
    TOO_MANY_REQUESTS: quotaDetail(requests, perSecond),
  });
}

/** A server at its own stream limit responds 503 instead. */
export const TOO_MANY_STREAMS = problemResponse(
  429,
  'The caller has too many streams, opens them too fast, or exceeds its quota. A request with `Last-Event-ID` gets 200 with a longer `retry:` instead, and an unfinished response.',
  {
    TOO_MANY_STREAMS: 'too many open streams for this caller (limit 1)',
    TOO_MANY_REQUESTS: quotaDetail('queries', DEFAULT_QUOTAS.queries),
  },
);

function quotaDetail(requests: string, perSecond: number): string {
  return `too many ${requests}: the limit is ${perSecond} per second for one caller`;
}

/** The 405 of a path; the server lists the methods in the same words. */
export function notAllowed(allowed: readonly string[]): ErrorResponse {
  const detail = notAllowedDetail('DELETE', allowed);
  return {
    ...problemResponse(405, 'The path does not support the method.', { METHOD_NOT_ALLOWED: detail }),
    headers: { Allow: { description: 'The methods that the path supports.', schema: { type: 'string' } } },
  };
}
