// The operations of stream tokens, and the security schemes.
import { DEFAULT_QUOTAS } from '../../execution/quotas.ts';
import { REVOCATION, TOKEN_COOKIE, TOKEN_REQUEST } from '../stream-tokens.ts';
import {
  FORBIDDEN,
  overQuota,
  problemResponse,
  TOO_LARGE,
  UNAUTHENTICATED,
  UNAVAILABLE,
  UNKNOWN,
  UNSUPPORTED_CODING,
} from './error-responses.ts';
import { type JsonSchema, toJsonSchema } from './json-schema.ts';
import { EXECUTION_ID } from './schemas.ts';

export const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'If authentication is on.' },
  streamToken: {
    type: 'apiKey',
    in: 'query',
    name: 'access_token',
    description: "A stream token, for a browser's EventSource. Accepted by streams only.",
  },
  streamCookie: {
    type: 'apiKey',
    in: 'cookie',
    name: TOKEN_COOKIE,
    description: 'A stream token in a same-site cookie.',
  },
};

const ERRORS = {
  400: problemResponse(400, 'The body is not valid JSON, or an id is invalid.', {
    BAD_USER_INPUT: 'body: not valid JSON: Unexpected end of JSON input',
  }),
  401: UNAUTHENTICATED,
  403: FORBIDDEN,
  413: TOO_LARGE,
  415: UNSUPPORTED_CODING,
  422: problemResponse(422, 'Valid JSON with an invalid value; `detail` names the field.', {
    BAD_USER_INPUT: 'executions: Invalid input: expected array, received undefined',
  }),
  503: UNAVAILABLE,
};

const TOKEN_EXAMPLE = 'n6XJ2Jb2Qm0yYQmY6l8yKkq3o1gX0m4d9s5b7c2a1ZE';
const EXPIRES_EXAMPLE = '2026-01-02T04:04:05.678Z';

/** The body with the rule for ids, which are checked after its shape. */
function tokenRequestSchema(): JsonSchema {
  const { properties, ...schema } = toJsonSchema(TOKEN_REQUEST) as { properties: { executions: JsonSchema } };
  const executions = { ...properties.executions, items: EXECUTION_ID };
  return { ...schema, properties: { ...properties, executions } };
}

/** `POST /api/v0/stream-tokens`. */
export function createTokenOperation(): JsonSchema {
  const response = {
    type: 'object',
    required: ['expiresAt'],
    properties: {
      token: { type: 'string', description: 'Absent if it was set as a cookie.' },
      expiresAt: { type: 'string', format: 'date-time', description: 'When the token expires.' },
    },
  };
  return {
    tags: ['access'],
    operationId: 'createStreamToken',
    summary: 'Create a token that reads certain executions, for a client that cannot send headers',
    description:
      'Sent as `?access_token=` of a stream. It must be used within 60 s; from then on it is also valid for reconnects.',
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: tokenRequestSchema(),
          example: { executions: ['report-42'] },
        },
      },
    },
    responses: {
      201: {
        description: 'The token.',
        headers: {
          'Set-Cookie': { description: 'If `cookie` is true.', schema: { type: 'string' } },
        },
        content: {
          'application/json': {
            schema: response,
            example: { token: TOKEN_EXAMPLE, expiresAt: EXPIRES_EXAMPLE },
          },
        },
      },
      ...ERRORS,
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
    summary: 'Revoke a token that the caller created',
    requestBody: {
      required: true,
      content: {
        'application/json': { schema: toJsonSchema(REVOCATION), example: { token: TOKEN_EXAMPLE } },
      },
    },
    responses: {
      204: { description: 'The token is revoked, or the caller has no such token.' },
      ...ERRORS,
      429: overQuota('queries', DEFAULT_QUOTAS.queries),
    },
  };
}
