// The paths of stream tokens, and the ways in which a caller is known.
import { DEFAULT_QUOTAS } from '../../execution/quotas.ts';
import { REVOCATION, TOKEN_COOKIE, TOKEN_REQUEST } from '../stream-tokens.ts';
import {
  FORBIDDEN,
  overQuota,
  problemAnswer,
  TOO_LARGE,
  UNAUTHENTICATED,
  UNAVAILABLE,
  UNKNOWN,
} from './error-responses.ts';
import { type JsonSchema, toJsonSchema } from './schemas.ts';

export const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Where authentication is on.' },
  streamToken: {
    type: 'apiKey',
    in: 'query',
    name: 'access_token',
    description: "A stream token, for a browser's EventSource. Streams alone take it.",
  },
  streamCookie: {
    type: 'apiKey',
    in: 'cookie',
    name: TOKEN_COOKIE,
    description: 'The same as a cookie of the same site.',
  },
};

const REFUSALS = {
  400: problemAnswer(400, 'The body is not JSON, or an id is none.', {
    BAD_USER_INPUT: 'the body is not JSON: Unexpected end of JSON input',
  }),
  401: UNAUTHENTICATED,
  403: FORBIDDEN,
  413: TOO_LARGE,
  422: problemAnswer(422, 'Well-formed, and wrong: `detail` names the field.', {
    BAD_USER_INPUT: 'executions: Invalid input: expected array, received undefined',
  }),
  503: UNAVAILABLE,
};

const TOKEN_EXAMPLE = 'n6XJ2Jb2Qm0yYQmY6l8yKkq3o1gX0m4d9s5b7c2a1ZE';
const EXPIRES_EXAMPLE = '2026-01-02T04:04:05.678Z';

/** `POST /api/v0/stream-tokens`. */
export function createTokenOperation(): JsonSchema {
  const made = {
    type: 'object',
    required: ['expiresAt'],
    properties: {
      token: { type: 'string', description: 'Left out where it was set as a cookie.' },
      expiresAt: { type: 'string', format: 'date-time', description: 'When it serves no longer.' },
    },
  };
  return {
    tags: ['access'],
    operationId: 'createStreamToken',
    summary: 'Make a token that reads some executions, for a client that sends no headers',
    description:
      'It goes into `?access_token=` of a stream, must first be used within 60 s, and then serves reconnects too.',
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: toJsonSchema(TOKEN_REQUEST),
          example: { executions: ['report-42'] },
        },
      },
    },
    responses: {
      201: {
        description: 'The token.',
        headers: {
          'Set-Cookie': { description: 'Where `cookie` asks for it.', schema: { type: 'string' } },
        },
        content: {
          'application/json': {
            schema: made,
            example: { token: TOKEN_EXAMPLE, expiresAt: EXPIRES_EXAMPLE },
          },
        },
      },
      ...REFUSALS,
      404: UNKNOWN,
      429: overQuota('new stream tokens', DEFAULT_QUOTAS.streamTokens),
    },
  };
}

/** `POST …/revoke`. */
export function revokeTokenOperation(): JsonSchema {
  return {
    tags: ['access'],
    operationId: 'revokeStreamToken',
    summary: 'End a token that the caller has made',
    requestBody: {
      required: true,
      content: {
        'application/json': { schema: toJsonSchema(REVOCATION), example: { token: TOKEN_EXAMPLE } },
      },
    },
    responses: {
      204: { description: 'It serves no longer, or it was none of the caller’s.' },
      ...REFUSALS,
      429: overQuota('queries', DEFAULT_QUOTAS.queries),
    },
  };
}
