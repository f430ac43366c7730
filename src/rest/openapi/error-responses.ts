// The answers to what cannot be done, each with an example that a test compares with what the server gives.
import { DEFAULT_QUOTAS } from '../../execution/quotas.ts';
import { TITLES } from '../problem.ts';
import { notAllowedDetail } from '../router.ts';
import type { JsonSchema } from './schemas.ts';

interface Answer {
  readonly description: string;
  readonly headers?: Record<string, JsonSchema>;
  readonly content?: Record<string, JsonSchema>;
}

/** A problem, with the words for it by code; a status may have several. */
export function problemAnswer(status: number, description: string, details: Record<string, string>): Answer {
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
  ...problemAnswer(401, 'Where authentication is on: no credentials came, or wrong ones.', {
    UNAUTHENTICATED: 'credentials are missing: send Authorization: Bearer <token>',
  }),
  headers: { 'WWW-Authenticate': { description: 'Bearer.', schema: { type: 'string' } } },
};

export const UNKNOWN = problemAnswer(
  404,
  'No such execution, one of another kind, or one that the caller may not know of.',
  { NOT_FOUND: 'no such execution: nobody' },
);

export const UNKNOWN_PARENT = problemAnswer(
  404,
  '`parentId` names no execution that the caller may know of. Begin the parent first.',
  { NOT_FOUND: 'parentId: no such execution: nobody' },
);

export const FORBIDDEN = problemAnswer(403, 'The caller may know of the execution, and may not read it.', {
  FORBIDDEN: 'you may not read execution report-42',
});

export const OTHER_TENANT = problemAnswer(403, 'Another tenant has an execution of this id, or the parent.', {
  FORBIDDEN: 'Execution "report-42" belongs to another tenant',
});

export const UNAVAILABLE = problemAnswer(503, 'Redis or the database does not answer for now.', {
  SOURCE_UNAVAILABLE: 'The database of executions does not answer',
});

export const STREAM_UNAVAILABLE = {
  ...UNAVAILABLE,
  description:
    'Redis or the database is unavailable (`SOURCE_UNAVAILABLE`), or the server is at its stream limit (`CAPACITY`). With `Last-Event-ID`: 200, a longer `retry:`, and an end instead.',
};

export const BAD_PARAMETER = problemAnswer(400, 'A parameter is malformed; `detail` names it.', {
  BAD_USER_INPUT: 'poll_ms: expected 250 to 2000, not "1"',
  BAD_CURSOR: '"yesterday" is not a cursor; expected <seq>-<epoch>, such as 42-k3f9ab01zz',
});

export const BAD_ID = problemAnswer(400, 'The id is none.', {
  BAD_USER_INPUT:
    '"report 42" is not an execution id; expected 1 to 200 characters of A-Z a-z 0-9 . _ : ~ @ + / -',
});

export const BAD_BODY = problemAnswer(
  400,
  'The id is none, the body is not JSON, or the execution is of another kind or mode.',
  { BAD_USER_INPUT: 'the body is not JSON: Unexpected end of JSON input' },
);

export const BAD_HEADER = problemAnswer(400, 'A header is missing, or the body is not JSON.', {
  BAD_USER_INPUT: 'header Publisher-Token: expected 1 to 200 characters',
});

export const NOT_ACCEPTABLE = problemAnswer(406, '`Accept` leaves `text/event-stream` out.', {
  NOT_ACCEPTABLE: 'this path answers text/event-stream, which Accept leaves out',
});

/** To begin what another has, or has ended. */
export const CANNOT_BEGIN = problemAnswer(
  409,
  'A newer attempt or another publisher has the execution (`SUPERSEDED`), or it has ended (`ENDED`).',
  {
    SUPERSEDED: 'Execution "report-42" is at attempt 2',
    ENDED: 'Execution "report-42" has ended: SUCCESS',
  },
);

/** To append to what another has, or has ended. */
export const CANNOT_APPEND = problemAnswer(
  409,
  'A newer attempt or another publisher has the execution, or its log was lost (`SUPERSEDED`); or it has ended (`ENDED`).',
  {
    SUPERSEDED: 'another attempt or publisher has execution report-42 (attempt 2)',
    ENDED: 'execution report-42 has ended',
  },
);

export const TOO_LARGE = problemAnswer(
  413,
  'The body is above 256 KiB, or an event that cannot be split above 64 KiB.',
  { EVENT_TOO_LARGE: 'the body is larger than 262144 bytes; send several batches' },
);

export const WRONG_BEGIN = problemAnswer(422, 'Well-formed, and wrong: `detail` names the field.', {
  BAD_USER_INPUT: 'attempt: Too small: expected number to be >=1',
});

export const WRONG_EVENT = problemAnswer(422, 'Well-formed, and wrong: `detail` names the event.', {
  BAD_USER_INPUT: 'events.0: unknown type "nonsense"',
});

export const TOO_MANY = problemAnswer(
  429,
  'Back-pressure: send the next batch after the answer to the last. Or the caller sends more batches per second than their quota.',
  { TOO_MANY_REQUESTS: 'more batches wait than are taken; send the next one after the answer to the last' },
);

/** A caller's quota is used up: the kind of request as the server names it, and the default limit. */
export function overQuota(requests: string, perSecond: number): Answer {
  return problemAnswer(429, 'The caller makes more such requests per second than their quota.', {
    TOO_MANY_REQUESTS: quotaDetail(requests, perSecond),
  });
}

/** The node that is full is another matter, and answers 503. */
export const TOO_MANY_STREAMS = problemAnswer(
  429,
  'The caller has, or opens, too many streams, or has used up their quota. With `Last-Event-ID`: 200, a longer `retry:`, and an end instead.',
  {
    TOO_MANY_STREAMS: 'too many open streams for this caller (limit 1)',
    TOO_MANY_REQUESTS: quotaDetail('queries', DEFAULT_QUOTAS.queries),
  },
);

function quotaDetail(requests: string, perSecond: number): string {
  return `too many ${requests}: the limit is ${perSecond} per second for one caller`;
}

/** The 405 of a path, whose methods the server lists in the same words. */
export function notAllowed(allowed: readonly string[]): Answer {
  const detail = notAllowedDetail('DELETE', allowed);
  return {
    ...problemAnswer(405, 'Another method than those of this path.', { METHOD_NOT_ALLOWED: detail }),
    headers: { Allow: { description: 'The methods of this path.', schema: { type: 'string' } } },
  };
}
