// The rules that every response must satisfy, regardless of the request.
import { fileURLToPath } from 'node:url';
import type { Exchange, HttpResponse } from './exchange.ts';
import type { HostileInput } from './inputs/input.ts';

/** Part of every text of tenant B. No response to tenant A or to an unknown caller may contain it. */
export const MARKER = 'globex-eyes-only';

/** The error codes of PROTOCOL.md, "GraphQL". */
const GRAPHQL_CODES = [
  ...['NOT_FOUND', 'FORBIDDEN', 'UNAUTHENTICATED', 'BAD_CURSOR', 'BAD_USER_INPUT', 'TOO_MANY_STREAMS'],
  ...['TOO_MANY_REQUESTS', 'CAPACITY', 'SOURCE_UNAVAILABLE', 'LOG_CORRUPT'],
  ...['NOT_ACCEPTABLE', 'METHOD_NOT_ALLOWED'],
  ...['PERSISTED_QUERY_NOT_FOUND', 'PERSISTED_QUERY_NOT_SUPPORTED', 'PERSISTED_QUERY_MISMATCH'],
];

/** The statuses of Node's own parser, whose responses have no body and do not reach our code. */
const PARSER_STATUSES = [400, 408, 413, 417, 431];

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const INTERNALS = [
  /\n\s+at .+:\d+:\d+\)?/,
  /\\n\s+at .+:\d+:\d+/,
  /node_modules/,
  /node:internal/,
  /file:\/\/\//,
];

/** Returns a line for every rule that an exchange breaks. */
export function breachesOf(input: HostileInput, exchange: Exchange): string[] {
  const { responses, rest, text, ended } = exchange;
  const breaches: string[] = [];
  if (ended === 'hung') breaches.push('hung: neither a response nor a close');
  if (responses.length === 0 && ended === 'by server' && !input.isBroken && !input.isIncomplete) {
    breaches.push('closed without a response');
  }
  const limit = input.maxResponses ?? 1;
  // The parser may reject the rest of a body as an invalid request.
  const handled = responses.filter(({ status, body }) => !(PARSER_STATUSES.includes(status) && body === ''));
  if (handled.length > limit) breaches.push(`${handled.length} responses, expected up to ${limit}`);
  if (rest !== '') breaches.push(`bytes that are not a response: ${JSON.stringify(rest.slice(0, 100))}`);
  if (text.includes(MARKER)) breaches.push('content of another tenant');
  const isPage = responses[0]?.headers.get('content-type')?.startsWith('text/html');
  if (text.includes(ROOT) || (!isPage && INTERNALS.some((pattern) => pattern.test(text)))) {
    breaches.push('a stack trace or a path of the machine');
  }
  const unmet = input.expects?.(
    responses.map(({ status }) => status),
    responses.map(({ body }) => body),
  );
  if (unmet) breaches.push(unmet);
  for (const response of responses) {
    const cutOff = !response.isComplete && ended === 'by server';
    if (cutOff && !isEventStream(response) && !isMultipart(response))
      breaches.push(`${response.status}: the body ends too early`);
    const fault = faultOf(input, response);
    if (fault) breaches.push(`${response.status}: ${fault}`);
  }
  return breaches;
}

function isEventStream({ headers }: HttpResponse): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') ?? false;
}

function isMultipart({ headers }: HttpResponse): boolean {
  return headers.get('content-type')?.startsWith('multipart/mixed') ?? false;
}

function faultOf(input: HostileInput, response: HttpResponse): string | undefined {
  const { status, headers, body } = response;
  if (status === 503) return headers.has('retry-after') ? undefined : 'without Retry-After';
  if (status >= 500 || status === 101) return `unintended: ${body.slice(0, 200)}`;
  if (isEventStream(response)) return streamFault(body);
  if (isMultipart(response)) return multipartFault(body);
  if (input.pieces[0]?.subarray(0, 5).toString('latin1') === 'HEAD ') return undefined;
  const [result] = /\{"(errors|data)"[^\r\n]*\}/.exec(body) ?? [];
  const type = headers.get('content-type') ?? '';
  if (result && /^application\/.*json/.test(type)) return graphqlFault(result);
  if (status < 400) return undefined;
  if (body === '' && headers.get('connection') === 'close' && PARSER_STATUSES.includes(status))
    return undefined;
  if (input.api === 'graphql' && body === '') return undefined;
  return problemFault(response);
}

/** The fault of a problem document of RFC 9457, which must have a `code`. */
function problemFault({ status, headers, body }: HttpResponse): string | undefined {
  const type = headers.get('content-type');
  if (type !== 'application/problem+json')
    return `expected a problem document, got ${type}: ${body.slice(0, 100)}`;
  const problem = parsed(body);
  const strings = [problem?.type, problem?.title, problem?.detail, problem?.code];
  const isComplete = strings.every((value) => typeof value === 'string' && value !== '');
  if (!isComplete || problem!.status !== status) return `an incomplete problem: ${body.slice(0, 200)}`;
  return undefined;
}

/** The fault of GraphQL errors, each of which must have a documented code; `INTERNAL` counts as a 5xx. */
function graphqlFault(json: string): string | undefined {
  const result = parsed(json);
  if (!result) return `not valid JSON: ${json.slice(0, 100)}`;
  const errors = (result.errors ?? []) as { message: string; extensions?: { code?: string } }[];
  const fault = errors.find(({ extensions }) => !GRAPHQL_CODES.includes(extensions?.code ?? ''));
  return fault && `error with code ${fault.extensions?.code}: ${fault.message.slice(0, 200)}`;
}

function streamFault(body: string): string | undefined {
  // A rejection has no id. A frame with an id is an event, which may legitimately have an error.
  for (const [, data] of body.matchAll(/\n\nevent: next\ndata: (\{"errors"[^\n]*)\n\n/g)) {
    const fault = graphqlFault(data!);
    if (fault) return fault;
  }
  return undefined;
}

function multipartFault(body: string): string | undefined {
  // A rejection has no cursor.
  for (const [, result] of body.matchAll(/\r\n\r\n\{"payload":(\{"errors".*\})\}\r\n--/g)) {
    const fault = graphqlFault(result!);
    if (fault) return fault;
  }
  return undefined;
}

function parsed(json: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
