// What no response may be, whatever the request.
import { fileURLToPath } from 'node:url';
import type { Answer, Exchange } from './exchange.ts';
import type { HostileInput } from './inputs/input.ts';

/** Stands in every text of tenant B; no answer to tenant A, or to a stranger, may hold it. */
export const MARKER = 'globex-eyes-only';

/** PROTOCOL.md, "GraphQL". */
const GRAPHQL_CODES = [
  ...['NOT_FOUND', 'FORBIDDEN', 'UNAUTHENTICATED', 'BAD_CURSOR', 'BAD_USER_INPUT', 'TOO_MANY_STREAMS'],
  ...['TOO_MANY_REQUESTS', 'CAPACITY', 'SOURCE_UNAVAILABLE', 'LOG_CORRUPT'],
];

/** What Node's own parser answers, with an empty body, before any of our code is asked. */
const PARSER_STATUSES = [400, 408, 413, 417, 431];

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const INSIDES = [
  /\n\s+at .+:\d+:\d+\)?/,
  /\\n\s+at .+:\d+:\d+/,
  /node_modules/,
  /node:internal/,
  /file:\/\/\//,
];

/** Answers what is wrong with an exchange, a line each; nothing where all is well. */
export function breachesOf(input: HostileInput, exchange: Exchange): string[] {
  const { answers, rest, text, ended } = exchange;
  const breaches: string[] = [];
  if (ended === 'hung') breaches.push('hung: neither answered nor closed');
  if (answers.length === 0 && ended === 'by server' && !input.isBroken && !input.isIncomplete) {
    breaches.push('closed without an answer');
  }
  const most = input.mostAnswers ?? 1;
  // What is left over from a body may be refused as no request.
  const taken = answers.filter(({ status, body }) => !(PARSER_STATUSES.includes(status) && body === ''));
  if (taken.length > most) breaches.push(`${taken.length} answers where ${most} may be`);
  if (rest !== '') breaches.push(`bytes that are no answer: ${JSON.stringify(rest.slice(0, 100))}`);
  if (text.includes(MARKER)) breaches.push('a byte of another tenant');
  const isPage = answers[0]?.headers.get('content-type')?.startsWith('text/html');
  if (text.includes(ROOT) || (!isPage && INSIDES.some((pattern) => pattern.test(text)))) {
    breaches.push('a stack trace or a path of the machine');
  }
  const unmet = input.expects?.(
    answers.map(({ status }) => status),
    answers.map(({ body }) => body),
  );
  if (unmet) breaches.push(unmet);
  for (const answer of answers) {
    const cutOff = !answer.isWhole && ended === 'by server';
    if (cutOff && !isEventStream(answer)) breaches.push(`${answer.status}: the body ends too early`);
    const wrong = wrongWith(input, answer);
    if (wrong) breaches.push(`${answer.status}: ${wrong}`);
  }
  return breaches;
}

function isEventStream({ headers }: Answer): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') ?? false;
}

function wrongWith(input: HostileInput, answer: Answer): string | undefined {
  const { status, headers, body } = answer;
  if (status === 503) return headers.has('retry-after') ? undefined : 'without Retry-After';
  if (status >= 500 || status === 101) return `not meant: ${body.slice(0, 200)}`;
  if (isEventStream(answer)) return wrongInStream(body);
  if (input.pieces[0]?.subarray(0, 5).toString('latin1') === 'HEAD ') return undefined;
  const [result] = /\{"(errors|data)"[^\r\n]*\}/.exec(body) ?? [];
  const type = headers.get('content-type') ?? '';
  if (result && /^(application\/.*json|multipart\/mixed)/.test(type))
    return wrongErrors(result, isSingle(input));
  if (status < 400) return undefined;
  if (body === '' && headers.get('connection') === 'close' && PARSER_STATUSES.includes(status))
    return undefined;
  if (input.api === 'graphql' && body === '') return undefined;
  return wrongProblem(answer);
}

function isSingle({ pieces }: HostileInput): boolean {
  return /^[A-Z]+ \/graphql\/stream[/? ]/.test(pieces[0]?.toString('latin1', 0, 40) ?? '');
}

/** RFC 9457, with a `code`. */
function wrongProblem({ status, headers, body }: Answer): string | undefined {
  const type = headers.get('content-type');
  if (type !== 'application/problem+json') return `no problem document but ${type}: ${body.slice(0, 100)}`;
  const problem = parsed(body);
  const strings = [problem?.type, problem?.title, problem?.detail, problem?.code];
  const isWhole = strings.every((value) => typeof value === 'string' && value !== '');
  if (!isWhole || problem!.status !== status) return `an incomplete problem: ${body.slice(0, 200)}`;
  return undefined;
}

/** Errors of GraphQL, each with a code that a caller may meet; `INTERNAL` counts as a 5xx. */
function wrongErrors(json: string, isSingleConnection = false): string | undefined {
  const result = parsed(json);
  if (!result) return `no JSON: ${json.slice(0, 100)}`;
  const errors = (result.errors ?? []) as { message: string; extensions?: { code?: string } }[];
  // The library's own refusals there have no code.
  const known = isSingleConnection ? [...GRAPHQL_CODES, ''] : GRAPHQL_CODES;
  const wrong = errors.find(({ extensions }) => !known.includes(extensions?.code ?? ''));
  return wrong && `error with code ${wrong.extensions?.code}: ${wrong.message.slice(0, 200)}`;
}

function wrongInStream(body: string): string | undefined {
  // A refusal has no id; what has one is an event, which may be one that cannot be shown.
  for (const [, data] of body.matchAll(/\n\nevent: next\ndata: (\{"errors"[^\n]*)\n\n/g)) {
    const wrong = wrongErrors(data!);
    if (wrong) return wrong;
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
