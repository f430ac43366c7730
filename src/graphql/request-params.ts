// A Yoga plugin: parses and validates a GraphQL request's parameters before anything else reads them. Yoga does not catch
// errors in forms, responds with 200 to a body that is not valid JSON, and rejects parameters that it does not know;
// recursive code overflows the stack on deep JSON.
import { GraphQLError } from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { messageOf } from '../event/error-message.ts';
import { exceedsDepth, MAX_JSON_DEPTH } from '../event/json-depth.ts';
import { singleValue } from '../event/query-parameters.ts';
import { decodeUtf8 } from '../http/content-coding.ts';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPES: readonly string[] = ['application/json', 'application/graphql+json'];

export function useRequestParams(): Plugin {
  const checkVariables = ({ args }: { args: { variableValues?: unknown } }) =>
    checkDepth('variables', args.variableValues);
  return {
    onRequestParse: ({ request, url, setRequestParser }) => {
      if (request.method === 'GET') setRequestParser(() => paramsOfForm(url.searchParams));
      if (request.method !== 'POST') return;
      const type = mediaTypeOf(request);
      if (type === FORM) {
        setRequestParser(async () => paramsOfForm(new URLSearchParams(await readText(request))));
      } else if (JSON_TYPES.includes(type)) {
        setRequestParser(async () => paramsOfJson(await readText(request)));
      }
    },
    onParams: ({ params: { query, operationName, variables, extensions }, setParams }) => {
      // Some clients send further parameters, such as `operationType` (Apollo's SSE recipe).
      setParams({ query, operationName, variables, extensions } as GraphQLParams);
      // Yoga responds with 200 to a request without a query, if it accepts `application/json`.
      if (typeof query !== 'string') throw badRequest(`query: expected a string, got ${typeOf(query)}`);
      if (!isAbsent(operationName) && typeof operationName !== 'string') {
        throw badRequest(`operationName: expected a string, got ${typeOf(operationName)}`);
      }
      checkDepth('variables', variables);
      checkDepth('extensions', extensions);
    },
    // Single connection mode parses requests itself.
    onExecute: checkVariables,
    onSubscribe: checkVariables,
  };
}

/** `request.text()` would replace invalid bytes. */
async function readText(request: Request): Promise<string> {
  const text = decodeUtf8(new Uint8Array(await request.arrayBuffer()));
  if (text === undefined) throw badRequest('body: not valid UTF-8');
  return text;
}

function mediaTypeOf(request: Request): string {
  const [type = ''] = (request.headers.get('content-type') ?? '').split(/[;,]/);
  return type.trim().toLowerCase();
}

function paramsOfJson(text: string): GraphQLParams {
  const params = parsed('body', text);
  if (Array.isArray(params)) throw badRequest('body: expected a single operation; batches are not supported');
  if (typeof params === 'object' && params !== null) return params;
  throw badRequest(`body: expected a JSON object, got ${typeOf(params)}`);
}

function paramsOfForm(form: URLSearchParams): GraphQLParams {
  const text = (name: string) => {
    try {
      return singleValue(form, name);
    } catch (error) {
      throw badRequest(messageOf(error));
    }
  };
  return {
    query: text('query'),
    operationName: text('operationName'),
    variables: parsed('variables', text('variables')),
    extensions: parsed('extensions', text('extensions')),
  };
}

function parsed(name: string, text: string | undefined) {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    throw badRequest(`${name}: expected JSON`);
  }
}

function checkDepth(name: string, value: unknown): void {
  if (!exceedsDepth(value, MAX_JSON_DEPTH)) return;
  throw badRequest(`${name}: expected JSON of up to ${MAX_JSON_DEPTH} levels`);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function badRequest(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } } });
}
